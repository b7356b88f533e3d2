import type { Database } from 'better-sqlite3'

interface AddedMessage {
  readonly requestId: string
  readonly discordMessageId: string
}

/** Everything that is asked of the Discord messages that were added to waiting requests, prepared once. */
export function prepareAddedMessageStatements(database: Database) {
  return {
    /** Whether a Discord message is in a request already, as its first one or as one that was added. */
    isTaken: database
      .prepare<[{ discordMessageId: string }], number>(
        `SELECT EXISTS (SELECT 1 FROM added_messages WHERE discord_message_id = @discordMessageId)
           OR EXISTS (SELECT 1 FROM requests WHERE discord_message_id = @discordMessageId)`,
      )
      .pluck(),
    isAdded: database
      .prepare<[discordMessageId: string | null], number>('SELECT 1 FROM added_messages WHERE discord_message_id = ?')
      .pluck(),
    insert: database.prepare<[AddedMessage]>(
      'INSERT INTO added_messages (discord_message_id, request_id) VALUES (@discordMessageId, @requestId)',
    ),
    delete: database.prepare<[requestId: string]>('DELETE FROM added_messages WHERE request_id = ?'),
  }
}

export type AddedMessageStatements = ReturnType<typeof prepareAddedMessageStatements>
