import { isTerminal, mayFollow, type RequestStatus } from '#domain/request.ts'
import type { RecoveredRequest } from '#protocol/database.ts'
import type { RequestEvent } from '#protocol/queue.ts'

/** `SUSPENDED`: left to the next life of the queue; `LOST`: it was in no file when a life of the queue ended. */
type ObservedStatus = RequestStatus | 'SUSPENDED' | 'LOST'

/** A request as far as the queue has told of it. */
interface ObservedRequest {
  readonly id: string
  readonly userId: string
  /** Smaller was admitted earlier. */
  admission: number
  status: ObservedStatus
  attempt: number
  /** It may wait although the queue is full: it came from an earlier life, or was at work before. */
  isExtra: boolean
  /** Its life goes on, and that has yet to be told. */
  isUntold: boolean
  /** Before this instant it is in no line. */
  dueAt: number
  answer: string | undefined
  completions: number
}

/** What some events do to the number of executions that have begun. */
const ATTEMPTS_BY: Partial<Record<RequestEvent['type'], number>> = { started: 1, heldUp: -1 }

/** Restored requests were admitted before all others. */
const BEFORE_ALL = -1_000_000

/**
 * Follows what a queue tells, and notes everything that breaks one of its promises: one active request per user,
 * status along the arrows, attempts one by one, one end, and of those in line the earliest admitted first.
 */
