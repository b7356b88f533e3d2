import type { Database } from 'better-sqlite3'
import { type AttachedFile, isUsable, type RequestFiles } from '#domain/attachments.ts'
import type { StoredFile } from '#protocol/attachments.ts'

/** Their order is that of the index, so nothing has to be sorted. */
const OF_REQUEST = '(SELECT * FROM attachments WHERE request_id = requests.id ORDER BY position)'

/** In SQL the names of a request's files in order, as JSON; null without any. */
export const FILE_NAMES = `(SELECT nullif(json_group_array(name), '[]') FROM ${OF_REQUEST})`

/** In SQL what somebody may know of a request's files who takes their data along, as JSON; null without any. */
export const FILE_FACTS = `(SELECT nullif(json_group_array(json_object('name', name, 'kind', kind,
    'mediaType', media_type, 'sizeBytes', length(bytes))), '[]') FROM ${OF_REQUEST})`

/** The files of requests. What it writes belongs into the transaction of its request. */
export class AttachmentRecords {
  readonly #statements: ReturnType<typeof prepareAttachmentStatements>

  constructor(database: Database) {
    this.#statements = prepareAttachmentStatements(database)
  }

  add(requestId: string, files: RequestFiles): void {
    if (files.type === 'copied') {
      this.#statements.copy.run({ requestId, fromRequestId: files.fromRequestId })
      return
    }
    for (const [position, file] of files.files.entries()) this.#statements.insert.run(rowOf(requestId, position, file))
  }

  /** What is known of a request's files, in order. */
  of(requestId: string): StoredFile[] {
    return this.#statements.of.all(requestId)
  }

  /** The content of one of them; undefined when there is none. */
  bytes(requestId: string, position: number): Uint8Array | undefined {
    return this.#statements.bytes.get(requestId, position) ?? undefined
  }

  delete(requestId: string): void {
    this.#statements.delete.run(requestId)
  }
}

interface AttachmentRow {
  readonly requestId: string
  readonly position: number
  readonly name: string
  readonly kind: AttachedFile['kind']
  readonly mediaType: string | null
  readonly reason: string | null
  readonly bytes: Buffer | null
}

function rowOf(requestId: string, position: number, file: AttachedFile): AttachmentRow {
  const { kind, name } = file
  const place = { requestId, position, name, kind }
  if (!isUsable(file)) return { ...place, mediaType: null, reason: file.reason, bytes: null }
  const { buffer, byteOffset, byteLength } = file.bytes
  // No copy: the memory is shared with the thread that fetched it.
  return { ...place, mediaType: file.mediaType, reason: null, bytes: Buffer.from(buffer, byteOffset, byteLength) }
}

function prepareAttachmentStatements(database: Database) {
  return {
    insert: database.prepare<[AttachmentRow]>(
      `INSERT INTO attachments (request_id, position, name, kind, media_type, reason, bytes)
         VALUES (@requestId, @position, @name, @kind, @mediaType, @reason, @bytes)`,
    ),
    copy: database.prepare<[{ requestId: string; fromRequestId: string }]>(
      `INSERT INTO attachments (request_id, position, name, kind, media_type, reason, bytes)
         SELECT @requestId, position, name, kind, media_type, reason, bytes FROM attachments
           WHERE request_id = @fromRequestId`,
    ),
    of: database.prepare<[requestId: string], StoredFile>(
      `SELECT position, name, kind, media_type AS mediaType, reason, length(bytes) AS sizeBytes FROM attachments
         WHERE request_id = ? ORDER BY position`,
    ),
    bytes: database
      .prepare<[requestId: string, position: number], Buffer | null>(
        'SELECT bytes FROM attachments WHERE request_id = ? AND position = ?',
      )
      .pluck(),
    delete: database.prepare<[requestId: string]>('DELETE FROM attachments WHERE request_id = ?'),
  }
}
