import type { Clock, Timer } from '#actors/clock.ts'
import { crashPoint } from '#actors/crash-point.ts'
import { buttonsIn, type CardMessage } from './card-buttons.ts'
import { filesIn } from './card-files.ts'
import { type CardState, isEnd, isFinal, urgencyOf } from './card-state.ts'
import type { Need, Turn, Turns } from './delivery.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import type { Lane } from './lane.ts'
import { renderCard } from './render-card.ts'
import type { ReplyTarget } from './reply-target.ts'
import { type Shown, type ShownContent, ShownMessages, UNKNOWN } from './shown-messages.ts'

export interface CardOptions {
  readonly target: ReplyTarget
  /** Says when the next call may be made. */
  readonly turns: Turns
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
  /** What is shown first is shown anew: see `show`. */
  readonly anew?: boolean
  /** Told the id of the message that shows the beginning, once it is known to be there. */
  readonly onFirstMessage: (messageId: string) => void
  /** Told once all of the end stands on Discord. */
  readonly onDelivered: (messageIds: readonly string[]) => void
  /** Told at the end of the request when Discord will never take it. */
  readonly onUndeliverable: (reason: string) => void
  /** Told when the card gives up. */
  readonly onFailed: (reason: string) => void
}

type Step =
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

const FIRST_BACKOFF_MS = 1_000
const LONGEST_BACKOFF_MS = 30_000

/** Tries for one change before the card gives up: about a quarter of an hour. */
const MAX_TRIES = 34

/**
 * The messages that answer one question: placeholder, answer as it grows, answer.
 *
 * The card knows what should be seen (`show`) and what Discord has, and works off the difference
 * one call at a time, so that there is never more than one under way. It asks for a turn for each, and
 * what the call says is decided when the turn comes: what was overtaken while waiting is never sent.
 */