export class QueueObserver {
  readonly problems: string[] = []
  readonly requests = new Map<string, ObservedRequest>()
  readonly #maxAttempts: number

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts
  }

  with(status: ObservedStatus): ObservedRequest[] {
    return [...this.requests.values()].filter((request) => request.status === status)
  }

  /** Those that a free slot takes, in their order. */
  line(now: number): ObservedRequest[] {
    const inLine = this.with('QUEUED').filter(({ dueAt }) => dueAt <= now)
    return inLine.toSorted((a, b) => a.admission - b.admission)
  }

  activeOf(userId: string): ObservedRequest | undefined {
    return [...this.requests.values()].find((request) => request.userId === userId && isActive(request))
  }

  /**
   * Takes the next event of a user's request; ids are expected to count admissions, as in `r12`. `now` is the time, and
   * `pauseMs` what a request that is now told of as retried has to wait.
   */
  see(userId: string, event: RequestEvent, now: number, pauseMs: number): void {
    const request = this.requests.get(event.requestId)
    if (!request) return this.#begin(userId, event)
    this.#follow(request, event, now)
    if (event.type === 'retrying' && pauseMs > 0) request.dueAt = now + pauseMs
  }

  /** The queue stopped before it told of these. */
  leaveUntold(): void {
    for (const request of this.with('QUEUED')) if (request.isUntold) request.status = 'SUSPENDED'
  }

  /**
   * The queue has ended and another one goes on with what the file holds. With `strict` nothing was under way and
   * the file knew everything.
   */
  restart(
    recovered: readonly RecoveredRequest[],
    statusOf: (id: string) => RequestStatus | undefined,
    strict: boolean,
  ) {
    const goesOn = new Set(recovered.map(({ request }) => request.id))
    for (const request of this.requests.values()) {
      if (goesOn.has(request.id) || !isKept(request)) continue
      const status = statusOf(request.id)
      // It can have ended in the file without a word, but only when something was under way.
      if (strict) this.problems.push(`${request.id} was ${request.status} and is ${status}`)
      if (request.status === 'SUSPENDED' && (status === undefined || !isTerminal(status))) {
        this.problems.push(`${request.id} was suspended and is ${status}`)
      }
      request.status = status ?? 'LOST'
      if (status === 'COMPLETED') request.completions += 1
    }
    for (const [index, left] of recovered.entries()) this.#restore(left, BEFORE_ALL + index, strict)
  }

  #restore({ request: { id, userId }, attempt }: RecoveredRequest, admission: number, strict: boolean): void {
    const known = this.requests.get(id)
    if (strict && (!known || !isKept(known) || !mayGoOn(known, attempt))) {
      this.problems.push(`${id}, ${known?.status}, attempt ${known?.attempt}, goes on with attempt ${attempt}`)
    }
    if (known && attempt > known.attempt + 1) this.problems.push(`${id} goes on with attempt ${attempt} that never was`)
    const { answer, completions } = known ?? { answer: undefined, completions: 0 }
    const place = { admission, status: 'QUEUED', attempt, isExtra: true, isUntold: true, dueAt: 0 } as const
    this.requests.set(id, { id, userId, answer, completions, ...place })
  }

  #begin(userId: string, event: RequestEvent): void {
    const { requestId: id, attempt } = event
    if (event.type !== 'queued' || attempt !== 0 || event.restored)
      this.#note(event, 'is the first event of its request')
    if (this.activeOf(userId)) this.#note(event, `makes a second active request of ${userId}`)
    const place = { admission: Number(id.slice(1)), attempt, isExtra: false, isUntold: false, dueAt: 0 }
    this.requests.set(id, { id, userId, ...place, status: 'QUEUED', answer: undefined, completions: 0 })
  }

  #follow(request: ObservedRequest, event: RequestEvent, now: number): void {
    const attempt = request.attempt + (ATTEMPTS_BY[event.type] ?? 0)
    if (event.attempt !== attempt) this.#note(event, `is not of attempt ${attempt}`)
    if (request.isUntold !== (event.type === 'queued' && event.restored)) this.#note(event, 'is told out of turn')
    request.isUntold = false
    switch (event.type) {
      case 'queued':
        if (request.status !== 'QUEUED') this.#note(event, `comes while the request is ${request.status}`)
        return
      case 'started':
        request.attempt = event.attempt
        return this.#start(request, event, now)
      case 'heldUp':
        request.attempt -= 1
        request.isExtra = true
        return this.#move(request, 'QUEUED', event)
      case 'thinking':
      case 'delta':
        if (request.status !== 'PROCESSING') this.#note(event, `comes while the request is ${request.status}`)
        return
      case 'retrying':
        request.isExtra = true
        if (event.nextAttempt !== attempt + 1) this.#note(event, `announces attempt ${event.nextAttempt}`)
        if (attempt >= this.#maxAttempts) this.#note(event, 'announces an attempt too many')
        return this.#move(request, 'QUEUED', event)
      case 'completed':
        request.answer = event.answer
        request.completions += 1
        return this.#move(request, 'COMPLETED', event)
      case 'failed':
        return this.#move(request, 'FAILED', event)
      case 'cancelled':
        return this.#move(request, 'CANCELLED', event)
      case 'suspended':
        if (!isActive(request)) this.#note(event, `comes while the request is ${request.status}`)
        request.status = 'SUSPENDED'
        return
      default:
        return event satisfies never
    }
  }

  #start(request: ObservedRequest, event: RequestEvent, now: number): void {
    this.#move(request, 'PROCESSING', event)
    // Of several whose pauses end at one instant, each comes back in a moment of its own.
    const first = this.line(now).find(({ dueAt }) => dueAt !== now)
    if (first && first.admission < request.admission) this.#note(event, `begins before ${first.id}`)
    if (request.dueAt > now) this.#note(event, 'begins before its pause is over')
  }

  #move(request: ObservedRequest, to: RequestStatus, event: RequestEvent): void {
    const { status: from } = request
    if (from === 'SUSPENDED' || from === 'LOST' || !mayFollow(from, to)) {
      this.#note(event, `moves the request from ${from} to ${to}`)
    }
    request.status = to
  }

  #note({ type, requestId, attempt }: RequestEvent, problem: string): void {
    this.problems.push(`${type} of ${requestId}, attempt ${attempt}, ${problem}`)
  }
}

/** Of the queue as it lives now. */
function isActive({ status }: ObservedRequest): boolean {
  return status === 'QUEUED' || status === 'PROCESSING'
}

function isKept(request: ObservedRequest): boolean {
  return isActive(request) || request.status === 'SUSPENDED'
}

/** An execution that only the stop of the queue has ended is not counted. */
function mayGoOn({ status, attempt }: ObservedRequest, restored: number): boolean {
  return restored === attempt || (status === 'SUSPENDED' && restored === attempt - 1)
}
