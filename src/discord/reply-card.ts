import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type CardState, isFinal } from './card-state.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import { renderCard } from './render-card.ts'
import type { ReplyTarget } from './reply-target.ts'

export interface CardOptions {
  readonly requestId: string
  readonly target: ReplyTarget
  /** The least time between two changes of one message. */
  readonly editIntervalMs: number
  readonly clock: Clock
  readonly log: Log
  /** Told the id of the message that shows the beginning, when it has been sent. */
  readonly onFirstMessage: (messageId: string) => void
}

/** A message as Discord has it. */
interface Shown {
  readonly messageId: string
  readonly content: string
  readonly changedAt: number
}

type Step =
  | { readonly type: 'post'; readonly index: number; readonly content: string }
  | {
      readonly type: 'edit'
      readonly index: number
      readonly content: string
      readonly messageId: string
      readonly notBefore: number
    }
  | { readonly type: 'remove'; readonly messageId: string }

/** Never equal to what should be seen. */
const UNKNOWN = ''

/** Tries for one change of a message, before the card gives up. */
const MAX_TRIES = 6
const FIRST_BACKOFF_MS = 1_000

/**
 * The messages that show one request: placeholder, answer as it grows, answer.
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
  #abandoned = false
  #posts = 0
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
    this.#work()
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
    this.#abandoned = true
    this.#timer?.cancel()
    this.#resolveDone()
  }

  #work(): void {
    if (this.#working || this.#abandoned || this.#timer) return
    const step = this.#nextStep()
    if (!step) {
      if (isFinal(this.#state)) this.#resolveDone()
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
      if (!shown) return { type: 'post', index, content }
      if (shown.content !== content) {
        const notBefore = shown.changedAt + this.#options.editIntervalMs
        return { type: 'edit', index, content, messageId: shown.messageId, notBefore }
      }
    }
    const extra = this.#shown[contents.length]
    return extra && { type: 'remove', messageId: extra.messageId }
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
        // A try that failed may have arrived after all, with what was to be shown then: not known, so edited.
        const content = this.#tries === 0 ? step.content : UNKNOWN
        this.#shown[step.index] = { messageId, content, changedAt: clock.now() }
        if (this.#posts++ === 0) this.#options.onFirstMessage(messageId)
        return
      }
      case 'edit':
        await target.edit(step.messageId, step.content)
        this.#shown[step.index] = { messageId: step.messageId, content: step.content, changedAt: clock.now() }
        return
      case 'remove':
        await target.remove(step.messageId)
        this.#forget(step.messageId)
        return
      default:
        step satisfies never
    }
  }

  #recover(step: Step, error: unknown): void {
    const problem = readDeliveryProblem(error)
    if (problem.type === 'messageGone') {
      if (step.type !== 'post') this.#forget(step.messageId)
      return this.#work()
    }
    this.#tries++
    if (problem.type === 'passing' && this.#tries < MAX_TRIES) {
      return this.#workLater(FIRST_BACKOFF_MS * 2 ** (this.#tries - 1))
    }
    const { requestId, log } = this.#options
    log.error({ code: 'DELIVERY_FAILED', requestId, reason: problem.reason }, 'a reply could not be shown on Discord')
    this.abandon()
  }

  /** What follows a lost message is sent again after it, so that the parts stay in order. */
  #forget(messageId: string): void {
    const index = this.#shown.findIndex((shown) => shown.messageId === messageId)
    if (index >= 0) this.#shown.splice(index, 1)
  }

  /** The same for each try of one message. 22 characters for the request, up to 3 to count: Discord takes 25. */
  #nonce(): string {
    const id = Buffer.from(this.#options.requestId.replaceAll('-', ''), 'hex').toString('base64url')
    return `${id}${this.#posts.toString(36)}`
  }
}
