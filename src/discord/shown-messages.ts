import type { FoundMessage } from './own-messages.ts'
import { byAge } from './snowflake.ts'

/** What a message shows. */
export interface ShownContent {
  content: string
  /** The ids of its buttons, as `buttonsIn` gives them. */
  buttons: string
  /** What it carries, as `filesIn` gives it. */
  files: string
}

/** A message as Discord has it. */
export interface Shown extends ShownContent {
  readonly messageId: string
  /** When it was edited last, ms since epoch; long ago when it was not, or that is not known. */
  editedAt: number
}

/** Never equal to what should be seen. */
export const UNKNOWN: Readonly<ShownContent> = { content: '', buttons: '', files: '' }

/** The messages that show one answer on Discord, in their order. */
export class ShownMessages {
  readonly #messages: Shown[] = []
  readonly #aside: Shown[] = []
  /** How many were ever sent, as far as is known: those that were lost since, too. */
  #posted = 0
  #firstTaken = false

  get posted(): number {
    return this.#posted
  }

  get count(): number {
    return this.#messages.length
  }

  get ids(): string[] {
    return this.#messages.map(({ messageId }) => messageId)
  }

  /** A message whose place another one takes, or has taken. */
  get aside(): Shown | undefined {
    return this.#aside[0]
  }

  /** Puts all messages aside but those that say one of these texts already, each text once and the newest first. */
  setAside(kept: readonly string[]): void {
    const missing = [...kept]
    for (const shown of this.#messages.splice(0).reverse()) {
      const index = missing.indexOf(shown.content)
      if (index < 0) this.#aside.unshift(shown)
      else this.#messages.unshift(...missing.splice(index, 1).map(() => shown))
    }
  }

  at(index: number): Shown | undefined {
    return this.#messages[index]
  }

  /** The first message that was ever there; once. */
  takeFirst(): string | undefined {
    if (this.#firstTaken) return undefined
    const first = this.#messages[0]?.messageId
    this.#firstTaken = first !== undefined
    return first
  }

  /** Adds a message that was sent; one that is there already has only used up its nonce. */
  add(messageId: string, shown: Readonly<ShownContent>): void {
    this.#posted++
    const { content, buttons, files } = shown
    if (this.#has(messageId)) return
    this.#messages.push({ messageId, content, buttons, files, editedAt: Number.NEGATIVE_INFINITY })
  }

  /** What follows a lost message is sent again after it, so that the parts stay in order. */
  forget(shown: Shown): void {
    for (const messages of [this.#messages, this.#aside]) {
      const index = messages.indexOf(shown)
      if (index >= 0) messages.splice(index, 1)
    }
  }

  /**
   * Takes over what was found on Discord.
   *
   * @param knownIds are there, whether they were found or not: what became of them shows when they are edited.
   * @param wanted what is to be seen: of the messages that could belong to any question, as many are ours as say this.
   */
  adopt(found: readonly FoundMessage[], knownIds: readonly string[], wanted: readonly string[]): void {
    const missing = [...wanted]
    for (const { messageId, content, buttons, files, isOurs } of [...found].sort(oursFirst)) {
      const index = missing.indexOf(content)
      if (!isOurs && index < 0) continue
      if (index >= 0) missing.splice(index, 1)
      this.#adopt(messageId, { content, buttons, files })
    }
    for (const messageId of knownIds) this.#adopt(messageId, UNKNOWN)
    this.#messages.sort((a, b) => byAge(a.messageId, b.messageId))
  }

  #adopt(messageId: string, shown: Readonly<ShownContent>): void {
    if (!this.#has(messageId)) this.add(messageId, shown)
  }

  #has(messageId: string): boolean {
    return [...this.#messages, ...this.#aside].some((shown) => shown.messageId === messageId)
  }
}

function oursFirst(a: FoundMessage, b: FoundMessage): number {
  return Number(b.isOurs) - Number(a.isOurs)
}
