import { expect } from 'vitest'
import type { ConversationRequest, RequestStatus, TerminalStatus } from '#domain/request.ts'
import type { DatabaseApi, RecoveredRequest } from '#protocol/database.ts'
import type { AddResult, NewRequest, QueueMode, RequestEvent } from '#protocol/queue.ts'
import { turnOfTheEventLoop } from './event-loop.ts'
import { QueueObserver } from './queue-observer.ts'
import { BACKOFF_MS, QueueRuns } from './queue-runs.ts'
import type { AddStep, PausedStep, QueueStep, RunEnd } from './queue-steps.ts'
import { messageOf, QueueUnderTest, type TestDatabase } from './queue-under-test.ts'
import type { ScriptedRun } from './scripted-pool.ts'
import { SimulatedClock } from './simulated-clock.ts'

export const SLOTS = 3
export const MAX_QUEUE_SIZE = 3
const MAX_ATTEMPTS = 3
const SETTINGS = {
  maxQueueSize: MAX_QUEUE_SIZE,
  maxAttempts: MAX_ATTEMPTS,
  retryBackoffMs: BACKOFF_MS,
  maxMessageLength: 60,
  mailboxSize: 5,
  pollIntervalMs: 50_000,
}
const TEXTS = { question: 'a question', empty: ' ', long: 'x'.repeat(61) }

interface Sent {
  readonly message: NewRequest
  /** What has to come of it; undefined when it depends on what else is going on. */
  readonly expected: string | undefined
  /** `accepted`, or the code of the refusal. */
  outcome?: string
  requestId?: string
}

interface Cancelled {
  readonly requestId: string
  over: boolean
  status?: TerminalStatus | undefined
}

/** What there was when a life of the queue began. */
interface Beginning {
  readonly sent: number
  readonly restored: number
  readonly ended: Readonly<Record<TerminalStatus, number>>
}

/** A queue with which anything can happen, its process ending and another going on included; and what has come of it. */
export class QueueModel {
  /** The queue as it lives now. */
  test: QueueUnderTest
  readonly observer = new QueueObserver(MAX_ATTEMPTS)
  readonly sent: Sent[] = []
  readonly cancelled: Cancelled[] = []
  readonly userIds: readonly string[]
  readonly runs: QueueRuns
  /** When requests were started for the first time in this life. */
  readonly startedAt = new Map<string, number>()
  beginning: Beginning = { sent: 0, restored: 0, ended: { COMPLETED: 0, FAILED: 0, CANCELLED: 0 } }
  /** Some call to the database failed, so it may know less than the queue. */
  tainted = false
  /** What the operator has said last. */
  mode: QueueMode = 'open'
  /** What was restored may run. */
  open = true
  stop: 'not asked' | 'asked' | 'over' = 'not asked'
  /** Nothing is going on: the queue waits for time, or for a run to end. */
  quiet = true
  readonly #number: number
  readonly #api: DatabaseApi
  readonly #statusOf: (requestId: string) => RequestStatus | undefined
  #ids = 0
  #idBreaks = false
  #held = false

  /** Several models can share a database when each has its own number. */
  constructor(number: number, { api, connection }: TestDatabase) {
    this.#number = number
    this.#api = api
    this.runs = new QueueRuns(api)
    const status = connection.prepare<[string], RequestStatus>('SELECT status FROM requests WHERE id = ?').pluck()
    this.#statusOf = (requestId) => status.get(requestId)
    this.userIds = Array.from({ length: 9 }, (_, user) => `user ${user} of queue ${number}`)
    this.test = this.#newLife(new SimulatedClock())
  }

  /** Whether messages are refused that cannot be stored. */
  get refusing(): boolean {
    return this.#number % 2 === 1
  }

  async take({ step, pause }: PausedStep): Promise<void> {
    await this.#do(step, pause === 'settled')
    this.quiet = false
    if (pause === 'turn') await turnOfTheEventLoop()
    if (pause === 'settled') await this.settle()
    // The time of what waits stands still, and begins anew with its next run.
    if (this.mode === 'paused') for (const { id } of this.observer.with('QUEUED')) this.startedAt.delete(id)
  }

  async settle(): Promise<void> {
    await this.test.settled()
    this.runs.settled(this.test)
    this.quiet = !this.#held
  }

