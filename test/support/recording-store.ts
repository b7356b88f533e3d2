import type { PressStore } from '#discord/card-presses.ts'
import type { DeliveryStore } from '#discord/delivery-ledger.ts'
import type { DirectChannel, KnownRequest } from '#protocol/database.ts'

/** Keeps what Discord's side notes in the database, and lets a test wait for it. */
export class RecordingStore implements DeliveryStore, PressStore {
  /** The messages that show requests, as `request message`. */
  readonly statusMessages: string[] = []
  /** Delivered requests and their messages, as `request message message`. */
  readonly delivered: string[] = []
  /** Requests given up, as `request reason`. */
  readonly abandoned: string[] = []
  readonly read: DirectChannel[] = []
  /** What `findRequest` finds. */
  readonly known = new Map<string, KnownRequest>()
  /** What `directChannels` tells. */
  channels: DirectChannel[] = []
  /** The limits it was asked with. */
  readonly asked: number[] = []
  /** While set, every call fails with it. */
  failure: Error | undefined
  /** While set, every call waits for it. */
  held: Promise<void> | undefined
  /** How many calls were made. */
  calls = 0
  readonly #waiting = new Set<() => void>()

  setStatusMessage(requestId: string, messageId: string): Promise<void> {
    return this.#note(this.statusMessages, `${requestId} ${messageId}`)
  }

  markDelivered(requestId: string, messageIds: readonly string[]): Promise<void> {
    return this.#note(this.delivered, [requestId, ...messageIds].join(' '))
  }

  abandonDelivery(requestId: string, reason: string): Promise<void> {
    return this.#note(this.abandoned, `${requestId} ${reason}`)
  }

  markRead(channel: DirectChannel): Promise<void> {
    return this.#note(this.read, channel)
  }

  async directChannels(limit: number): Promise<DirectChannel[]> {
    await this.#note(this.asked, limit)
    return this.channels.slice(0, limit)
  }

  async findRequest(requestId: string): Promise<KnownRequest | undefined> {
    await this.#note([], requestId)
    return this.known.get(requestId)
  }

  /** Resolves once something holds of what was noted. */
  async until(holds: (store: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  async #note<T>(list: T[], entry: T): Promise<void> {
    this.calls++
    this.#wake()
    await this.held
    if (this.failure) throw this.failure
    list.push(entry)
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
