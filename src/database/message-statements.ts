import type { Database } from 'better-sqlite3'
import type { ConversationKey, HistoryMessage, Role } from '#domain/conversation.ts'

interface NewMessage extends ConversationKey {
  readonly requestId: string
  readonly role: Role
  readonly content: string
  readonly timestamp: number
  readonly model: string | null
  readonly promptTokens: number | null
  readonly completionTokens: number | null
}

interface Answer {
  readonly answer: string
  readonly model: string
  readonly promptTokens: number | null
  readonly completionTokens: number | null
}

/** Everything that is asked of the table of messages, prepared once. */
export function prepareMessageStatements(database: Database) {
  return {
    insert: database.prepare<[NewMessage]>(
      `INSERT INTO messages
         (request_id, user_id, server_id, role, content, timestamp, model, prompt_tokens, completion_tokens)
         VALUES (@requestId, @userId, @serverId, @role, @content, @timestamp, @model, @promptTokens, @completionTokens)`,
    ),
    /** Newest first. */
    newest: database.prepare<[ConversationKey & { limit: number }], HistoryMessage>(
      `SELECT role, content, timestamp FROM messages WHERE user_id = @userId AND server_id = @serverId
         ORDER BY id DESC LIMIT @limit`,
    ),
    /** The request of a conversation's newest turn. */
    newestRequest: database
      .prepare<[ConversationKey], string>(
        `SELECT request_id FROM messages WHERE user_id = @userId AND server_id = @serverId ORDER BY id DESC LIMIT 1`,
      )
      .pluck(),
    answer: database.prepare<[requestId: string], Answer>(
      `SELECT content AS answer, coalesce(model, '') AS model, prompt_tokens AS promptTokens,
         completion_tokens AS completionTokens FROM messages WHERE request_id = ? AND role = 'assistant'`,
    ),
    deleteTurn: database.prepare<[requestId: string]>('DELETE FROM messages WHERE request_id = ?'),
  }
}

export type MessageStatements = ReturnType<typeof prepareMessageStatements>
