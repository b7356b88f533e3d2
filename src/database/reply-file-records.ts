import type { Database } from 'better-sqlite3'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { ForgetScope } from '#protocol/personal-records.ts'

/** The files of replies that are still to be delivered. Each change belongs into the write of the messages they come with. */
export class ReplyFileRecords {
  readonly #statements: ReturnType<typeof prepareReplyFileStatements>

  constructor(database: Database) {
    this.#statements = prepareReplyFileStatements(database)
  }

  add(requestId: string, files: readonly ReplyFile[] = []): void {
    for (const file of files) this.#statements.insert.run({ requestId, ...file })
  }

  /** To be spread into a reply: it has no files when there are none. */
  of(requestId: string): { readonly files?: readonly ReplyFile[] } {
    const files = this.#statements.ofRequest.all(requestId)
    return files.length === 0 ? {} : { files }
  }

  delete(requestId: string): void {
    this.#statements.delete.run(requestId)
  }

  forget(scope: ForgetScope): void {
    this.#statements.forget.run(scope)
  }
}

function prepareReplyFileStatements(database: Database) {
  return {
    insert: database.prepare<[ReplyFile & { requestId: string }]>(
      'INSERT INTO reply_files (request_id, name, content) VALUES (@requestId, @name, @text)',
    ),
    ofRequest: database.prepare<[requestId: string], ReplyFile>(
      'SELECT name, content AS text FROM reply_files WHERE request_id = ? ORDER BY id',
    ),
    delete: database.prepare<[requestId: string]>('DELETE FROM reply_files WHERE request_id = ?'),
    forget: database.prepare<[ForgetScope]>(
      `DELETE FROM reply_files WHERE request_id IN (
         SELECT id FROM requests WHERE user_id = @userId AND (@serverId IS NULL OR server_id = @serverId))`,
    ),
  }
}
