import type { Clock } from '#actors/clock.ts'
import { buttonsIn, type CardMessage } from './card-buttons.ts'
import { filesIn } from './card-files.ts'
import { type CardState, isEnd } from './card-state.ts'
import { renderCard } from './render-card.ts'
import type { ReplyTarget } from './reply-target.ts'
import { type Shown, type ShownContent, ShownMessages, UNKNOWN } from './shown-messages.ts'

export interface StepOptions {
  readonly target: ReplyTarget
  /** Different for each question, up to 22 characters. */
  readonly nonce: string
  /** What its buttons act on; left out when the message did not become a request. */
  readonly requestId?: string
  /** Small print below it, but not while the answer grows. */
  readonly note?: string | undefined
  /** The least time between two changes of one message, but for the end, which comes at once. */
  readonly editIntervalMs: number
  readonly clock: Clock
  /** Set when an earlier process may have shown something: that goes on, and is looked for first. */
  readonly resumed?: { readonly statusMessageId: string | null }
  /** Told the id of the message that shows the beginning, once it is known to be there. */
  readonly onFirstMessage: (messageId: string) => void
}

/** One call to Discord. */
export type Step =
  | { readonly type: 'find' }
  | { readonly type: 'post'; readonly message: CardMessage }
  | { readonly type: 'edit'; readonly message: CardMessage; readonly shown: Shown; readonly notBefore: number }
  | { readonly type: 'remove'; readonly shown: Shown }

/** A post that failed and may have arrived all the same. */
interface Doubt {
  readonly message: CardMessage
  /** When it was tried first. */
  readonly since: number
}

/**
 * So long after its first try a post may be tried again: Discord recognizes its nonce for "a few minutes", and one try
 * can take one. After that the channel is read first.
 */
const NONCE_LIFETIME_MS = 90_000

/** The steps from what Discord has to what should be seen, and the calls that make them. */
export class CardSteps {
  readonly shown = new ShownMessages()
  readonly #options: StepOptions
  /** What should be seen now. */
  readonly #state: () => CardState
  #toBeFound: boolean
  /** Set until what was shown before is put aside; `unless` its texts are those of the end already. */
  #anew: { unlessEqual: boolean } | undefined
  #doubt: Doubt | undefined

  constructor(options: StepOptions, state: () => CardState) {
    this.#options = options
    this.#state = state
    this.#toBeFound = options.resumed !== undefined
  }

  /** With the next step what is there is put aside, to be shown in new messages. */
  beginAnew(): void {
    this.#anew = { unlessEqual: false }
  }

  /** Undefined when all that should be seen is seen. */
  next(): Step | undefined {
    const step = this.#toBeFound ? FIND : this.#nextDifference()
    return step?.type === 'post' && this.#isNonceForgotten() ? FIND : step
  }

  /** The first difference between what should be seen and what is. */
  #nextDifference(): Step | undefined {
    const messages = this.#wanted
    if (this.#anew) this.shown.setAside(this.#anew.unlessEqual ? messages.map(({ content }) => content) : [])
    this.#anew = undefined
    for (const [index, message] of messages.entries()) {
      const shown = this.shown.at(index)
      if (!shown) return { type: 'post', message }
      if (isDifferent(shown, shownOf(message))) {
        const notBefore = isEnd(this.#state()) ? 0 : shown.editedAt + this.#options.editIntervalMs
        return { type: 'edit', message, shown, notBefore }
      }
    }
    // Sent again with its nonce it shows whether it is there, and can then be taken back.
    if (this.#doubt !== undefined) return { type: 'post', message: this.#doubt.message }
    const extra = this.shown.at(messages.length) ?? this.shown.aside
    return extra && { type: 'remove', shown: extra }
  }

  get #wanted(): readonly CardMessage[] {
    return renderCard(this.#state(), this.#options.requestId, this.#options.note)
  }

  #isNonceForgotten(): boolean {
    return this.#doubt !== undefined && this.#options.clock.now() - this.#doubt.since > NONCE_LIFETIME_MS
  }

  /** Makes the call; rejects as Discord does. */
  async take(step: Step): Promise<void> {
    const { target, clock } = this.#options
    switch (step.type) {
      case 'find':
        return this.#find()
      case 'post':
        return this.#post(step.message)
      case 'edit':
        await target.edit(step.shown.messageId, step.message)
        Object.assign(step.shown, shownOf(step.message), { editedAt: clock.now() })
        return
      case 'remove':
        await target.remove(step.shown.messageId)
        this.shown.forget(step.shown)
        return
      default:
        step satisfies never
    }
  }

  async #find(): Promise<void> {
    const { target, resumed } = this.#options
    const statusMessageId = resumed?.statusMessageId ?? null
    const knownIds = this.#toBeFound && statusMessageId !== null ? [statusMessageId] : this.shown.ids
    const found = await target.find(knownIds)
    const ended = isEnd(this.#state()) ? this.#wanted : []
    const wanted = this.#doubt ? [...ended, this.#doubt.message] : ended
    this.shown.adopt(
      found,
      knownIds,
      wanted.map(({ content }) => content),
    )
    // What is there already was shown anew by an earlier process.
    if (this.#anew) this.#anew.unlessEqual = true
    this.#toBeFound = false
    this.#doubt = undefined
    this.#tellFirst()
  }

  async #post(message: CardMessage): Promise<void> {
    const { target, nonce, resumed } = this.#options
    const messageId = await target.post(message, `${nonce}${this.shown.posted.toString(36)}`)
    // An earlier try, or an earlier process, may have sent it with what was to be shown then: not known, so edited.
    const isCertain = this.#doubt === undefined && !resumed
    this.#doubt = undefined
    this.shown.add(messageId, isCertain ? shownOf(message) : UNKNOWN)
    this.#tellFirst()
  }

  #tellFirst(): void {
    const first = this.shown.takeFirst()
    if (first !== undefined && first !== this.#options.resumed?.statusMessageId) this.#options.onFirstMessage(first)
  }

  /** What failed may have arrived all the same. */
  noteDoubt(step: Step, startedAt: number): void {
    if (step.type === 'post') this.#doubt = { message: step.message, since: this.#doubt?.since ?? startedAt }
    if (step.type === 'edit') Object.assign(step.shown, UNKNOWN)
  }
}

function shownOf({ content, components, files }: CardMessage): ShownContent {
  return { content, buttons: buttonsIn(components), files: filesIn(files) }
}

function isDifferent(one: ShownContent, other: ShownContent): boolean {
  return one.content !== other.content || one.buttons !== other.buttons || one.files !== other.files
}

const FIND = { type: 'find' } as const
