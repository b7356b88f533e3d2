import type { Database } from 'better-sqlite3'
import type { RequestOrigin } from '#domain/request.ts'
import { OF_ORIGIN, REQUEST_FIELDS, type StoredRequest } from './request-statements.ts'

interface OutboxRow {
  readonly requestId: string
  readonly part: number
  readonly content: string
  readonly createdAt: number
}

interface PendingPart extends StoredRequest {
  readonly content: string
}

/** Everything that is asked of the outbox, prepared once. */
export function prepareOutboxStatements(database: Database) {
  return {
    insert: database.prepare<[OutboxRow]>(
      'INSERT INTO outbox (request_id, part, content, created_at) VALUES (@requestId, @part, @content, @createdAt)',
    ),
    /** Parts beyond the known messages are delivered too, under ids that nobody told. */
    deliver: database.prepare<[{ requestId: string; messageIds: string; endedAt: number }]>(
      `UPDATE outbox SET state = 'DELIVERED', content = '', ended_at = @endedAt,
         message_id = json_extract(@messageIds, '$[' || part || ']')
         WHERE request_id = @requestId AND state = 'PENDING'`,
    ),
    abandon: database.prepare<[{ requestId: string; reason: string; endedAt: number }]>(
      `UPDATE outbox SET state = 'ABANDONED', content = '', ended_at = @endedAt, reason = @reason
         WHERE request_id = @requestId AND state = 'PENDING'`,
    ),
    /** In the order they were stored, so the parts of a request follow each other. */
    pending: database.prepare<[{ origin: RequestOrigin }], PendingPart>(
      `SELECT ${REQUEST_FIELDS}, content FROM outbox JOIN requests ON requests.id = request_id
         WHERE state = 'PENDING' AND ${OF_ORIGIN} ORDER BY outbox.id`,
    ),
    /** In order. */
    ofRequest: database
      .prepare<[requestId: string], string>(
        `SELECT content FROM outbox WHERE request_id = ? AND state = 'PENDING' ORDER BY part`,
      )
      .pluck(),
    dropToken: database.prepare<[requestId: string]>(
      'UPDATE requests SET interaction_token = NULL WHERE id = ? AND interaction_token IS NOT NULL',
    ),
    delete: database.prepare<[requestId: string]>('DELETE FROM outbox WHERE request_id = ?'),
  }
}

export type OutboxStatements = ReturnType<typeof prepareOutboxStatements>
