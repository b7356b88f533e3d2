import { LRUCache } from 'lru-cache'
import type { ConversationKey, HistoryMessage } from '#domain/conversation.ts'

/** The end of a conversation, oldest first. */
interface RecentHistory {
  readonly messages: readonly HistoryMessage[]
  /** Whether nothing older is stored. */
  readonly isAll: boolean
}

export interface HistoryCacheCounters {
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

/** A longer history than this is read from the file each time. */
export const CACHED_MESSAGES = 200
/** What an entry and a message cost beside their text, roughly. */
const ENTRY_BYTES = 300
const MESSAGE_BYTES = 120
const BYTES_PER_CODE_UNIT = 2

/**
 * The newest messages of the conversations used last, as they are in the file. It stays so because its thread is the
 * only writer and tells it of every change after the commit, before anything else is read.
 */
export class HistoryCache {
  readonly #entries: LRUCache<string, RecentHistory> | undefined
  #hits = 0
  #misses = 0

  /** With no bytes to keep anything in, it keeps nothing. */
  constructor(maxBytes: number) {
    if (maxBytes > 0) this.#entries = new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf })
  }

  get counters(): HistoryCacheCounters {
    return { bytes: this.#entries?.calculatedSize ?? 0, hits: this.#hits, misses: this.#misses }
  }

  /** The newest messages, oldest first; `load` reads them from the file, newest last, when they are not here. */
  newest(key: ConversationKey, limit: number, load: () => HistoryMessage[]): HistoryMessage[] {
    const known = this.#entries?.get(nameOf(key))
    if (known !== undefined && (known.isAll || known.messages.length >= limit)) {
      this.#hits += 1
      return limit === 0 ? [] : known.messages.slice(-limit)
    }
    this.#misses += 1
    const messages = load()
    if (limit > 0) this.#keep(key, messages, messages.length < limit)
    return messages
  }

  /** Adds what was stored at the end of a conversation. */
  append(key: ConversationKey, added: readonly HistoryMessage[]): void {
    const known = this.#entries?.get(nameOf(key))
    if (known !== undefined) this.#keep(key, [...known.messages, ...added], known.isAll)
  }

  drop(key: ConversationKey): void {
    this.#entries?.delete(nameOf(key))
  }

  #keep(key: ConversationKey, messages: readonly HistoryMessage[], isAll: boolean): void {
    const kept = messages.slice(-CACHED_MESSAGES)
    this.#entries?.set(nameOf(key), { messages: kept, isAll: isAll && kept.length === messages.length })
  }
}

/** Neither id can hold the separator: each is a number, or `console`. */
function nameOf({ userId, serverId }: ConversationKey): string {
  return `${userId}/${serverId}`
}

function bytesOf({ messages }: RecentHistory): number {
  return messages.reduce(
    (bytes, { content }) => bytes + MESSAGE_BYTES + content.length * BYTES_PER_CODE_UNIT,
    ENTRY_BYTES,
  )
}
