import { expect } from 'vitest'
import type { TerminalStatus } from '#domain/request.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { AddResult, NewRequest, RequestEvent } from '#protocol/queue.ts'
import { turnOfTheEventLoop } from './event-loop.ts'
import { QueueObserver } from './queue-observer.ts'
import type { AddStep, PausedStep, QueueStep, RunEnd } from './queue-steps.ts'
import { messageOf, QueueUnderTest } from './queue-under-test.ts'
import { answerOf, type ScriptedRun } from './scripted-pool.ts'
import { turnOf } from './stored-requests.ts'

export const SLOTS = 3
export const MAX_QUEUE_SIZE = 3
const SETTINGS = { maxQueueSize: MAX_QUEUE_SIZE, maxMessageLength: 60, mailboxSize: 5, pollIntervalMs: 50_000 }
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

/** A queue with which anything can happen, and what has come of it. */
export class QueueModel {
  readonly test: QueueUnderTest
  readonly observer = new QueueObserver()
  readonly sent: Sent[] = []
  readonly cancelled: Cancelled[] = []
  readonly userIds: readonly string[]
  /** When requests were started for the first time. */
  readonly startedAt = new Map<string, number>()
  /** Answers that are in the database, by request. */
  readonly committed = new Map<string, string>()
  /** Some call to the database failed, so it may know less than the queue. */
  tainted = false
  stop: 'not asked' | 'asked' | 'over' = 'not asked'
  /** Nothing is going on: the queue waits for time, or for a run to end. */
  quiet = true
  readonly #number: number
  readonly #api: DatabaseApi
  /** Runs that had ended when nothing was going on: the queue knows it. */
  #past: ScriptedRun[] = []
  #ids = 0
  #idBreaks = false
  #held = false

  /** Several models can share a database when each has its own number. */
  constructor(number: number, api: DatabaseApi) {
    this.#number = number
    this.#api = api
    this.userIds = Array.from({ length: 9 }, (_, user) => `user ${user} of queue ${number}`)
    this.test = new QueueUnderTest({ slots: SLOTS, settings: SETTINGS, store: api, newId: () => this.#newId() })
  }

  async take({ step, pause }: PausedStep): Promise<void> {
    await this.#do(step, pause === 'settled')
    this.quiet = false
    if (pause === 'turn') await turnOfTheEventLoop()
    if (pause === 'settled') await this.settle()
  }

  async settle(): Promise<void> {
    await this.test.settled()
    this.#past = this.test.pool.runs.filter(({ ended }) => ended)
    this.quiet = !this.#held
  }

  /** Repairs what is broken and lets everything end. */
  async drain(): Promise<void> {
    const { pool, store } = this.test
    this.#idBreaks = false
    pool.runErrors.length = 0
    for (const type of ['release', 'restore'] as const) await this.#do({ type }, false)
    store.mode = 'working'
    await this.settle()
    for (let rounds = 0; pool.live.length > 0; rounds++) {
      expect(rounds).toBeLessThan(20)
      for (const run of pool.live) await this.#end(run, run.cancels > 0 ? 'stop' : 'answer')
      await this.settle()
    }
  }

  /** Sends an ordinary question. */
  ask(userId: string): void {
    this.#send(messageOf(userId, { message: TEXTS.question }), 'accepted')
  }

  askToStop(graceMs: number): void {
    if (this.stop === 'not asked') this.stop = 'asked'
    void this.test.queue.stop(graceMs).then(() => {
      this.stop = 'over'
    })
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
        return this.#late(chosen(this.#past, step.run), step.what)
      case 'cancel':
        return this.#cancel(this.#idOf(step.request % (this.#ids + 2)))
      case 'advance':
        return clock.advance(step.ms)
      case 'crash':
        pool.slots = Math.max(0, pool.slots - step.runs)
        for (const run of pool.live.slice(0, step.runs)) run.lose('its thread crashed')
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
    void this.test.queue
      .addRequest(message, (event) => this.#see(message.userId, event))
      .then((result: AddResult) => {
        sent.outcome = result.accepted ? 'accepted' : result.refusal.code
        if (result.accepted) sent.requestId = result.request.id
      })
  }

  #see(userId: string, event: RequestEvent): void {
    this.observer.see(userId, event)
    if (event.type === 'started' && event.attempt === 1) this.startedAt.set(event.requestId, this.test.clock.now())
  }

  /** What comes of a message that is sent now, while nothing else is going on. */
  #expected({ userId, message, discordMessageId }: NewRequest): string | undefined {
    const { pool } = this.test
    const free = Math.max(0, pool.slots - pool.slotsUsed)
    const active = this.observer.activeOf(userId)
    const known = this.sent.filter(
      (sent) => discordMessageId !== null && sent.requestId && sent.message.discordMessageId === discordMessageId,
    )
    if (this.stop !== 'not asked') return 'QUEUE_STOPPING'
    if (message !== TEXTS.question) return 'REQUEST_INVALID'
    if (active && known.some(({ requestId }) => requestId === active.id)) return 'REQUEST_DUPLICATE'
    if (active) return 'REQUEST_ALREADY_ACTIVE'
    if (this.observer.with('QUEUED').length - free >= MAX_QUEUE_SIZE) return 'QUEUE_FULL'
    if (this.#idBreaks) return 'QUEUE_BUSY'
    if (known.length > 0) return this.tainted ? undefined : 'REQUEST_DUPLICATE'
    return 'accepted'
  }

  async #end(run: ScriptedRun | undefined, how: RunEnd): Promise<void> {
    switch (how) {
      case 'answer':
        return run?.answer(answerOf(run), { stored: await this.#commit(run) })
      case 'loseAfterCommit':
        if (run) await this.#commit(run)
        return run?.lose('its thread crashed')
      case 'lose':
        return run?.lose()
      case 'fail':
        return run?.fail()
      case 'stop':
        return run?.stop()
      case 'reject':
        return run?.reject(new Error('the run broke'))
      default:
        return how satisfies never
    }
  }

  /** Stores a run's turn the way its thread does: on a way of its own to the database. */
  async #commit({ request, attempt }: ScriptedRun): Promise<boolean> {
    if (this.test.store.mode !== 'working') return false
    const answer = answerOf({ request, attempt })
    const result = await this.#api.saveTurn(turnOf(request, { attempt, answer })).catch((error: unknown) => {
      // A message that was told twice while the database was away belongs to two requests: one turn of them is kept.
      if (!this.tainted) throw error
      return 'failed'
    })
    const stored = result === 'stored'
    if (stored) this.committed.set(request.id, answer)
    return stored
  }

  #late(run: ScriptedRun | undefined, what: 'delta' | 'failed' | 'lost'): void {
    if (!run) return
    const { queue } = this.test
    const { id } = run.request
    const failure = { code: 'MODEL_FAILED', message: 'late' } as const
    if (what === 'delta') run.say('late')
    else if (what === 'lost') queue.completeRequest(id, run.attempt, { type: 'lost', reason: 'late' })
    else queue.completeRequest(id, run.attempt, { type: 'failed', failure, database: { ok: 0, failed: 0 } })
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