  /** Repairs what is broken and lets everything end. */
  async drain(): Promise<void> {
    const { pool, store, clock } = this.test
    this.#idBreaks = false
    pool.runErrors.length = 0
    for (const type of ['release', 'restore', 'open'] as const) await this.#do({ type }, false)
    await this.#do({ type: 'mode', mode: 'open' }, false)
    store.mode = 'working'
    await this.settle()
    for (let rounds = 0; pool.live.length + this.observer.with('QUEUED').length > 0; rounds++) {
      expect(rounds).toBeLessThan(40)
      if (pool.live.length === 0) await clock.advance(BACKOFF_MS)
      for (const run of pool.live) await this.#end(run, run.cancels > 0 ? 'stop' : 'answer')
      await this.settle()
    }
    // The longest pause between two probes of the database.
    if (this.stop !== 'over') await clock.advance(30_000)
    await this.settle()
  }

  /** Sends an ordinary question. */
  ask(userId: string): void {
    this.#send(messageOf(userId, { message: TEXTS.question }), 'accepted')
  }

  askToStop(graceMs: number): void {
    if (this.stop === 'not asked') this.stop = 'asked'
    if (!this.open) this.observer.leaveUntold()
    const { test } = this
    void test.queue.stop(graceMs).then(() => {
      if (test === this.test) this.stop = 'over'
    })
  }

  /** The process ends as it stands, and another one goes on with what is in the file. */
  async restart(): Promise<void> {
    const { test, quiet } = this
    test.store.cutOff()
    this.runs.lifeEnded(test)
    this.test = this.#newLife(new SimulatedClock(test.clock.now() + 1000))
    const recovery = await this.#api.recover('discord')
    const waiting = recovery.waiting.filter(({ request }) => this.userIds.includes(request.userId))
    this.observer.restart(waiting, this.#statusOf, quiet && !this.tainted)
    this.#forgetCallers(waiting)
    this.beginning = {
      sent: this.sent.length,
      restored: waiting.length,
      ended: {
        COMPLETED: this.observer.with('COMPLETED').length,
        FAILED: this.observer.with('FAILED').length,
        CANCELLED: this.observer.with('CANCELLED').length,
      },
    }
    this.test.queue.restore(waiting.map((left) => ({ ...left, listener: this.#listener(left.request.userId) })))
    this.open = false
    await this.settle()
  }

  #newLife(clock: SimulatedClock): QueueUnderTest {
    this.stop = 'not asked'
    this.#held = false
    this.mode = 'open'
    this.startedAt.clear()
    const settings = { ...SETTINGS, whenUnavailable: this.refusing ? 'refuse' : 'answer' } as const
    return new QueueUnderTest({ slots: SLOTS, settings, store: this.#api, clock, newId: () => this.#newId() })
  }

  /** Whoever waited for an answer of the process that has ended gets none. */
  #forgetCallers(waiting: readonly RecoveredRequest[]): void {
    this.cancelled.length = 0
    for (const { request } of waiting) {
      if (this.sent.some(({ requestId }) => requestId === request.id)) continue
      const sent = this.sent.find(({ message, outcome }) => isUnanswered(outcome) && isOf(message, request))
      if (sent) sent.requestId = request.id
    }
    for (const sent of this.sent) sent.outcome ??= 'the process ended'
  }

  async #do(step: QueueStep, settles: boolean): Promise<void> {
    const { pool, clock, store } = this.test
    switch (step.type) {
      case 'add':
        return this.#add(step, settles)
      case 'end':
        return this.#end(chosen(pool.live, step.run), step.how)
      case 'say':
        return chosen(pool.live, step.run)?.say('word')
      case 'late':
        return this.runs.late(step, this.test)
      case 'cancel':
        return this.#cancel(this.#idOf(step.request % (this.#ids + 2)))
      case 'advance':
        return clock.advance(step.ms)
      case 'crash':
        pool.slots = Math.max(0, pool.slots - step.runs)
        for (const run of pool.live.slice(0, step.runs)) await this.#end(run, 'lose')
        return
      case 'restore':
        return pool.resize(SLOTS)
      case 'poolBreaks':
        pool.runErrors.push(new Error('the pool broke'))
        return
      case 'idBreaks':
        this.#idBreaks = true
        return
      case 'database':
        this.tainted ||= step.mode !== 'working'
        store.mode = step.mode
        return
      case 'hold':
        this.#held = true
        return store.hold()
      case 'release':
        this.#held = false
        return store.release()
      case 'stop':
        return this.askToStop(step.graceMs)
      case 'restart':
        return this.restart()
      case 'mode':
        this.mode = step.mode
        void this.test.queue.setMode(step.mode)
        return
      case 'open':
        this.open = true
        return this.test.queue.open()
      default:
        return step satisfies never
    }
  }

  #add({ user, text, discordMessage }: AddStep, settles: boolean): void {
    const discordMessageId = discordMessage === null ? null : `message ${discordMessage} of queue ${this.#number}`
    const message = messageOf(this.userIds[user] ?? '', { message: TEXTS[text], discordMessageId })
    this.#send(message, settles && this.quiet ? this.#expected(message) : undefined)
  }

  #send(message: NewRequest, expected: string | undefined): void {
    const sent: Sent = { message, expected }
    this.sent.push(sent)
    const { test } = this
    void test.queue.addRequest(message, this.#listener(message.userId)).then((result: AddResult) => {
      if (test !== this.test) return
      sent.outcome = result.accepted ? 'accepted' : result.refusal.code
      if (result.accepted) sent.requestId = result.request.id
    })
  }

  /** Of this life; what a former one still tells reaches nobody. */
  #listener(userId: string): (event: RequestEvent) => void {
    const { test } = this
    return (event) => {
      if (test === this.test) this.#see(userId, event)
    }
  }

