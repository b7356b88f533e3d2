import { LRUCache } from 'lru-cache'

/** More than are shown within some seconds. */
const REMEMBERED_REFUSALS = 10_000

/** Lets a reason for a refusal through to each person once in some time: who writes faster than that has read it. */
export class RefusalLimit {
  readonly #intervalMs: number
  readonly #now: () => number
  readonly #shownAt = new LRUCache<string, number>({ max: REMEMBERED_REFUSALS })
  #hidden = 0

  constructor(intervalMs: number, now: () => number) {
    this.#intervalMs = intervalMs
    this.#now = now
  }

  /** How many were not let through. */
  get hidden(): number {
    return this.#hidden
  }

  /** Tells whether somebody may be shown why a message was refused, and counts on it being shown. */
  allows(userId: string, reason: string): boolean {
    const now = this.#now()
    const key = `${userId} ${reason}`
    const shownAt = this.#shownAt.get(key)
    // A clock that was set back hides nothing.
    if (shownAt !== undefined && now >= shownAt && now - shownAt < this.#intervalMs) {
      this.#hidden++
      return false
    }
    this.#shownAt.set(key, now)
    return true
  }
}
