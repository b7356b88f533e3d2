import type { Clock, Timer } from '#actors/clock.ts'
import { type CardState, isFinal } from './card-state.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import { renderCard } from './render-card.ts'
import type { ReplyTarget } from './reply-target.ts'

export interface CardOptions {
  readonly target: ReplyTarget
  /** Different for each card, up to 22 characters. */
  readonly nonce: string
  /** The least time between two changes of one message. */
  readonly editIntervalMs: number
  readonly clock: Clock
  /** Told the id of the message that shows the beginning, when it has been sent. */
  readonly onFirstMessage: (messageId: string) => void
  /** Told when the card gives up. */
  readonly onFailed: (reason: string) => void
}

/** A message as Discord has it. */
interface Shown {
  readonly messageId: string
  content: string
  changedAt: number
}

type Step =
  | { readonly type: 'post'; readonly content: string }
  | { readonly type: 'edit'; readonly content: string; readonly shown: Shown; readonly notBefore: number }
  | { readonly type: 'remove'; readonly shown: Shown }

/** Never equal to what should be seen. */
const UNKNOWN = ''

const FIRST_BACKOFF_MS = 1_000
const LONGEST_BACKOFF_MS = 30_000

/**
 * Tries for one change of a message, before the card gives up: about a quarter of an hour. Discord
 * recognizes the nonce of a post for a few minutes only, and after that a post could be seen twice.
 */
const MAX_TRIES = { post: 11, edit: 34, remove: 34 } as const

/**
 * The messages that answer one question: placeholder, answer as it grows, answer.
 *
 * The card knows what should be seen (`show`) and what Discord has, and works off the difference
 * one call at a time, so that there is never more than one under way, and what was overtaken while
 * waiting is never sent.
 */
export class ReplyCard {
  readonly #options: CardOptions
  readonly #shown: Shown[] = []
  #state: CardState
  #working = false
  #ended = false
  #posts = 0
  /** What a post was to show that failed: it may have arrived after all. */
  #unsure: string | undefined
  #tries = 0
  #timer: Timer | undefined
  #resolveDone: () => void = () => undefined
  /** Resolves when the final state is shown, or cannot be. */
  readonly done = new Promise<void>((resolve) => {
    this.#resolveDone = resolve
  })

  constructor(options: CardOptions, state: CardState) {
    this.#options = options
    this.#state = state
    // What happens in the same turn of the event loop is shown at once: a free slot means "thinking", not "queued".
    queueMicrotask(() => this.#work())
  }

  get state(): CardState {
    return this.#state
  }

  show(state: CardState): void {
    this.#state = state
    this.#work()
  }

  /** Stops trying; what was generated is in the history. */
  abandon(): void {
    this.#options.target.abort()
    this.#end()
  }

  #end(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#resolveDone()
  }

  #work(): void {
    if (this.#working || this.#ended || this.#timer) return
    const step = this.#nextStep()
    if (!step) {
      if (isFinal(this.#state)) this.#end()
      return
    }
    const waitMs = step.type === 'edit' ? step.notBefore - this.#options.clock.now() : 0
    if (waitMs > 0) this.#workLater(waitMs)
    else void this.#take(step)
  }

  #workLater(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined
      this.#work()
    }, delayMs)
  }

  /** The first difference between what should be seen and what is. */
  #nextStep(): Step | undefined {
    const contents = renderCard(this.#state)
    for (const [index, content] of contents.entries()) {
      const shown = this.#shown[index]
      if (!shown) return { type: 'post', content }
      if (shown.content !== content) {
        const notBefore = shown.changedAt + this.#options.editIntervalMs
        return { type: 'edit', content, shown, notBefore }
      }
    }
    // Sent again with its nonce it shows whether it is there, and can then be taken back.
    if (this.#unsure !== undefined) return { type: 'post', content: this.#unsure }
    const extra = this.#shown[contents.length]
    return extra && { type: 'remove', shown: extra }
  }

  async #take(step: Step): Promise<void> {
    this.#working = true
    try {
      await this.#call(step)
      this.#tries = 0
      this.#working = false
      this.#work()
    } catch (error) {
      this.#working = false
      this.#recover(step, error)
    }
  }

  async #call(step: Step): Promise<void> {
    const { target, clock } = this.#options
    switch (step.type) {
      case 'post': {
        const messageId = await target.post(step.content, this.#nonce())
        // An earlier try may have arrived with what was to be shown then: not known, so edited.
        const content = this.#unsure === undefined ? step.content : UNKNOWN
        this.#unsure = undefined
        this.#shown.push({ messageId, content, changedAt: clock.now() })
        if (this.#posts++ === 0) this.#options.onFirstMessage(messageId)
        return
      }
      case 'edit':
        await target.edit(step.shown.messageId, step.content)
        step.shown.content = step.content
        step.shown.changedAt = clock.now()
        return
      case 'remove':
        await target.remove(step.shown.messageId)
        this.#forget(step.shown)
        return
      default:
        step satisfies never
    }
  }

  #recover(step: Step, error: unknown): void {
    if (this.#ended) return
    const problem = readDeliveryProblem(error)
    if (problem.type === 'messageGone' && step.type !== 'post') {
      this.#forget(step.shown)
      this.#tries = 0
      return this.#work()
    }
    this.#doubt(step)
    this.#tries++
    if (problem.type === 'passing' && this.#tries < MAX_TRIES[step.type]) return this.#workLater(this.#backoffMs())
    this.#options.onFailed(problem.type === 'messageGone' ? 'there is nothing to answer' : problem.reason)
    this.#end()
  }

  /** What failed may have arrived all the same. */
  #doubt(step: Step): void {
    if (step.type === 'post') this.#unsure = step.content
    if (step.type === 'edit') step.shown.content = UNKNOWN
  }

  #backoffMs(): number {
    return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#tries - 1))
  }

  /** What follows a lost message is sent again after it, so that the parts stay in order. */
  #forget(shown: Shown): void {
    this.#shown.splice(this.#shown.indexOf(shown), 1)
  }

  /** The same for each try of one message. */
  #nonce(): string {
    return `${this.#options.nonce}${this.#posts.toString(36)}`
  }
}
