import type { Database } from 'better-sqlite3'
import type { RequestOrigin } from '#domain/request.ts'
import type { StoredReply, UndeliveredReply } from '#protocol/database.ts'
import { type OutboxStatements, prepareOutboxStatements } from './outbox-statements.ts'
import { ReplyFileRecords } from './reply-file-records.ts'
import { recoveredRequest } from './request-statements.ts'

/** Replies until they have arrived. Each change belongs into the write of what it is about. */
export class OutboxRecords {
  readonly #outbox: OutboxStatements
  readonly #files: ReplyFileRecords
  readonly #now: () => number

  /** `now` in ms since epoch. */
  constructor(database: Database, now: () => number) {
    this.#outbox = prepareOutboxStatements(database)
    this.#files = new ReplyFileRecords(database)
    this.#now = now
  }

  add(requestId: string, { messages, files }: StoredReply, createdAt: number): void {
    for (const [part, content] of messages.entries()) this.#outbox.insert.run({ requestId, part, content, createdAt })
    if (messages.length === 0) this.#outbox.dropToken.run(requestId)
    else this.#files.add(requestId, files)
  }

  deliver(requestId: string, messageIds: readonly string[]): void {
    this.#outbox.deliver.run({ requestId, messageIds: JSON.stringify(messageIds), endedAt: this.#now() })
    this.#end(requestId)
  }

  abandon(requestId: string, reason: string): void {
    this.#outbox.abandon.run({ requestId, reason, endedAt: this.#now() })
    this.#end(requestId)
  }

  delete(requestId: string): void {
    this.#outbox.delete.run(requestId)
    this.#files.delete(requestId)
  }

  /** To be spread: empty when nothing is to be delivered. */
  of(requestId: string): Partial<StoredReply> {
    const messages = this.#outbox.ofRequest.all(requestId)
    return messages.length > 0 ? { messages, ...this.#files.of(requestId) } : {}
  }

  undelivered(origin: RequestOrigin): UndeliveredReply[] {
    const replies = new Map<string, UndeliveredReply & { messages: string[] }>()
    for (const { content, ...stored } of this.#outbox.pending.all({ origin })) {
      const { request, statusMessageId } = recoveredRequest(stored)
      const known = replies.get(request.id)
      if (known) known.messages.push(content)
      else {
        const reply = { request, statusMessageId, status: stored.status, messages: [content] }
        replies.set(request.id, { ...reply, ...this.#files.of(request.id) })
      }
    }
    return [...replies.values()]
  }

  #end(requestId: string): void {
    this.#files.delete(requestId)
    this.#outbox.dropToken.run(requestId)
  }
}
