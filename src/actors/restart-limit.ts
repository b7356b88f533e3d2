/** How often something may be started again. */
export interface RestartLimitOptions {
  readonly maxRestarts: number
  /** ms in which so many restarts are the most */
  readonly windowMs: number
  /** ms, from any clock that only goes forward */
  readonly now: () => number
}

/** Tells whether something that keeps dying may be started once more. */
export class RestartLimit {
  readonly #options: RestartLimitOptions
  #restarts: number[] = []

  constructor(options: RestartLimitOptions) {
    this.#options = options
  }

  /** Counts a restart and returns true, or returns false when there were too many of late. */
  allow(): boolean {
    const { maxRestarts, windowMs, now } = this.#options
    const at = now()
    this.#restarts = this.#restarts.filter((restart) => at - restart < windowMs)
    if (this.#restarts.length >= maxRestarts) return false
    this.#restarts.push(at)
    return true
  }
}
