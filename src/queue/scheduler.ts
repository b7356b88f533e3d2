import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type ErrorCode, errorMessage } from '#domain/errors.ts'
import { failureNotice } from '#domain/notices.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { UndeliveredReply } from '#protocol/database.ts'
import type { GateRefusal, QueueEvent, Refusal, RequestQueue } from '#protocol/queue.ts'
import type { SchedulesApi } from '#protocol/schedules.ts'

export interface SchedulerOptions {
  readonly store: Pick<SchedulesApi, 'promoteDue' | 'scheduledRequests' | 'denyScheduled'>
  readonly queue: Pick<RequestQueue, 'active' | 'outlook' | 'on'>
  readonly maxQueueSize: number
  readonly clock: Clock
  readonly log: Log
  readonly newId: () => string
  /** Offers a request to the queue as its user would ask it now; undefined when it was taken in. */
  readonly ask: (request: ConversationRequest) => Promise<Refusal | GateRefusal | undefined>
  /** Shows the end of a request that was never taken in. */
  readonly deliver: (reply: UndeliveredReply) => void
}

/** The host's clock may be set, and a timer cannot wait for weeks: it is looked at once in this time. */
const LONGEST_WAIT_MS = 60_000

/** The pause after something went wrong that nobody tells the end of. */
const RETRY_MS = 5_000

/** How many become requests in one write, so that it does not keep the database from others. */
const BATCH = 50

/** After these events there may be room in the queue, or somebody may ask again. */
const MAKE_ROOM: ReadonlySet<QueueEvent['type']> = new Set(['started', 'completed', 'failed', 'cancelled'])

/** Refusals that hold for the moment only. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'REQUEST_ALREADY_ACTIVE',
  'QUEUE_FULL',
  'QUEUE_BUSY',
  'QUEUE_STOPPING',
  'QUEUE_DRAINING',
  'REQUEST_NOT_STORED',
])

/** Refusals that will be the same the next time. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ACCESS_DENIED', 'CONVERSATION_CLOSED', 'REQUEST_INVALID'])

/**
 * Asks what was scheduled when its time has come.
 *
 * What is due becomes a request in the file first, so that it is asked once whatever happens. From there it is offered to
 * the queue as soon as its user has no other question and there is room: at once, or when the queue tells of an end.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  /** What is in the file as SCHEDULED, oldest first. */
  readonly #waiting = new Map<string, ConversationRequest>()
  /** Users one of whose requests is being offered, and the work on it. */
  readonly #offers = new Map<string, Promise<void>>()
  #runningSince: number | undefined
  #timer: Timer | undefined
  #retry: Timer | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  /** Something may be in the file that is not known here. */
  #isIncomplete = true
  #stopped = false
  #unsubscribe: () => void = () => undefined

  constructor(options: SchedulerOptions) {
    this.#options = options
  }

  /** What was due before counts as missed. */
  start(): void {
    const { clock, queue } = this.#options
    this.#runningSince = clock.now()
    this.#unsubscribe = queue.on(({ type }) => {
      if (MAKE_ROOM.has(type)) this.#offerWaiting()
    })
    this.wake()
  }

  /** Looks for what is due: schedules have changed, or time has passed. */
  wake(): void {
    const runningSince = this.#runningSince
    this.#lookAgain = true
    if (this.#stopped || runningSince === undefined) return
    this.#looking ??= this.#look(runningSince).finally(() => {
      this.#looking = undefined
    })
  }

  /** Offers nothing more; resolves when nothing is under way. What waits goes on in the next process. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#retry?.cancel()
    this.#unsubscribe()
    await this.#looking
    await Promise.all(this.#offers.values())
  }

  /** Never rejects. */
  async #look(runningSince: number): Promise<void> {
    while (this.#lookAgain && !this.#stopped) {
      this.#lookAgain = false
      this.#timer?.cancel()
      this.#wakeIn(await this.#promote(runningSince))
      this.#offerWaiting()
    }
  }

  /** Returns when to look again. */
  async #promote(runningSince: number): Promise<number> {
    const { store, clock, newId, log } = this.#options
    try {
      if (this.#isIncomplete) this.#keep(await store.scheduledRequests())
      // Should its answer be lost, its requests are in the file all the same.
      this.#isIncomplete = true
      const newIds = Array.from({ length: BATCH }, newId)
      const { fired, nextAt } = await store.promoteDue({ now: clock.now(), runningSince, newIds })
      this.#isIncomplete = false
      this.#keep(fired)
      if (fired.length > 0) log.info({ due: fired.length }, 'scheduled questions are due')
      return nextAt === null ? LONGEST_WAIT_MS : nextAt - clock.now()
    } catch (error) {
      log.warn({ error: errorMessage(error) }, 'what is due could not be read; it is tried again')
      return RETRY_MS
    }
  }

  #keep(requests: readonly ConversationRequest[]): void {
    for (const request of requests) this.#waiting.set(request.id, request)
  }

  #wakeIn(ms: number): void {
    if (this.#stopped) return
    // More are due than fit into one write.
    if (ms <= 0) this.#lookAgain = true
    else this.#timer = this.#options.clock.setTimeout(() => this.wake(), Math.min(ms, LONGEST_WAIT_MS))
  }

  /** Offers as many as there is room for, one for each user who has no question. */
  #offerWaiting(): void {
    if (this.#stopped || this.#waiting.size === 0) return
    const { queue, maxQueueSize } = this.#options
    let room = maxQueueSize - queue.outlook(1).waiting - this.#offers.size
    for (const request of this.#waiting.values()) {
      if (room <= 0) return
      const { userId } = request
      if (this.#offers.has(userId) || queue.active(userId) !== undefined) continue
      this.#offers.set(userId, this.#offer(request))
      room--
    }
  }

  /** Never rejects. */
  async #offer(request: ConversationRequest): Promise<void> {
    const isOver = await this.#ask(request)
    this.#offers.delete(request.userId)
    if (!isOver) return this.#offerLater()
    this.#waiting.delete(request.id)
    this.#offerWaiting()
  }

  /** Tells whether the request waits no more. */
  async #ask(request: ConversationRequest): Promise<boolean> {
    try {
      const refusal = await this.#options.ask(request)
      // A duplicate was forgotten, or taken in, since.
      if (!refusal || refusal.code === 'REQUEST_DUPLICATE') return true
      if (PASSING.has(refusal.code) || ('passing' in refusal && refusal.passing)) return false
      await this.#deny(request, refusal)
      return true
    } catch (error) {
      const facts = { requestId: request.id, error: errorMessage(error) }
      this.#options.log.warn(facts, 'a scheduled question could not be asked; it is tried again')
      return false
    }
  }

  async #deny(request: ConversationRequest, { code, message }: Refusal | GateRefusal): Promise<void> {
    const { store, clock, log, deliver } = this.#options
    const { id: requestId } = request
    const messages = [failureNotice({ code, message }, requestId)]
    const endSchedule = LASTING.has(code)
    log.info({ requestId, code, endSchedule }, 'a scheduled question was denied')
    const denied = { requestId, errorCode: code, finishedAt: clock.now(), messages, endSchedule }
    if ((await store.denyScheduled(denied)) === 'stale') return
    deliver({ request, statusMessageId: null, status: 'CANCELLED', messages })
  }

  /** Nobody may tell when it can be taken in. */
  #offerLater(): void {
    if (this.#stopped) return
    this.#retry ??= this.#options.clock.setTimeout(() => {
      this.#retry = undefined
      this.#offerWaiting()
    }, RETRY_MS)
  }
}
