import type { Timer } from '#actors/clock.ts'
import { crashPoint } from '#actors/crash-point.ts'
import { errorMessage } from '#domain/errors.ts'
import { type ModelSign, signOfFailure } from '#domain/model-sign.ts'
import type { AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AssistantRun } from '#protocol/pool.ts'
import type { HeldUp } from '#protocol/queue.ts'
import type { QueueCore } from './queue-core.ts'
import { type ActiveRequest, type EndListener, stopDeadline } from './queue-state.ts'

/** Hands requests to the pool and passes on what their executions tell. */
export class RequestRuns {
  readonly #core: QueueCore
  #heldUp: HeldUp | undefined
  /** Runs until something may begin again by itself. */
  #wake: Timer | undefined

  constructor(core: QueueCore) {
    this.#core = core
  }

  /** Starts as many of those in line as there are free places. */
  dispatch(): void {
    const { options, state, events, gate } = this.#core
    while (options.pool.slotsUsed < options.pool.slots && gate.mayBegin()) {
      const active = state.startNext(options.clock.now(), { isTry: gate.isModelSilent })
      if (!active) break
      events.positionsChanged()
      this.#start(active)
    }
    this.#lookAtGate()
    this.#wakeLater()
  }

  /** Those in line are told why nothing goes on, and that it does. Their time stands still meanwhile. */
  #lookAtGate(): void {
    const { state, events, gate } = this.#core
    if (gate.heldUp === this.#heldUp) return
    this.#heldUp = gate.heldUp
    events.positionsChanged()
    if (gate.heldUp === undefined) return
    for (const active of state.active) if (active.status === 'QUEUED') stopDeadline(active)
  }

  #wakeLater(): void {
    const { options, state, gate, deliver } = this.#core
    this.#wake?.cancel()
    const waitMs = state.waiting > 0 ? gate.opensInMs : undefined
    if (waitMs === undefined) this.#wake = undefined
    else this.#wake = options.clock.setTimeout(() => deliver({ type: 'dispatch' }), waitMs)
  }

  progress(requestId: string, attempt: number, event: AssistantEvent): void {
    const { options, events } = this.#core
    const active = this.atWork(requestId, attempt)
    if (!active) return
    switch (event.type) {
      case 'delta':
        active.attached.call?.alive()
        return events.tell(active, { ...event, requestId, attempt })
      case 'reasoning':
        active.attached.call?.alive()
        return events.tell(active, { type: 'thinking', requestId, attempt })
      case 'modelRetry':
        if (event.busy) active.attached.call?.busy(event.busy.retryAfterMs)
        return options.log.warn({ requestId, attempt, call: event.call }, 'the model is called again')
      default:
        return event satisfies never
    }
  }

  cancel(active: ActiveRequest): void {
    this.#ask(active, (run) => run.cancel())
  }

  /** Should there be nothing to keep after all, or the thread be lost meanwhile, the request ends as its user's cancel. */
  stopAndKeep(requestId: string, answer: EndListener): void {
    const active = this.#core.state.byId(requestId)
    if (active?.status !== 'PROCESSING' || active.storing) return answer(undefined)
    active.attached.onEnd.push(answer)
    active.ending ??= 'user'
    this.#ask(active, (run) => run.stopAndKeep())
  }

  #ask({ requestId, attached }: ActiveRequest, command: (run: AssistantRun) => void): void {
    try {
      if (attached.run) command(attached.run)
    } catch (error) {
      this.#core.options.log.error({ requestId, error: errorMessage(error) }, 'a run could not be asked to stop')
    }
  }

  /** The request, if this attempt of it is the one at work; what comes from another is late and counted. */
  atWork(requestId: string, attempt: number): ActiveRequest | undefined {
    const active = this.#core.state.byId(requestId)
    if (active?.status === 'PROCESSING' && active.attempt === attempt && !active.storing) return active
    this.#core.counters.lateEvents++
    return undefined
  }

  #start(active: ActiveRequest): void {
    const { options, journal, events, gate, deliver } = this.#core
    const { clock, settings } = options
    const { requestId, attempt } = active
    active.attached.deadline ??= clock.setTimeout(
      () => deliver({ type: 'deadline', requestId }),
      settings.requestTimeoutMs,
    )
    journal.started(requestId, attempt, clock.now(), this.#core.state.virtualTime)
    events.tell(active, { type: 'started', requestId, attempt })
    const call = gate.begin()
    active.attached.call = call
    void this.#run(active).then(async (outcome) => {
      const retryAfterMs = outcome.type === 'failed' ? outcome.failure.retryAfterMs : undefined
      await call.end(signOf(outcome, active), retryAfterMs)
      deliver({ type: 'complete', requestId, attempt, outcome })
    })
  }

  /** A request that the pool does not take counts as one whose thread was lost. */
  async #run({ request, attached, requestId, attempt }: ActiveRequest): Promise<AssistantOutcome> {
    const onEvent = (event: AssistantEvent) => this.#core.deliver({ type: 'progress', requestId, attempt, event })
    try {
      crashPoint('dispatch.before')
      attached.run = this.#core.options.pool.run(request, attempt, onEvent)
      crashPoint('dispatch.after')
      return await attached.run.outcome
    } catch (error) {
      return { type: 'lost', reason: errorMessage(error) }
    }
  }
}

/** What the end of an execution says about the model's server, unless a word of the answer has said it before. */
function signOf(outcome: AssistantOutcome, { ending }: ActiveRequest): ModelSign {
  switch (outcome.type) {
    case 'answered':
      return 'alive'
    case 'failed':
      return signOfFailure(outcome.failure)
    case 'cancelled':
      return ending === 'timeout' ? 'dead' : 'unknown'
    case 'lost':
      return 'unknown'
    default:
      return outcome satisfies never
  }
}
