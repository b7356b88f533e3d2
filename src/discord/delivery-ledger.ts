import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DatabaseApi, DirectChannel } from '#protocol/database.ts'
import type { CardsOptions } from './reply-cards.ts'

export type DeliveryStore = Pick<
  DatabaseApi,
  'setStatusMessage' | 'markDelivered' | 'abandonDelivery' | 'directChannels' | 'markRead'
>

/** Notes in the database what stands on Discord. What cannot be noted is logged: the next start looks on Discord. */
export class DeliveryLedger {
  readonly #store: DeliveryStore
  readonly #log: Log
  readonly #writing = new Set<Promise<void>>()
  /** What the cards tell. */
  readonly notes: Pick<CardsOptions, 'onShown' | 'onDelivered' | 'onUndeliverable'> = {
    onShown: (requestId, messageId) => {
      const writing = this.#store.setStatusMessage(requestId, messageId)
      this.#note(writing, 'error', { requestId }, 'the message that shows a request was not stored')
    },
    onDelivered: (requestId, messageIds) => {
      const writing = this.#store
        .markDelivered(requestId, messageIds)
        .then(() => this.#log.debug({ requestId, messages: messageIds.length }, 'a reply was delivered'))
      this.#note(writing, 'error', { requestId }, 'that a reply was delivered was not stored')
    },
    onUndeliverable: (requestId, reason) => {
      const writing = this.#store.abandonDelivery(requestId, reason)
      this.#note(writing, 'error', { requestId, reason }, 'that a reply can never be delivered was not stored')
    },
  }

  constructor(store: DeliveryStore, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** Without it the message is read once more at the next start, and refused or left alone once more. */
  noteRead(channel: DirectChannel): void {
    const fields = { channelId: channel.channelId }
    this.#note(this.#store.markRead(channel), 'debug', fields, 'how far a conversation was read was not stored')
  }

  /** Resolves when all that was noted so far is stored, or cannot be. */
  async written(): Promise<void> {
    await Promise.all(this.#writing)
  }

  #note(writing: Promise<void>, level: 'error' | 'debug', fields: object, message: string): void {
    const noted = writing
      .catch((error: unknown) => this.#log[level]({ ...fields, error: errorMessage(error) }, message))
      .finally(() => this.#writing.delete(noted))
    this.#writing.add(noted)
  }
}
