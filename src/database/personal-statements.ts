import type { Database } from 'better-sqlite3'
import type { ConversationKey } from '#domain/conversation.ts'
import type { DirectChannel } from '#protocol/database.ts'
import type {
  ExportedMessage,
  ExportedRequest,
  ForgetScope,
  RowCursor,
  StoredMessage,
  UndeliveredText,
} from '#protocol/personal-records.ts'
import { FILE_FACTS } from './attachment-records.ts'

type PagePlace = ConversationKey & { readonly messageId: number; readonly limit: number }
type ExportPlace = RowCursor & { readonly userId: string; readonly limit: number }

const OF_CONVERSATION = 'user_id = @userId AND server_id = @serverId'
/** What a user forgets: all of it, or one conversation. */
export const IN_SCOPE = 'user_id = @userId AND (@serverId IS NULL OR server_id = @serverId)'

/** Everything that is asked about one user, prepared once. */
export function preparePersonalStatements(database: Database) {
  return {
    /** Newest first. */
    before: database.prepare<[PagePlace], StoredMessage>(
      `SELECT id, role, content, timestamp FROM messages WHERE ${OF_CONVERSATION} AND id < @messageId
         ORDER BY id DESC LIMIT @limit`,
    ),
    /** Oldest first. */
    after: database.prepare<[PagePlace], StoredMessage>(
      `SELECT id, role, content, timestamp FROM messages WHERE ${OF_CONVERSATION} AND id > @messageId
         ORDER BY id LIMIT @limit`,
    ),
    requests: database.prepare<[ExportPlace], Omit<ExportedRequest, 'files'> & { readonly files: string | null }>(
      `SELECT rowid AS row, id, server_id AS serverId, channel_id AS channelId,
         direct_server_name AS directServerName, message, status, timestamp, finished_at AS finishedAt,
         error_code AS errorCode, ${FILE_FACTS} AS files FROM requests
         WHERE user_id = @userId AND (server_id, rowid) > (@serverId, @row) ORDER BY server_id, rowid LIMIT @limit`,
    ),
    messages: database.prepare<[ExportPlace], ExportedMessage>(
      `SELECT id AS row, server_id AS serverId, role, content, timestamp, model, prompt_tokens AS promptTokens,
         completion_tokens AS completionTokens FROM messages
         WHERE user_id = @userId AND (server_id, id) > (@serverId, @row) ORDER BY server_id, id LIMIT @limit`,
    ),
    channels: database.prepare<[userId: string], DirectChannel>(
      `SELECT channel_id AS channelId, user_id AS userId, last_message_id AS lastMessageId
         FROM direct_channels WHERE user_id = ? ORDER BY channel_id`,
    ),
    /** The plus keeps SQLite from reading all that its user has ever asked: little waits to be delivered. */
    undelivered: database.prepare<[{ userId: string; limit: number }], UndeliveredText>(
      `SELECT * FROM (
         SELECT request_id AS requestId, NULL AS file, content AS text FROM outbox JOIN requests
           ON requests.id = request_id WHERE state = 'PENDING' AND +user_id = @userId ORDER BY outbox.id LIMIT @limit)
       UNION ALL SELECT * FROM (
         SELECT request_id, name, content FROM reply_files JOIN requests
           ON requests.id = request_id WHERE +user_id = @userId ORDER BY reply_files.id LIMIT @limit)`,
    ),
    conversations: database.prepare<[ForgetScope], ConversationKey>(
      `SELECT DISTINCT user_id AS userId, server_id AS serverId FROM messages WHERE ${IN_SCOPE}`,
    ),
    deleteMessages: database.prepare<[ForgetScope]>(`DELETE FROM messages WHERE ${IN_SCOPE}`),
    deleteChannels: database.prepare<[userId: string]>('DELETE FROM direct_channels WHERE user_id = ?'),
    /** The token is worth something only while there is something to deliver. */
    blankRequests: database.prepare<[ForgetScope]>(
      `UPDATE requests SET message = '', interaction_token = NULL WHERE ${IN_SCOPE}
         AND status IN ('COMPLETED', 'FAILED', 'CANCELLED') AND (message <> '' OR interaction_token IS NOT NULL)`,
    ),
    deleteAttachments: database.prepare<[ForgetScope]>(
      `DELETE FROM attachments WHERE request_id IN (SELECT id FROM requests WHERE ${IN_SCOPE}
         AND status IN ('COMPLETED', 'FAILED', 'CANCELLED'))`,
    ),
    abandonReplies: database.prepare<[ForgetScope & { reason: string; endedAt: number }]>(
      `UPDATE outbox SET state = 'ABANDONED', content = '', ended_at = @endedAt, reason = @reason
         WHERE state = 'PENDING' AND EXISTS (SELECT 1 FROM requests WHERE requests.id = request_id AND ${IN_SCOPE})`,
    ),
  }
}

export type PersonalStatements = ReturnType<typeof preparePersonalStatements>
