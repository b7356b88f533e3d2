import type { Clock } from '#actors/clock.ts'

/** How much of what a model thinks is kept: its end. */
const LONGEST_REASONING = 100_000

/** What a model thinks before it answers, and in between: for how long, and its words where they are wanted. */
export class Thinking {
  readonly #clock: Pick<Clock, 'now'>
  readonly #isKept: boolean
  #text = ''
  #isCut = false
  #since: number | undefined
  #elapsedMs = 0

  constructor(clock: Pick<Clock, 'now'>, isKept: boolean) {
    this.#clock = clock
    this.#isKept = isKept
  }

  /** The model thinks, from now on if it did not before. */
  push(text: string): void {
    this.#since ??= this.#clock.now()
    if (!this.#isKept) return
    this.#text += text
    // Cut now and then only, as that copies all of it.
    if (this.#text.length > 2 * LONGEST_REASONING) this.#cut()
  }

  /** It does something else. */
  pause(): void {
    if (this.#since === undefined) return
    this.#elapsedMs += Math.max(0, this.#clock.now() - this.#since)
    this.#since = undefined
  }

  /** How long it thought until the last pause. */
  get seconds(): number {
    return Math.round(this.#elapsedMs / 1000)
  }

  /** Empty when it did not think, or nobody wants to know. */
  get text(): string {
    if (this.#text.length > LONGEST_REASONING) this.#cut()
    return this.#isCut ? `[The beginning is left out.]\n${this.#text}` : this.#text
  }

  #cut(): void {
    // Half a surrogate pair is no character.
    this.#text = this.#text.slice(-LONGEST_REASONING).replace(/^[\uDC00-\uDFFF]/, '')
    this.#isCut = true
  }
}
