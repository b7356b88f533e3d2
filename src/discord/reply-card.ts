import type { Timer } from '#actors/clock.ts'
import { crashPoint } from '#actors/crash-point.ts'
import { type CardState, isEnd, isFinal, refusedEnd, urgencyOf } from './card-state.ts'
import { CardSteps, type Step, type StepOptions } from './card-steps.ts'
import type { Need, Turn, Turns } from './delivery.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import type { Lane } from './lane.ts'

export interface CardOptions extends StepOptions {
  /** Says when the next call may be made. */
  readonly turns: Turns
  /** What is shown first is shown anew: see `show`. */
  readonly anew?: boolean
  /** Told once all of the end stands on Discord. */
  readonly onDelivered: (messageIds: readonly string[]) => void
  /** Told at the end of the request when Discord will never take it. */
  readonly onUndeliverable: (reason: string) => void
  /** Told when the card gives up. */
  readonly onFailed: (reason: string) => void
}

/** A call, what was to be seen when it was made, and when that was. */
interface TakenStep {
  readonly step: Step
  readonly state: CardState
  readonly startedAt: number
}

const FIRST_BACKOFF_MS = 1_000
const LONGEST_BACKOFF_MS = 30_000

/** Tries for one change before the card gives up, or for an end tries but seldom: about a quarter of an hour. */
const MAX_TRIES = 34

const SELDOM_MS = 5 * 60_000

/**
 * The messages that answer one question: placeholder, answer as it grows, answer.
 *
 * The card knows what should be seen (`show`) and what Discord has, and works off the difference
 * one call at a time (`CardSteps`), so that there is never more than one under way. It asks for a turn
 * for each, and what the call says is decided when the turn comes: what was overtaken while waiting is
 * never sent.
 */
export class ReplyCard {
  readonly #options: CardOptions
  readonly #steps: CardSteps
  #state: CardState
  #working = false
  #ended = false
  /** Gave up before the end, for which it will try once more. */
  #paused = false
  /** Why Discord does not take the end, of which a notice is shown instead. */
  #refusal: string | undefined
  #tries = 0
  /** Waits to change a message once more, or after a failure to try again. */
  #timer: Timer | undefined
  #isPacing = false
  readonly #turn: Turn = { take: (lane) => this.#takeTurn(lane) }
  #resolveDone: () => void = () => undefined
  /** Resolves when the final state is shown, or cannot be. */
  readonly done = new Promise<void>((resolve) => {
    this.#resolveDone = resolve
  })