export class ReplyCard {
  readonly #options: CardOptions
  readonly #shown = new ShownMessages()
  #state: CardState
  #working = false
  #ended = false
  /** Gave up before the end, for which it will try once more. */
  #paused = false
  /** Why Discord will never take what there is to show. */
  #impossible: string | undefined
  #toBeFound: boolean
  /** Set until what was shown before is put aside; `unless` its texts are those of the end already. */
  #anew: { unlessEqual: boolean } | undefined
  #doubt: Doubt | undefined
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
    this.#toBeFound = options.resumed !== undefined
    if (options.anew) this.#anew = { unlessEqual: false }
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
    if (anew) this.#anew = { unlessEqual: false }
    if (isEnd(state) && this.#isPacing) this.#cancelTimer()
    if (this.#impossible !== undefined) this.#tellUndeliverable(this.#impossible)
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
    const step = this.#nextStep()
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
    return { urgency: urgencyOf(this.#state, this.#shown.count > 0), lane }
  }

  /** What there is to do may be something else by now than when the turn was asked for. */
  async #takeTurn(lane: Lane): Promise<void> {
    const step = this.#nextStep()
    if (step && this.#needOf(step).lane.key === lane.key) await this.#take(step)
    else this.#work()
  }

  /** All that should be seen is seen. */
  #rest(): void {
    if (!isFinal(this.#state)) return
    if (isEnd(this.#state)) this.#options.onDelivered(this.#shown.ids)
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

  #nextStep(): Step | undefined {
    const step = this.#toBeFound ? FIND : this.#nextDifference()
    return step?.type === 'post' && this.#isNonceForgotten() ? FIND : step
  }

  /** The first difference between what should be seen and what is. */
  #nextDifference(): Step | undefined {
    const messages = this.#wanted
    if (this.#anew) this.#shown.setAside(this.#anew.unlessEqual ? messages.map(({ content }) => content) : [])
    this.#anew = undefined
    for (const [index, message] of messages.entries()) {
      const shown = this.#shown.at(index)
      if (!shown) return { type: 'post', message }
      if (isDifferent(shown, shownOf(message))) {
        const notBefore = isEnd(this.#state) ? 0 : shown.editedAt + this.#options.editIntervalMs
        return { type: 'edit', message, shown, notBefore }
      }
    }
    // Sent again with its nonce it shows whether it is there, and can then be taken back.
    if (this.#doubt !== undefined) return { type: 'post', message: this.#doubt.message }
    const extra = this.#shown.at(messages.length) ?? this.#shown.aside
    return extra && { type: 'remove', shown: extra }
  }

  get #wanted(): readonly CardMessage[] {
    return renderCard(this.#state, this.#options.requestId, this.#options.note)
  }

  #isNonceForgotten(): boolean {
    return this.#doubt !== undefined && this.#options.clock.now() - this.#doubt.since > NONCE_LIFETIME_MS
  }

  async #take(step: Step): Promise<void> {
    this.#working = true
    const startedAt = this.#options.clock.now()
    const point = this.#crashPointAt(step)
    try {
      if (point) crashPoint(`${point}.before`)
      await this.#call(step)
      if (point) crashPoint(`${point}.after`)
      // That the channel can be read does not say that it can be written to.
      if (step.type !== 'find') this.#tries = 0
      this.#working = false
      this.#work()
    } catch (error) {
      this.#working = false
      this.#recover(step, error, startedAt)
    }
  }

  #crashPointAt(step: Step): 'acknowledge' | 'delivery' | 'recovery' | undefined {
    if (step.type === 'find') return this.#options.resumed && 'recovery'
    if (isEnd(this.#state)) return 'delivery'
    const isFirst = step.type === 'post' && this.#shown.count === 0 && this.#state.phase !== 'refused'
    return isFirst ? 'acknowledge' : undefined
  }

  async #call(step: Step): Promise<void> {
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
        this.#shown.forget(step.shown)
        return
      default:
        step satisfies never
    }
  }

  async #find(): Promise<void> {
    const { target, resumed } = this.#options
    const statusMessageId = resumed?.statusMessageId ?? null
    const knownIds = this.#toBeFound && statusMessageId !== null ? [statusMessageId] : this.#shown.ids
    const found = await target.find(knownIds)
    const ended = isEnd(this.#state) ? this.#wanted : []
    const wanted = this.#doubt ? [...ended, this.#doubt.message] : ended
    this.#shown.adopt(
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
    const messageId = await target.post(message, `${nonce}${this.#shown.posted.toString(36)}`)
    // An earlier try, or an earlier process, may have sent it with what was to be shown then: not known, so edited.
    const isCertain = this.#doubt === undefined && !resumed
    this.#doubt = undefined
    this.#shown.add(messageId, isCertain ? shownOf(message) : UNKNOWN)
    this.#tellFirst()
  }

  #tellFirst(): void {
    const first = this.#shown.takeFirst()
    if (first !== undefined && first !== this.#options.resumed?.statusMessageId) this.#options.onFirstMessage(first)
  }

  #recover(step: Step, error: unknown, startedAt: number): void {
    if (this.#ended) return
    const problem = readDeliveryProblem(error)
    const isOver = problem.type === 'messageGone' || (problem.type === 'impossible' && step.type === 'remove')
    if (isOver && (step.type === 'edit' || step.type === 'remove')) {
      this.#shown.forget(step.shown)
      this.#tries = 0
      return this.#work()
    }
    this.#noteDoubt(step, startedAt)
    this.#tries++
    if (problem.type === 'passing' && this.#tries < MAX_TRIES) return this.#workLater(this.#backoffMs())
    if (problem.type === 'messageGone') this.#giveUpForGood('there is nothing to answer')
    else if (problem.type === 'impossible') this.#giveUpForGood(problem.reason)
    else this.#giveUp(problem.reason)
  }

  /** For as long as nothing changes: the end is tried once more, if not by this process then by the next. */
  #giveUp(reason: string): void {
    this.#options.onFailed(reason)
    if (isFinal(this.#state)) this.#end()
    else this.#paused = true
  }

  #giveUpForGood(reason: string): void {
    this.#options.onFailed(reason)
    this.#end()
    this.#impossible = reason
    this.#tellUndeliverable(reason)
  }

  /** Before the request has ended there is nothing yet that could not be delivered. */
  #tellUndeliverable(reason: string): void {
    if (!isEnd(this.#state)) return
    this.#impossible = undefined
    this.#options.onUndeliverable(reason)
  }

  /** What failed may have arrived all the same. */
  #noteDoubt(step: Step, startedAt: number): void {
    if (step.type === 'post') this.#doubt = { message: step.message, since: this.#doubt?.since ?? startedAt }
    if (step.type === 'edit') Object.assign(step.shown, UNKNOWN)
  }

  #backoffMs(): number {
    return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#tries - 1))
  }
}

function shownOf({ content, components, files }: CardMessage): ShownContent {
  return { content, buttons: buttonsIn(components), files: filesIn(files) }
}

function isDifferent(one: ShownContent, other: ShownContent): boolean {
  return one.content !== other.content || one.buttons !== other.buttons || one.files !== other.files
}

const FIND = { type: 'find' } as const
