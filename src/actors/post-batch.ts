import type { MessagePort, Transferable } from 'node:worker_threads'

interface Entry<M> {
  readonly message: M
  readonly transfers: readonly Transferable[]
}

/**
 * Gathers the messages of one tick and posts them together, in order: a post costs far more than a message.
 * Messages are cloned when they are posted, so they must not be changed once added.
 */
export class PostBatch<M> {
  readonly #port: MessagePort
  readonly #onRefused: (message: M, error: unknown) => void
  #entries: Entry<M>[] = []
  #posts = 0

  /** `onRefused` gets each message that cannot be cloned; the others are posted all the same. */
  constructor(port: MessagePort, onRefused: (message: M, error: unknown) => void) {
    this.#port = port
    this.#onRefused = onRefused
  }

  /** How many posts were made. */
  get posts(): number {
    return this.#posts
  }

  add(message: M, transfers: readonly Transferable[] = []): void {
    this.#entries.push({ message, transfers })
    if (this.#entries.length === 1) setImmediate(() => this.flush())
  }

  /** Posts what was gathered, now. */
  flush(): void {
    const entries = this.#entries
    if (entries.length === 0) return
    this.#entries = []
    try {
      this.#post(entries)
    } catch {
      // One of them cannot be cloned and a post is all or nothing: alone, only that one fails.
      for (const entry of entries) this.#postAlone(entry)
    }
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#entries = []
  }

  #postAlone(entry: Entry<M>): void {
    try {
      this.#post([entry])
    } catch (error) {
      this.#onRefused(entry.message, error)
    }
  }

  #post(entries: readonly Entry<M>[]): void {
    this.#port.postMessage(
      entries.map((entry) => entry.message),
      entries.flatMap((entry) => entry.transfers),
    )
    this.#posts += 1
  }
}
