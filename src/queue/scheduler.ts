import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type ErrorCode, errorMessage } from '#domain/errors.ts'
import { failureNotice } from '#domain/notices.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { UndeliveredReply } from '#protocol/database.ts'
import type { GateRefusal, QueueEvent, Refusal } from '#protocol/queue.ts'
import type { SchedulesApi } from '#protocol/schedules.ts'
import type { ConversationQueue } from './conversation-queue.ts'

export interface SchedulerOptions {
  readonly store: Pick<SchedulesApi, 'promoteDue' | 'scheduledRequests' | 'denyScheduled'>
  readonly queue: Pick<ConversationQueue, 'active' | 'room' | 'on'>
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

/** How often is tried again what nobody tells the end of. */
const RETRY_MS = 5_000

/** How many become requests in one write, so that it does not keep the database from others. */
const BATCH = 50

/** After these events there may be room in the queue, or somebody may ask again. */
const MAKE_ROOM: ReadonlySet<QueueEvent['type']> = new Set(['started', 'completed', 'failed', 'cancelled'])

/** Refusals that hold for the moment only. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'QUEUE_FULL',
  'QUEUE_BUSY',
  'QUEUE_STOPPING',
  'QUEUE_DRAINING',
  'REQUEST_NOT_STORED',
])

/** Refusals that will be the same the next time. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['ACCESS_DENIED', 'CONVERSATION_CLOSED', 'REQUEST_INVALID'])

/** A request whose time has come, until the queue has it. */
interface Waiting {
  readonly request: ConversationRequest
  /** The tier of its user as the queue has told it with a refusal; which tier somebody has depends on where they ask. */
  tier?: string
  /** It could not be asked for a reason whose end nobody tells: others are tried meanwhile. */
  isHeldBack: boolean
}

/** What follows an offer. */
type Offered = 'over' | 'waits' | 'heldBack'

/**
 * Asks what was scheduled when its time has come.
 *
 * What is due becomes a request in the file first, so that it is asked once whatever happens. From there it is offered to
 * the queue as soon as its user has no other question and there is room for their tier: at once, or when the queue tells
 * of an end. An offer costs look-ups, so what the queue has refused as full is offered again only when it would be taken.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  /** What is in the file as SCHEDULED, oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  /** Users one of whose requests is being offered. */
  readonly #offers = new Set<string>()
  /** Resolves when all that was denied so far is stored, or cannot be. */
  #denied: Promise<unknown> = Promise.resolve()
  #runningSince: number | undefined
  #timer: Timer | undefined
  #retry: Timer | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  /** Something may be in the file that is not known here. */
  #isIncomplete = true
  #isOfferingSoon = false
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
      if (MAKE_ROOM.has(type)) this.#offerSoon()
    })
    this.wake()
  }

  /** Looks for what is due: schedules have changed, or time has passed. */
  wake(): void {
    this.#lookAgain = true
    if (this.#stopped || this.#runningSince === undefined) return
    this.#looking ??= this.#look()
  }

  /**
   * Offers nothing more; resolves when nothing is being stored. What waits goes on in the next process, and so does what
   * is being offered, unless the queue still takes it in: what has to be looked up for it holds up nobody.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#retry?.cancel()
    this.#unsubscribe()
    await this.#looking
    await this.#denied
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    while (this.#lookAgain && !this.#stopped) {
      this.#lookAgain = false
      this.#timer?.cancel()
      this.#wakeIn(await this.#promote())
      this.#offerWaiting()
    }
    // At once: who wakes it from here on must not find it looking.
    this.#looking = undefined
  }

  /** Returns when to look again. */
  async #promote(): Promise<number> {
    const { store, clock, newId, log } = this.#options
    const now = clock.now()
    // When the host's clock was set back, what comes until it is where it was before is not missed.
    const runningSince = Math.min(this.#runningSince ?? now, now)
    this.#runningSince = runningSince
    try {
      if (this.#isIncomplete) this.#keep(await store.scheduledRequests())
      // Should its answer be lost, its requests are in the file all the same.
      this.#isIncomplete = true
      const newIds = Array.from({ length: BATCH }, newId)
      const { fired, nextAt } = await store.promoteDue({ now, runningSince, newIds })
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
    for (const request of requests) {
      if (!this.#waiting.has(request.id)) this.#waiting.set(request.id, { request, isHeldBack: false })
    }
  }

  #wakeIn(ms: number): void {
    if (this.#stopped) return
    // More are due than fit into one write.
    if (ms <= 0) this.#lookAgain = true
    else this.#timer = this.#options.clock.setTimeout(() => this.wake(), Math.min(ms, LONGEST_WAIT_MS))
  }

  /** In the middle of its turn the queue counts a request that has just begun and the slot it is about to take. */
  #offerSoon(): void {
    if (this.#isOfferingSoon) return
    this.#isOfferingSoon = true
    queueMicrotask(() => {
      this.#isOfferingSoon = false
      this.#offerWaiting()
    })
  }

  /** Offers as many as there is room for, one for each user who has no question. */
  #offerWaiting(): void {
    if (this.#stopped || this.#waiting.size === 0) return
    const hasRoom = this.#roomAtTheMoment()
    for (const waiting of this.#waiting.values()) {
      if (!hasRoom()) break
      if (this.#mayBeOffered(waiting) && hasRoom(waiting.tier)) {
        this.#offers.add(waiting.request.userId)
        void this.#offer(waiting)
      }
    }
    this.#lookAgainLater()
  }

  /** Tells whether there is a place for one more of a tier, or of some tier; each offer under way may take one. */
  #roomAtTheMoment(): (tier?: string) => boolean {
    const places = new Map<string | undefined, number>()
    return (tier) => {
      const known = places.get(tier) ?? this.#options.queue.room(tier)
      places.set(tier, known)
      return known > this.#offers.size
    }
  }

  #mayBeOffered({ request: { userId }, isHeldBack }: Waiting): boolean {
    return !isHeldBack && !this.#offers.has(userId) && this.#options.queue.active(userId) === undefined
  }

  /** Never rejects. */
  async #offer(waiting: Waiting): Promise<void> {
    const offered = await this.#ask(waiting)
    const { id, userId } = waiting.request
    this.#offers.delete(userId)
    if (offered === 'over') this.#waiting.delete(id)
    waiting.isHeldBack = offered === 'heldBack'
    this.#offerWaiting()
  }

  /** Never rejects. */
  async #ask(waiting: Waiting): Promise<Offered> {
    const { request } = waiting
    try {
      const refusal = await this.#options.ask(request)
      // A duplicate was forgotten, or taken in, since.
      if (!refusal || refusal.code === 'REQUEST_DUPLICATE') return 'over'
      if (refusal.code === 'REQUEST_ALREADY_ACTIVE') return 'waits'
      if ('tier' in refusal && refusal.tier !== undefined) {
        waiting.tier = refusal.tier
        return 'waits'
      }
      if (this.#stopped || PASSING.has(refusal.code) || ('passing' in refusal && refusal.passing)) return 'heldBack'
      const denial = this.#deny(request, refusal)
      this.#denied = Promise.allSettled([this.#denied, denial]).then(() => undefined)
      await denial
      return 'over'
    } catch (error) {
      const facts = { requestId: request.id, error: errorMessage(error) }
      this.#options.log.warn(facts, 'a scheduled question could not be asked; it is tried again')
      return 'heldBack'
    }
  }

  async #deny(request: ConversationRequest, { code, message }: Refusal | GateRefusal): Promise<void> {
    const { store, clock, log, deliver } = this.#options
    const { id: requestId } = request
    const endSchedule = LASTING.has(code)
    const said = endSchedule ? `${message} This reminder has ended.` : message
    const messages = [failureNotice({ code, message: said }, requestId)]
    log.info({ requestId, code, endSchedule }, 'a scheduled question was denied')
    const denied = { requestId, errorCode: code, finishedAt: clock.now(), messages, endSchedule }
    if ((await store.denyScheduled(denied)) === 'stale') return
    deliver({ request, statusMessageId: null, status: 'CANCELLED', messages })
  }

  /** While something waits: nobody may tell when it can be taken in. */
  #lookAgainLater(): void {
    if (this.#waiting.size === 0) return
    this.#retry ??= this.#options.clock.setTimeout(() => {
      this.#retry = undefined
      for (const waiting of this.#waiting.values()) waiting.isHeldBack = false
      this.#offerWaiting()
    }, RETRY_MS)
  }
}
