export interface PlacesOptions {
  /** Calls in one window. */
  readonly limit: number
  readonly windowMs: number
}

/** After a refusal, one place is given back in each of these. */
const RECOVERY_MS = 10_000

/** What a refusal leaves of the places. */
const AFTER_REFUSAL = 0.9

/**
 * The calls that may be made in a window of time.
 *
 * A call holds its place from before it is made until a window after its answer came. Wherever between the two it has
 * reached Discord, any window of Discord's sees no more calls than there are places, so none is refused.
 */
export class Places {
  readonly #options: PlacesOptions
  /** When the places of answered calls are free again, earliest first. */
  readonly #leaving: number[] = []
  #held = 0
  #closedUntil = Number.NEGATIVE_INFINITY
  #afterRefusal: { readonly places: number; readonly at: number } | undefined

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** How many calls a window takes; fewer for a while after Discord has refused some. */
  total(now: number): number {
    const { limit } = this.#options
    if (!this.#afterRefusal) return limit
    const { places, at } = this.#afterRefusal
    return Math.min(limit, places + Math.floor(Math.max(0, now - at) / RECOVERY_MS))
  }

  free(now: number): number {
    if (now < this.#closedUntil) return 0
    while (this.#leaving[0] !== undefined && this.#leaving[0] <= now) this.#leaving.shift()
    return Math.max(0, this.total(now) - this.#held - this.#leaving.length)
  }

  /** When time alone frees the next place; undefined when a call has to end first. */
  nextFreeAt(now: number): number | undefined {
    return now < this.#closedUntil ? this.#closedUntil : this.#leaving[0]
  }

  take(): void {
    this.#held++
  }

  /** Gives a place back whose call was not made. */
  giveBack(): void {
    this.#held--
  }

  /** The call has been answered, or has failed. */
  leave(now: number): void {
    this.#held--
    if (this.#options.windowMs > 0) this.#leaving.push(now + this.#options.windowMs)
  }

  /** Discord has refused a call, so somebody else uses up some of what we counted on. */
  refused(now: number, retryAfterMs: number): void {
    // All that was under way at that moment is refused, too, and says nothing new.
    if (now >= this.#closedUntil) {
      this.#afterRefusal = { places: Math.max(1, Math.floor(this.total(now) * AFTER_REFUSAL)), at: now }
    }
    this.#closedUntil = Math.max(this.#closedUntil, now + retryAfterMs)
  }
}
