/** Tells listeners about events; a listener that throws harms neither the others nor the sender. */
export class Emitter<E> {
  readonly #listeners = new Set<(event: E) => void>()
  readonly #onError: (error: unknown, event: E) => void

  constructor(onError: (error: unknown, event: E) => void) {
    this.#onError = onError
  }

  /** Subscribes; returns the way out. */
  on(listener: (event: E) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(event: E): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#onError(error, event)
      }
    }
  }
}
