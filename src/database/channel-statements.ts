import type { Database } from 'better-sqlite3'
import type { DirectChannel } from '#protocol/database.ts'

/** Snowflakes are numbers of up to 20 digits as text: the longer one is larger. */
const IS_NEWER = `(length(excluded.last_message_id), excluded.last_message_id)
  > (length(last_message_id), last_message_id)`

/** As much as a long turn takes: on a full disk there is often a page left, and it would be no proof. */
const PROBE_BYTES = 64 * 1024

/** Everything that is asked of the direct conversations and of the probe, prepared once. */
export function prepareChannelStatements(database: Database) {
  return {
    /** Events can come out of order, so what was read never moves back. */
    read: database.prepare<[DirectChannel & { usedAt: number }]>(
      `INSERT INTO direct_channels (channel_id, user_id, last_message_id, used_at)
         VALUES (@channelId, @userId, @lastMessageId, @usedAt)
         ON CONFLICT (channel_id) DO UPDATE SET user_id = excluded.user_id, used_at = excluded.used_at,
           last_message_id = iif(${IS_NEWER}, excluded.last_message_id, last_message_id)`,
    ),
    lastUsed: database.prepare<[limit: number], DirectChannel>(
      `SELECT channel_id AS channelId, user_id AS userId, last_message_id AS lastMessageId
         FROM direct_channels ORDER BY used_at DESC, rowid DESC LIMIT ?`,
    ),
    probe: database.prepare<[writtenAt: number]>(
      `INSERT INTO probes (id, written_at, padding) VALUES (1, ?, zeroblob(${PROBE_BYTES}))
         ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at, padding = excluded.padding`,
    ),
  }
}

export type ChannelStatements = ReturnType<typeof prepareChannelStatements>
