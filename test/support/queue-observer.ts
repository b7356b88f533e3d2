import { isTerminal, mayFollow, type RequestStatus } from '#domain/request.ts'
import type { RequestEvent } from '#protocol/queue.ts'

/** A request as far as the queue has told of it. */
interface ObservedRequest {
  readonly id: string
  readonly userId: string
  /** Smaller was admitted earlier. */
  readonly admission: number
  status: RequestStatus
  attempt: number
  /** It went back into line after its thread was lost. */
  retried: boolean
  answer: string | undefined
}

/**
 * Follows what a queue tells, and notes everything that breaks one of its promises: one active request per user,
 * status along the arrows, attempts one by one, one end, and of those in line the earliest admitted first.
 */
export class QueueObserver {
  readonly problems: string[] = []
  readonly requests = new Map<string, ObservedRequest>()

  with(status: RequestStatus): ObservedRequest[] {
    return [...this.requests.values()].filter((request) => request.status === status)
  }

  activeOf(userId: string): ObservedRequest | undefined {
    return [...this.requests.values()].find((request) => request.userId === userId && !isTerminal(request.status))
  }

  /** Takes the next event of a user's request; ids are expected to count admissions, as in `r12`. */
  see(userId: string, event: RequestEvent): void {
    const request = this.requests.get(event.requestId)
    if (request) this.#follow(request, event)
    else this.#begin(userId, event)
  }

  #begin(userId: string, event: RequestEvent): void {
    const { requestId: id, attempt } = event
    if (event.type !== 'queued' || attempt !== 0) this.#note(event, 'is the first event of its request')
    if (this.activeOf(userId)) this.#note(event, `makes a second active request of ${userId}`)
    const request = { id, userId, admission: Number(id.slice(1)), attempt, retried: false, answer: undefined }
    this.requests.set(id, { ...request, status: 'QUEUED' })
  }

  #follow(request: ObservedRequest, event: RequestEvent): void {
    const attempt = event.type === 'started' ? request.attempt + 1 : request.attempt
    if (event.attempt !== attempt) this.#note(event, `is not of attempt ${attempt}`)
    switch (event.type) {
      case 'queued':
        request.retried = true
        return this.#move(request, 'QUEUED', event)
      case 'started':
        request.attempt = event.attempt
        return this.#start(request, event)
      case 'thinking':
      case 'delta':
        if (request.status !== 'PROCESSING') this.#note(event, `comes while the request is ${request.status}`)
        return
      case 'completed':
        request.answer = event.answer
        return this.#move(request, 'COMPLETED', event)
      case 'failed':
        return this.#move(request, 'FAILED', event)
      case 'cancelled':
        return this.#move(request, 'CANCELLED', event)
      default:
        return event satisfies never
    }
  }

  #start(request: ObservedRequest, event: RequestEvent): void {
    this.#move(request, 'PROCESSING', event)
    const earlier = this.with('QUEUED').find(({ admission }) => admission < request.admission)
    if (earlier) this.#note(event, `begins before ${earlier.id}`)
  }

  #move(request: ObservedRequest, to: RequestStatus, event: RequestEvent): void {
    if (!mayFollow(request.status, to)) this.#note(event, `moves the request from ${request.status} to ${to}`)
    request.status = to
  }

  #note({ type, requestId, attempt }: RequestEvent, problem: string): void {
    this.problems.push(`${type} of ${requestId}, attempt ${attempt}, ${problem}`)
  }
}
