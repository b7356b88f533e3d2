/** What a mailbox needs to know. */
export interface MailboxOptions<M> {
  /** How many messages may wait; `offer` refuses beyond it. */
  readonly capacity: number
  /** Handles one message. */
  readonly handle: (message: M) => void
  /** Called after each batch of messages. */
  readonly afterBatch?: () => void
  /** Told what `handle` threw, or `afterBatch`: then there is no message. The next message is handled all the same. */
  readonly onError: (error: unknown, message: M | undefined) => void
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

  /** The next batch is scheduled first, so nothing that goes wrong in this one can end the mailbox. */
  #runBatch(): void {
    const { handle, afterBatch } = this.#options
    this.#scheduled = false
    const batch = this.#inbox.splice(0, BATCH)
    if (this.#inbox.length > 0) this.#schedule()
    for (const message of batch) this.#guard(() => handle(message), message)
    if (afterBatch) this.#guard(afterBatch)
  }

  #guard(step: () => void, message?: M): void {
    try {
      step()
    } catch (error) {
      this.#options.onError(error, message)
    }
  }
}
