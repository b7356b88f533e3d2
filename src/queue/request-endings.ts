import type { TokenUsage } from '#domain/conversation.ts'
import type { ErrorCode } from '#domain/errors.ts'
import type { Failure } from '#domain/failure.ts'
import { CANCELLED, failureNotice } from '#domain/notices.ts'
import { originOf, type TerminalStatus } from '#domain/request.ts'
import type { AssistantOutcome } from '#protocol/assistant.ts'
import type { Turn } from '#protocol/database.ts'
import type { RequestEvent } from '#protocol/queue.ts'
import { timedOut } from './failures.ts'
import { idOf, type QueueCore } from './queue-core.ts'
import type { ActiveRequest, Ending } from './queue-state.ts'

type Answered = Extract<AssistantOutcome, { type: 'answered' }>

/** The part of an answer that the queue hands on. */
export type Answer = Pick<Answered, 'text' | 'parts' | 'files' | 'stopReason' | 'trimmedMessages' | 'stored' | 'usage'>

/** The ways in which an active request leaves the queue; each one frees its user. */
export class RequestEndings {
  readonly #core: QueueCore

  constructor(core: QueueCore) {
    this.#core = core
  }

  /** Its worker brings the answer, and has stored it with the turn if the database could be reached. */
  answered(active: ActiveRequest, outcome: Answered): void {
    const { journal, options } = this.#core
    if (outcome.stored) journal.isStored(active.requestId)
    else journal.answered(turnOf(active, outcome, options.clock.now()))
    this.succeed(active, outcome)
  }

  /** Its worker has stored the end of an answered request together with the turn. */
  succeed(active: ActiveRequest, answered: Answer): void {
    const { text: answer, parts, files, stopReason, trimmedMessages, stored, usage } = answered
    this.#core.counters.trimmedMessages += trimmedMessages
    const told = { answer, parts, ...(files && { files }), stopReason, trimmedMessages, stored }
    this.#end(active, 'COMPLETED', { type: 'completed', ...told, ...idOf(active) }, usage)
  }

  fail(active: ActiveRequest, failure: Failure): void {
    const { options } = this.#core
    options.log.warn({ ...idOf(active), code: failure.code, detail: failure.detail }, 'a request failed')
    this.#journal(active, 'FAILED', failure.code, failureNotice(failure, active.requestId))
    this.#end(active, 'FAILED', { type: 'failed', failure, ...idOf(active) })
  }

  /** Ends a request before its time. */
  early(active: ActiveRequest, ending: Ending): void {
    switch (ending) {
      case 'timeout':
        return this.fail(active, timedOut(this.#core.options.settings.requestTimeoutMs))
      case 'suspend':
        this.leave(active)
        return this.#core.events.tell(active, { type: 'suspended', ...idOf(active) })
      case 'user':
      case 'shutdown':
        this.#journal(active, 'CANCELLED', EARLY_CODES[ending], CANCELLED[ending])
        return this.#end(active, 'CANCELLED', { type: 'cancelled', reason: ending, ...idOf(active) })
      default:
        ending satisfies never
    }
  }

  /** Leaves a request to the next process, which finds it QUEUED in the file. */
  leave(active: ActiveRequest): void {
    this.#stopTimers(active)
    this.#core.state.withdraw(active)
    for (const listener of active.attached.onEnd) listener(undefined)
  }

  #journal(active: ActiveRequest, status: 'FAILED' | 'CANCELLED', errorCode: ErrorCode, notice: string): void {
    const { options, journal } = this.#core
    const { request, requestId, attempt } = active
    const messages = originOf(request) === 'discord' ? [notice] : []
    journal.ended({ requestId, attempt, status, errorCode, finishedAt: options.clock.now(), messages })
  }

  #end(active: ActiveRequest, status: TerminalStatus, event: RequestEvent, usage: TokenUsage | null = null): void {
    const { options, state, untold, counters, events } = this.#core
    const { acceptedAt, startedAt, attached } = active
    this.#stopTimers(active)
    untold.delete(active)
    if (active.status === 'QUEUED') events.positionsChanged()
    state.end(active, status, usage)
    counters.ended(status, { acceptedAt, startedAt, endedAt: options.clock.now() })
    events.tell(active, event)
    for (const listener of attached.onEnd) listener(status)
  }

  #stopTimers({ attached }: ActiveRequest): void {
    attached.deadline?.cancel()
    attached.retry?.cancel()
  }
}

const EARLY_CODES = { user: 'REQUEST_CANCELLED', shutdown: 'REQUEST_INTERRUPTED' } as const

/** An answer that its worker could not store; by the time it is stored it has been shown. */
function turnOf({ request, attempt }: ActiveRequest, outcome: Answered, answeredAt: number): Turn {
  const { text: answer, model, usage } = outcome
  return { request, attempt, answer, model, usage, answeredAt, messages: [] }
}
