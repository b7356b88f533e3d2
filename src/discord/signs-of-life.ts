import type { Clock, Timer } from '#actors/clock.ts'

/** A card whose question is being worked on, and that shows nothing to read yet. */
export interface WorkingCard {
  /** How long so far. */
  showSeconds(seconds: number): void
  /** Shows "… is typing" where the answer will be; rejects when that cannot be. */
  type(): Promise<void>
}

interface Sign {
  readonly since: number
  /** When its seconds were shown last. */
  shownAt: number
  typedAt: number
}

/** Discord shows that somebody types for ten seconds. */
const TYPING_EVERY_MS = 8_000
const SECONDS_EVERY_MS = 10_000
const ROUND_EVERY_MS = 2_000
/** Calls of one round: a tenth of what Discord takes in that time, the rest is for answers. */
const CALLS_IN_ROUND = 10

/**
 * Lets people see, while their question is worked on, that it is: the seconds, and "… is typing". Both are worth little,
 * so they are bounded for all cards together; those that waited longest for a sign come first.
 */
export class SignsOfLife {
  readonly #clock: Clock
  readonly #working = new Map<WorkingCard, Sign>()
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(card: WorkingCard): void {
    if (this.#working.has(card)) return
    const now = this.#clock.now()
    this.#working.set(card, { since: now, shownAt: now, typedAt: Number.NEGATIVE_INFINITY })
    this.#later()
  }

  end(card: WorkingCard): void {
    this.#working.delete(card)
    if (this.#working.size > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  stop(): void {
    for (const card of [...this.#working.keys()]) this.end(card)
  }

  #later(): void {
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#round()
      if (this.#working.size > 0) this.#later()
    }, ROUND_EVERY_MS)
  }

  #round(): void {
    const now = this.#clock.now()
    let calls = 0
    for (const [card, sign] of this.#working) {
      if (calls >= CALLS_IN_ROUND) return
      const made = this.#give(card, sign, now)
      calls += made
      // Its turn comes again after all others.
      if (made > 0 && this.#working.delete(card)) this.#working.set(card, sign)
    }
  }

  /** How many calls that took. */
  #give(card: WorkingCard, sign: Sign, now: number): number {
    let calls = 0
    if (now - sign.typedAt >= TYPING_EVERY_MS) {
      sign.typedAt = now
      calls++
      card.type().catch(() => {
        // Where it did not work once it is not tried again.
        sign.typedAt = Number.POSITIVE_INFINITY
      })
    }
    if (now - sign.shownAt >= SECONDS_EVERY_MS) {
      sign.shownAt = now
      calls++
      card.showSeconds(Math.floor((now - sign.since) / 1_000))
    }
    return calls
  }
}
