import type { Failure } from '#domain/failure.ts'
import { signOfFailure } from '#domain/model-sign.ts'
import { retryDelayMs } from '#domain/retry.ts'
import { splitMessage } from '#domain/split-message.ts'
import type { RequeueResult } from '#protocol/database.ts'
import { THREAD_LOST } from './failures.ts'
import { idOf, type QueueCore } from './queue-core.ts'
import { type ActiveRequest, stopDeadline } from './queue-state.ts'
import type { RequestEndings } from './request-endings.ts'

/** What follows an execution that brought nothing: another one, or the end. */
export class RequestRetries {
  readonly #core: QueueCore
  readonly #endings: RequestEndings

  constructor(core: QueueCore, endings: RequestEndings) {
    this.#core = core
    this.#endings = endings
  }

  /** Its worker tells why there is no answer. */
  failed(active: ActiveRequest, failure: Failure): void {
    const isSuspended = active.ending === 'suspend'
    if ((!active.ending || isSuspended) && this.#isHeldUp(failure)) {
      return this.#putBack(active, failure, { counted: false, heldUp: true })
    }
    const isKept = isSuspended && failure.retryable === true
    if (!isKept && (active.ending || this.#delayMs(active, failure) === undefined)) {
      return this.#endings.fail(active, failure)
    }
    this.#putBack(active, failure)
  }

  /** Its worker is gone, and may have committed the answer before. */
  lost(active: ActiveRequest, reason: string): void {
    this.#core.options.log.warn({ ...idOf(active), reason }, 'a request lost its thread')
    this.#putBack(active, THREAD_LOST)
  }

  /** Its worker has stopped because the process does, which is no attempt that failed. */
  suspended(active: ActiveRequest): void {
    this.#putBack(active, THREAD_LOST, { counted: false, heldUp: false })
  }

  #putBack(active: ActiveRequest, failure: Failure, { counted, heldUp } = { counted: true, heldUp: false }): void {
    const { journal, deliver } = this.#core
    const { requestId, attempt } = active
    active.storing = true
    void journal
      .requeued(requestId, attempt, counted)
      .then((result) => deliver({ type: 'requeued', active, result, failure, heldUp }))
  }

  /** The file says that it waits again, or that it had been answered all the same: then that answer is the answer. */
  requeued(active: ActiveRequest, result: RequeueResult, failure: Failure, heldUp: boolean): void {
    active.storing = false
    if (result.type === 'answered') {
      const { answer: text, messages: parts = splitMessage(text), files, usage } = result
      return this.#endings.succeed(active, { text, parts, ...(files && { files }), usage, ...NOTHING_TO_NOTE })
    }
    if (active.ending) return this.#endings.early(active, active.ending)
    if (heldUp) return this.#holdUp(active)
    const delayMs = this.#delayMs(active, failure)
    if (delayMs === undefined) return this.#endings.fail(active, failure)
    this.#tryAgain(active, delayMs)
  }

  /** While the model's server is silent, what it does to one execution is no fault of the request. */
  #isHeldUp(failure: Failure): boolean {
    return this.#core.gate.isModelSilent && signOfFailure(failure) === 'dead'
  }

  #holdUp(active: ActiveRequest): void {
    const { state, events } = this.#core
    stopDeadline(active)
    state.undo(active)
    events.tell(active, { type: 'heldUp', ...idOf(active) })
    this.#enqueue(active)
  }

  #tryAgain(active: ActiveRequest, delayMs: number): void {
    const { options, state, counters, events, deliver } = this.#core
    const { maxAttempts } = options.settings
    counters.totalRetried++
    state.putBack(active)
    events.tell(active, { type: 'retrying', nextAttempt: active.attempt + 1, maxAttempts, ...idOf(active) })
    if (delayMs === 0) return this.#enqueue(active)
    active.attached.retry = options.clock.setTimeout(() => deliver({ type: 'retryDue', active }), delayMs)
  }

  /** The pause before its next try is over. */
  due(active: ActiveRequest): void {
    if (this.#core.state.byId(active.requestId) === active && active.status === 'QUEUED') this.#enqueue(active)
  }

  #enqueue(active: ActiveRequest): void {
    if (this.#core.gate.heldUp) stopDeadline(active)
    this.#core.state.enqueue(active)
    this.#core.events.positionsChanged()
  }

  /** A thread that was lost is no reason to wait: there are others. */
  #delayMs({ attempt, startedAt }: ActiveRequest, failure: Failure): number | undefined {
    const { settings, clock, random = Math.random } = this.#core.options
    const { maxAttempts, retryBackoffMs, requestTimeoutMs } = settings
    const nowMs = clock.now()
    return retryDelayMs({
      retryable: failure.retryable === true,
      attempt,
      maxAttempts,
      backoffMs: failure === THREAD_LOST ? 0 : retryBackoffMs,
      remainingMs: (startedAt ?? nowMs) + requestTimeoutMs - nowMs,
      random: random(),
    })
  }
}

/** What is not known any more about an answer whose worker was lost. */
const NOTHING_TO_NOTE = { stopReason: 'end', trimmedMessages: 0, stored: true } as const
