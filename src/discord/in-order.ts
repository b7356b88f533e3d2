/** Lets what was begun for the same person end in the order it was begun; different people do not wait for each other. */
export class InOrder {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Begins at once, and resolves or rejects as the work does, but not before what was begun earlier under the key. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const own = work()
    const turn = Promise.allSettled([this.#last.get(key), own])
    this.#last.set(key, turn)
    await turn
    if (this.#last.get(key) === turn) this.#last.delete(key)
    return own
  }
}