  #see(userId: string, event: RequestEvent): void {
    const now = this.test.clock.now()
    this.observer.see(userId, event, now, this.runs.pauseMs(event))
    if (event.type === 'started' && !this.startedAt.has(event.requestId)) this.startedAt.set(event.requestId, now)
  }

  /** What comes of a message that is sent now, while nothing else is going on. */
  #expected({ userId, message, discordMessageId }: NewRequest): string | undefined {
    const { pool } = this.test
    const free = this.mode === 'paused' ? 0 : Math.max(0, pool.slots - pool.slotsUsed)
    const active = this.observer.activeOf(userId)
    const known = this.sent.filter(
      (sent) => discordMessageId !== null && sent.requestId && sent.message.discordMessageId === discordMessageId,
    )
    if (this.stop !== 'not asked') return 'QUEUE_STOPPING'
    if (message !== TEXTS.question) return 'REQUEST_INVALID'
    if (active && known.some(({ requestId }) => requestId === active.id)) return 'REQUEST_DUPLICATE'
    if (active) return 'REQUEST_ALREADY_ACTIVE'
    if (this.observer.with('QUEUED').length - free >= MAX_QUEUE_SIZE) return 'QUEUE_FULL'
    if (this.mode === 'draining') return 'QUEUE_DRAINING'
    if (this.#idBreaks) return 'QUEUE_BUSY'
    if (this.tainted && (this.refusing || known.length > 0)) return undefined
    return known.length > 0 ? 'REQUEST_DUPLICATE' : 'accepted'
  }

  async #end(run: ScriptedRun | undefined, how: RunEnd): Promise<void> {
    if (run) await this.runs.end(run, how, this.test)
  }

  #cancel(requestId: string): void {
    const cancelled: Cancelled = { requestId, over: false }
    this.cancelled.push(cancelled)
    void this.test.queue.cancel(requestId).then((status) => {
      cancelled.over = true
      cancelled.status = status
    })
  }

  #newId(): string {
    if (this.#idBreaks) {
      this.#idBreaks = false
      throw new Error('no id could be made')
    }
    this.#ids += 1
    return this.#idOf(this.#ids)
  }

  /** Unique in the database, and counting admissions. */
  #idOf(admission: number): string {
    return `r${this.#number * 1000 + admission}`
  }
}

/** The member a number chooses, if there is any. */
function chosen<T>(members: readonly T[], index: number): T | undefined {
  return members[index % Math.max(1, members.length)]
}

/** Its sender heard nothing, or that it could not be stored, which a lost answer of the database looks like. */
function isUnanswered(outcome: string | undefined): boolean {
  return outcome === undefined || outcome === 'REQUEST_NOT_STORED'
}

function isOf(message: NewRequest, request: ConversationRequest): boolean {
  return message.userId === request.userId && message.discordMessageId === request.discordMessageId
}
