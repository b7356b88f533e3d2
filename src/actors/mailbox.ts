/** What a mailbox needs to know. */
export interface MailboxOptions<M> {
  /** How many messages may wait; `offer` refuses beyond it. */
  readonly capacity: number
  /** Handles one message; must not throw. */
  readonly handle: (message: M) => void
  /** Called after each batch of messages. */
  readonly afterBatch?: () => void
}

/** So many messages are handled before the event loop gets its turn again. */
const BATCH = 100

/**
 * An actor's inbox: messages are handled one after the other, never inside one another.
 *
 * They are handled in a later turn of the event loop, a batch at a time, so neither a burst of
 * messages nor a handler that sends to its own mailbox can hold the thread.
 */
export class Mailbox<M> {
  readonly #options: MailboxOptions<M>
  #inbox: M[] = []
  #scheduled = false

  constructor(options: MailboxOptions<M>) {
    this.#options = options
  }

  get size(): number {
    return this.#inbox.length
  }

  /** Takes a message from outside; false when the mailbox is full. */
  offer(message: M): boolean {
    if (this.#inbox.length >= this.#options.capacity) return false
    this.deliver(message)
    return true
  }

  /** Takes a message that must not be refused: one the actor itself is waiting for. */
  deliver(message: M): void {
    this.#inbox.push(message)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#runBatch())
  }

  #runBatch(): void {
    const batch = this.#inbox.splice(0, BATCH)
    for (const message of batch) this.#options.handle(message)
    this.#options.afterBatch?.()
    this.#scheduled = false
    if (this.#inbox.length > 0) this.#schedule()
  }
}
