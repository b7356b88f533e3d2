import type { Timer } from '#actors/clock.ts'
import type { TokenUsage } from '#domain/conversation.ts'
import { type Claim, chargedTokens, type FairShares, type FairState } from '#domain/fair-shares.ts'
import type { FairWaiting, Order } from '#domain/order.ts'
import { type ConversationRequest, mayFollow, type RequestStatus, type TerminalStatus } from '#domain/request.ts'
import type { AssistantRun } from '#protocol/pool.ts'
import type { CancelReason, RequestEvent } from '#protocol/queue.ts'
import type { GateCall } from './dispatch-gate.ts'

/** Told how a request ended; undefined when there was none to end. */
export type EndListener = (status: TerminalStatus | undefined) => void

/** Why an active request is to stop before its time; `suspend`: only for this process. */
export type Ending = CancelReason | 'timeout' | 'suspend'

/** What the queue has to reach while a request is active; `QueueState` does not look at it. */
interface Attached {
  /** Told every event of the request. */
  readonly listener: (event: RequestEvent) => void
  /** Told how it ended. */
  readonly onEnd: EndListener[]
  run?: AssistantRun
  /** What the gate is told of its execution. */
  call?: GateCall
  deadline?: Timer
  /** Runs while it waits for its next try. */
  retry?: Timer
}

/** How a request enters the state. */
export interface Admitted {
  readonly request: ConversationRequest
  readonly listener: (event: RequestEvent) => void
  /** How many executions an earlier process began. */
  readonly attempt?: number
}

/** A request from its admission to its end. */
export interface ActiveRequest extends FairWaiting {
  request: ConversationRequest
  readonly attached: Attached
  readonly acceptedAt: number
  status: RequestStatus
  /** How many executions have begun. */
  attempt: number
  /** How often it was to find out whether a silent model answers. */
  tries: number
  /** True while the database is asked about it: it is then neither in line nor at work. */
  storing: boolean
  /** True once its row is in the file. */
  stored: boolean
  /** When its first execution began. */
  startedAt: number | undefined
  /** Set once it is to end; the first reason stands. */
  ending: Ending | undefined
}

/** Takes the time off a request that waits; it gets all of it again when it runs next. */
export function stopDeadline(active: ActiveRequest): void {
  active.attached.deadline?.cancel()
  delete active.attached.deadline
  active.startedAt = undefined
}

/**
 * The queue's whole state: who is active, who waits, in which order.
 *
 * Pure bookkeeping: nothing here waits, calls out or reads a clock. `#move` is the only place where
 * a status changes, `end` the only way out, so a user's place cannot stay taken.
 */
export class QueueState {
  readonly #byId = new Map<string, ActiveRequest>()
  readonly #byUser = new Map<string, ActiveRequest>()
  readonly #order: Order<ActiveRequest>
  readonly #shares: FairShares
  #admissions = 0
  #running = 0

  constructor(order: Order<ActiveRequest>, shares: FairShares) {
    this.#order = order
    this.#shares = shares
  }

  /** Requests that wait, being stored included. */
  get waiting(): number {
    return this.#byId.size - this.#running
  }

  get running(): number {
    return this.#running
  }

  get active(): Iterable<ActiveRequest> {
    return this.#byId.values()
  }

  byId(requestId: string): ActiveRequest | undefined {
    return this.#byId.get(requestId)
  }

  byUser(userId: string): ActiveRequest | undefined {
    return this.#byUser.get(userId)
  }

