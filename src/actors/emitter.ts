interface Subscription<E> {
  readonly listener: (event: E) => void
}

/** Tells listeners about events; a listener that throws harms neither the others nor the sender. */
export class Emitter<E> {
  readonly #subscriptions = new Set<Subscription<E>>()
  readonly #onError: (error: unknown, event: E) => void

  constructor(onError: (error: unknown, event: E) => void) {
    this.#onError = onError
  }

  /** Subscribes; returns the way out. A listener that subscribes twice is told twice. */
  on(listener: (event: E) => void): () => void {
    const subscription = { listener }
    this.#subscriptions.add(subscription)
    return () => void this.#subscriptions.delete(subscription)
  }

  emit(event: E): void {
    // A copy, or a listener that leaves and comes back while it is told would be told for ever.
    for (const subscription of [...this.#subscriptions]) {
      if (this.#subscriptions.has(subscription)) this.#tell(subscription, event)
    }
  }

  #tell({ listener }: Subscription<E>, event: E): void {
    try {
      listener(event)
    } catch (error) {
      this.#onError(error, event)
    }
  }
}