  constructor(options: CardOptions, state: CardState) {
    this.#options = options
    this.#state = state
    this.#steps = new CardSteps(options, () => this.#state)
    if (options.anew) this.#steps.beginAnew()
    // What happens in the same turn of the event loop is shown at once: a free slot means "thinking", not "queued".
    queueMicrotask(() => this.#work())
  }

  get state(): CardState {
    return this.#state
  }

  /**
   * Says what is to be seen from now on.
   *
   * @param anew in new messages, of which Discord tells its user, and no longer in those that are there: they go.
   */
  show(state: CardState, { anew = false } = {}): void {
    this.#state = state
    if (this.#paused && isFinal(state)) {
      this.#paused = false
      this.#tries = 0
    }
    if (anew) this.#steps.beginAnew()
    if (isEnd(state) && this.#isPacing) this.#cancelTimer()
    this.#work()
  }

  /** Stops trying; what was generated is in the history. */
  abandon(): void {
    this.#options.target.abort()
    this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#cancelTimer()
    this.#options.turns.withdraw(this.#turn)
    this.#resolveDone()
  }

  #work(): void {
    if (this.#working || this.#ended || this.#paused || this.#timer) return
    const { turns } = this.#options
    const step = this.#steps.next()
    const waitMs = step?.type === 'edit' ? step.notBefore - this.#options.clock.now() : 0
    if (step && waitMs <= 0) return turns.ask(this.#turn, this.#needOf(step))
    turns.withdraw(this.#turn)
    if (!step) return this.#rest()
    this.#workLater(waitMs)
    this.#isPacing = true
  }

  #needOf(step: Step): Need {
    const { target } = this.#options
    const lane = target.lane(step.type, 'shown' in step ? step.shown.messageId : undefined)
    return { urgency: urgencyOf(this.#state, this.#steps.shown.count > 0), lane }
  }

  /** What there is to do may be something else by now than when the turn was asked for. */
  async #takeTurn(lane: Lane): Promise<void> {
    const step = this.#steps.next()
    if (step && this.#needOf(step).lane.key === lane.key) await this.#take(step)
    else this.#work()
  }

  /** All that should be seen is seen. */
  #rest(): void {
    if (!isFinal(this.#state)) return
    if (this.#refusal !== undefined) this.#options.onUndeliverable(this.#refusal)
    else if (isEnd(this.#state)) this.#options.onDelivered(this.#steps.shown.ids)
    this.#end()
  }

  #workLater(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#cancelTimer()
      this.#work()
    }, delayMs)
  }

  #cancelTimer(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isPacing = false
  }

  async #take(step: Step): Promise<void> {
    this.#working = true
    const taken = { step, state: this.#state, startedAt: this.#options.clock.now() }
    const point = this.#crashPointAt(step)
    try {
      if (point) crashPoint(`${point}.before`)
      await this.#steps.take(step)
      if (point) crashPoint(`${point}.after`)
      // That the channel can be read does not say that it can be written to.
      if (step.type !== 'find') this.#tries = 0
      this.#working = false
      this.#work()
    } catch (error) {
      this.#working = false
      this.#recover(taken, error)
    }
  }

  #crashPointAt(step: Step): 'acknowledge' | 'delivery' | 'recovery' | undefined {
    if (step.type === 'find') return this.#options.resumed && 'recovery'
    if (isEnd(this.#state)) return 'delivery'
    const isFirst = step.type === 'post' && this.#steps.shown.count === 0 && this.#state.phase !== 'refused'
    return isFirst ? 'acknowledge' : undefined
  }

  #recover({ step, state, startedAt }: TakenStep, error: unknown): void {
    if (this.#ended) return
    const problem = readDeliveryProblem(error)
    const isForEver = problem.type === 'impossible' || problem.type === 'unfit'
    const isOver = problem.type === 'messageGone' || (isForEver && step.type === 'remove')
    if (isOver && (step.type === 'edit' || step.type === 'remove')) {
      this.#steps.shown.forget(step.shown)
      this.#tries = 0
      return this.#work()
    }
    if (problem.type === 'unfit' && isEnd(state) && this.#refusal === undefined) return this.#replaceEnd(problem.reason)
    this.#steps.noteDoubt(step, startedAt)
    this.#tries++
    if (problem.type === 'passing' && this.#tries < MAX_TRIES) return this.#workLater(this.#backoffMs())
    if (problem.type === 'passing' && isEnd(state)) return this.#trySeldom(problem.reason)
    if (problem.type === 'messageGone') this.#giveUpForGood('there is nothing to answer', state)
    else if (isForEver) this.#giveUpForGood(problem.reason, state)
    else this.#giveUp(problem.reason, state)
  }

  /** Discord may be away for hours, and Parley not be started anew for weeks. */
  #trySeldom(reason: string): void {
    if (this.#tries === MAX_TRIES) this.#options.onFailed(reason)
    this.#workLater(SELDOM_MS)
  }

  /** Who waits for an answer that Discord does not take must not wait on. */
  #replaceEnd(reason: string): void {
    this.#options.onFailed(reason)
    this.#refusal = reason
    this.#state = refusedEnd(this.#state, this.#options.requestId)
    this.#tries = 0
    this.#work()
  }

  /**
   * For as long as nothing changes: the end is tried once more, if not by this process then by the next.
   *
   * @param state what could not be shown
   */
  #giveUp(reason: string, state: CardState): void {
    this.#options.onFailed(reason)
    if (isFinal(state)) return this.#end()
    this.#tries = 0
    this.#paused = !isFinal(this.#state)
    this.#work()
  }

  /** What Discord will not take may be taken by the time of the end: people block somebody, and unblock them. */
  #giveUpForGood(reason: string, state: CardState): void {
    this.#giveUp(reason, state)
    if (isEnd(state)) this.#options.onUndeliverable(this.#refusal ?? reason)
  }

  #backoffMs(): number {
    return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#tries - 1))
  }
}