  /** What a message of a user is admitted with. */
  claim(userId: string, tier: Pick<Claim, 'tier' | 'shareWeight'>, costEstimate: number): Claim {
    return { ...tier, costEstimate, ...this.#shares.claim(userId, costEstimate, tier.shareWeight) }
  }

  /** Goes on with what an earlier process has counted; to be called before anything is claimed. */
  restoreShares(state: FairState): void {
    this.#shares.restore(state)
  }

  /** Virtual time of the fair order, which moves with what is started. */
  get virtualTime(): number {
    return this.#shares.virtualTime
  }

  /** How many wait, by tier. */
  waitingByTier(): ReadonlyMap<string, number> {
    const waiting = new Map<string, number>()
    for (const { status, request } of this.active) {
      if (status === 'QUEUED') waiting.set(request.tier, (waiting.get(request.tier) ?? 0) + 1)
    }
    return waiting
  }

  /** Puts first who has waited too long; tells whether there were any. */
  advance(now: number): boolean {
    return this.#order.advance?.(now) ?? false
  }

  /** Admits a request: it holds its user's place and one of the queue's, and is being stored. */
  admit({ request, listener, attempt = 0 }: Admitted): ActiveRequest {
    if (this.#byUser.has(request.userId)) throw new Error('expected a user without an active request')
    if (this.#byId.has(request.id)) throw new Error('expected an id that no active request has')
    const active: ActiveRequest = {
      request,
      attached: { listener, onEnd: [] },
      requestId: request.id,
      admission: this.#admissions++,
      share: request,
      acceptedAt: request.timestamp,
      status: 'QUEUED',
      attempt,
      tries: 0,
      storing: true,
      stored: false,
      startedAt: undefined,
      ending: undefined,
    }
    this.#byId.set(request.id, active)
    this.#byUser.set(request.userId, active)
    return active
  }

  /** Puts a stored request in line. */
  enqueue(active: ActiveRequest): void {
    active.storing = false
    this.#order.add(active)
  }

  /** Takes a request from the line while the database is asked about it; `enqueue` puts it back where it was. */
  hold(active: ActiveRequest): void {
    this.#order.remove(active)
    active.storing = true
  }

  /** Starts the request whose turn it is; when it is to find out whether the model answers, see `#nextTry`. */
  startNext(now: number, { isTry = false } = {}): ActiveRequest | undefined {
    const active = isTry ? this.#nextTry(now) : this.#order.next(now)
    if (!active) return undefined
    this.#move(active, 'PROCESSING')
    if (isTry) active.tries++
    active.attempt++
    active.startedAt ??= now
    return active
  }

  /** The first of those that have been the try least often: there may be no answer because of the question itself. */
  #nextTry(now: number): ActiveRequest | undefined {
    let least: ActiveRequest | undefined
    for (const active of this.#order) if (!least || active.tries < least.tries) least = active
    if (!least || this.#order.position(least) === 1) return this.#order.next(now)
    this.#order.remove(least)
    return least
  }

  /** Takes a request from work; it waits again, but is in line only after `enqueue`, where it was. */
  putBack(active: ActiveRequest): void {
    active.storing = false
    this.#move(active, 'QUEUED')
  }

  /** Takes a request from work as if this execution had never begun. */
  undo(active: ActiveRequest): void {
    this.putBack(active)
    active.attempt--
    active.startedAt = undefined
  }

  /** Ends a request and frees its user. @param usage what the model has counted; null when it told none. */
  end(active: ActiveRequest, status: TerminalStatus, usage: TokenUsage | null = null): void {
    this.#settle(active, usage)
    if (active.status === 'QUEUED' && !active.storing) this.#order.remove(active)
    this.#move(active, status)
    this.#byId.delete(active.requestId)
    this.#byUser.delete(active.request.userId)
  }

  /** Forgets a request without an end: it is one already known, or another process will go on with it. */
  withdraw(active: ActiveRequest): void {
    if (active.status === 'PROCESSING') this.#running--
    else this.#order.remove(active)
    this.#settle(active, null)
    this.#byId.delete(active.requestId)
    this.#byUser.delete(active.request.userId)
  }

  #settle({ request, attempt }: ActiveRequest, usage: TokenUsage | null): void {
    this.#shares.settle(request.userId, request, chargedTokens(request, { hasRun: attempt > 0, usage }))
  }

  isInLine(active: ActiveRequest): boolean {
    return this.#order.position(active) !== undefined
  }

  /** 1 is next, 0 is running; one that is being stored counts as last. */
  position(active: ActiveRequest): number {
    if (active.status === 'PROCESSING') return 0
    return this.#order.position(active) ?? this.#order.size + 1
  }

  #move(active: ActiveRequest, to: RequestStatus): void {
    const { status: from } = active
    if (!mayFollow(from, to)) throw new Error(`expected a move along the arrows, got ${from} to ${to}`)
    if (from === 'PROCESSING') this.#running--
    if (to === 'PROCESSING') this.#running++
    active.status = to
  }
}
