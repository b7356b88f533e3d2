import type { Database } from 'better-sqlite3'
import type { ConversationKey } from '#domain/conversation.ts'
import type { ErrorCode } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { Settlement } from '#protocol/database.ts'
import type { RequestState } from './request-fence.ts'

interface CompletedRequest extends ConversationRequest {
  readonly attempt: number
  readonly finishedAt: number
}

const COLUMNS =
  'id, user_id, server_id, channel_id, message, timestamp, discord_message_id, priority, not_before, status, attempt'
const VALUES = '@id, @userId, @serverId, @channelId, @message, @timestamp, @discordMessageId, @priority, @notBefore'

/** Everything that is asked of the table of requests, prepared once. */
export function prepareRequestStatements(database: Database) {
  return {
    insertQueued: database.prepare<[ConversationRequest]>(
      `INSERT INTO requests (${COLUMNS}) VALUES (${VALUES}, 'QUEUED', 0) ON CONFLICT (discord_message_id) DO NOTHING`,
    ),
    insertCompleted: database.prepare<[CompletedRequest]>(
      `INSERT INTO requests (${COLUMNS}, finished_at) VALUES (${VALUES}, 'COMPLETED', @attempt, @finishedAt)`,
    ),
    state: database.prepare<[requestId: string], RequestState>('SELECT status, attempt FROM requests WHERE id = ?'),
    start: database.prepare<[{ requestId: string; attempt: number; startedAt: number }]>(
      `UPDATE requests SET status = 'PROCESSING', attempt = @attempt, started_at = @startedAt WHERE id = @requestId`,
    ),
    requeue: database.prepare<[requestId: string]>(`UPDATE requests SET status = 'QUEUED' WHERE id = ?`),
    settle: database.prepare<[Settlement]>(
      'UPDATE requests SET status = @status, error_code = @errorCode, finished_at = @finishedAt WHERE id = @requestId',
    ),
    complete: database.prepare<[{ requestId: string; attempt: number; finishedAt: number }]>(
      `UPDATE requests SET status = 'COMPLETED', attempt = @attempt, started_at = coalesce(started_at, @finishedAt),
         finished_at = @finishedAt WHERE id = @requestId`,
    ),
    setStatusMessage: database.prepare<[{ requestId: string; statusMessageId: string }]>(
      'UPDATE requests SET status_message_id = @statusMessageId WHERE id = @requestId',
    ),
    blankTexts: database.prepare<[ConversationKey]>(
      `UPDATE requests SET message = '' WHERE user_id = @userId AND server_id = @serverId
         AND status IN ('COMPLETED', 'FAILED', 'CANCELLED') AND message <> ''`,
    ),
    interruptActive: database.prepare<[{ errorCode: ErrorCode; finishedAt: number }]>(
      `UPDATE requests SET status = 'FAILED', error_code = @errorCode, finished_at = @finishedAt
         WHERE status IN ('QUEUED', 'PROCESSING')`,
    ),
  }
}

export type RequestStatements = ReturnType<typeof prepareRequestStatements>
