/** Remembers the newest ids, so that an event that Discord sends again is recognized. */
export class RecentIds {
  readonly #capacity: number
  readonly #ids = new Set<string>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Tells whether an id is new, and remembers it. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > this.#capacity && oldest !== undefined) this.#ids.delete(oldest)
    return true
  }
}
