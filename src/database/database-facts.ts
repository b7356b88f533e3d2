import { statSync } from 'node:fs'
import { schemaVersion } from './migrations.ts'
import { openToRead } from './read-database.ts'
import { logBytes } from './write-ahead-log.ts'

/** What a database file holds. */
export interface DatabaseFacts {
  /** The statuses that occur, in the order of a request's life. */
  readonly requests: readonly { readonly status: string; readonly count: number }[]
  readonly users: number
  readonly conversations: number
  readonly messages: number
  /** Ended requests with messages in the outbox. */
  readonly undelivered: number
  readonly fileBytes: number
  readonly walBytes: number
  readonly schemaVersion: number
}

/** Counts what is in a database, also while a Parley runs on it. Throws what `openToRead` throws. */
export function readFacts(path: string): DatabaseFacts {
  const connection = openToRead(path)
  const count = (sql: string): number => connection.prepare<[], number>(sql).pluck().get() ?? 0
  try {
    const requests = connection.prepare<[], { status: string; count: number }>(
      `SELECT status, count(*) AS count FROM requests GROUP BY status
         ORDER BY instr('SCHEDULED QUEUED PROCESSING COMPLETED FAILED CANCELLED', status)`,
    )
    return {
      requests: requests.all(),
      users: count('SELECT count(DISTINCT user_id) FROM requests'),
      conversations: count('SELECT count(*) FROM (SELECT DISTINCT user_id, server_id FROM messages)'),
      messages: count('SELECT count(*) FROM messages'),
      undelivered: count(`SELECT count(DISTINCT request_id) FROM outbox WHERE state = 'PENDING'`),
      fileBytes: statSync(path).size,
      walBytes: logBytes(path),
      schemaVersion: schemaVersion(connection),
    }
  } finally {
    connection.close()
  }
}
