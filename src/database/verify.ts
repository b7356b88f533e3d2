import type { Database } from 'better-sqlite3'
import { errorMessage } from '#domain/errors.ts'
import { openToRead } from './read-database.ts'

/** One thing that has to hold for the whole file. */
export interface Check {
  readonly name: string
  /** How many were looked at. */
  readonly checked: number
  readonly violations: number
  /** Some of those that break it: ids, or SQLite's words. */
  readonly examples: readonly string[]
}

export interface Verification {
  readonly checks: readonly Check[]
  /** Requests in line; how many there may be is a setting and not in the file. */
  readonly waiting: number
}

interface Invariant {
  readonly name: string
  /** Counts what is looked at. */
  readonly all: string
  /** Selects one text for each that breaks it. NOT INDEXED: an index that is wrong must not hide it. */
  readonly broken: string
}

const MAX_EXAMPLES = 5
const ACTIVE = `status IN ('QUEUED', 'PROCESSING')`
const ENDED = `status IN ('COMPLETED', 'FAILED', 'CANCELLED')`

const INVARIANTS: readonly Invariant[] = [
  {
    name: 'a user has one active request at most',
    all: `SELECT count(*) FROM requests NOT INDEXED WHERE ${ACTIVE}`,
    broken: `SELECT 'user ' || user_id FROM requests NOT INDEXED WHERE ${ACTIVE} GROUP BY user_id HAVING count(*) > 1`,
  },
  {
    name: 'a Discord message is one request at most',
    all: 'SELECT count(*) FROM requests NOT INDEXED WHERE discord_message_id IS NOT NULL',
    broken: `SELECT 'message ' || discord_message_id FROM requests NOT INDEXED WHERE discord_message_id IS NOT NULL
      GROUP BY discord_message_id HAVING count(*) > 1`,
  },
  {
    name: 'every waiting request has its place in line',
    all: `SELECT count(*) FROM requests NOT INDEXED WHERE status = 'QUEUED'`,
    broken: `SELECT id FROM requests NOT INDEXED WHERE status = 'QUEUED' AND admission IS NULL`,
  },
  {
    name: 'every request that waits for the queue came of a schedule',
    all: `SELECT count(*) FROM requests NOT INDEXED WHERE status = 'SCHEDULED'`,
    broken: `SELECT id FROM requests NOT INDEXED WHERE status = 'SCHEDULED' AND (not_before IS NULL
      OR NOT EXISTS (SELECT 1 FROM scheduled_requests WHERE request_id = requests.id))`,
  },
  {
    name: 'requests that have ended, and only those, say when',
    all: 'SELECT count(*) FROM requests NOT INDEXED',
    broken: `SELECT id FROM requests NOT INDEXED WHERE (finished_at IS NOT NULL) <> (${ENDED})`,
  },
  {
    name: 'requests without an answer, and only those, say why',
    all: 'SELECT count(*) FROM requests NOT INDEXED',
    broken: `SELECT id FROM requests NOT INDEXED
      WHERE (error_code IS NOT NULL) <> (status IN ('FAILED', 'CANCELLED'))`,
  },
  {
    name: 'question and answer stand together in the history',
    all: 'SELECT count(*) FROM messages NOT INDEXED',
    broken: `SELECT 'message ' || id FROM (
      SELECT id, role, request_id,
        lag(role) OVER conversation AS role_before, lag(request_id) OVER conversation AS request_before,
        lead(role) OVER conversation AS role_after, lead(request_id) OVER conversation AS request_after
      FROM messages NOT INDEXED WINDOW conversation AS (PARTITION BY user_id, server_id ORDER BY id)
    ) WHERE CASE role
      WHEN 'user' THEN role_after IS NOT 'assistant' OR request_after IS NOT request_id
      ELSE role_before IS NOT 'user' OR request_before IS NOT request_id END`,
  },
  {
    // A forgotten conversation has lost its messages and the texts of its requests, and so has a replaced turn.
    name: 'every answered request has its turn, unless it was forgotten or replaced',
    all: `SELECT count(*) FROM requests NOT INDEXED WHERE status = 'COMPLETED' AND message <> ''`,
    broken: `SELECT id FROM requests NOT INDEXED WHERE status = 'COMPLETED' AND message <> ''
      AND (SELECT count(*) FROM messages WHERE request_id = requests.id) <> 2`,
  },
  {
    name: 'every turn is the one of an answered request',
    all: 'SELECT count(DISTINCT request_id) FROM messages NOT INDEXED',
    broken: `SELECT DISTINCT request_id FROM messages NOT INDEXED WHERE NOT EXISTS (
      SELECT 1 FROM requests WHERE requests.id = request_id AND status = 'COMPLETED'
        AND requests.user_id = messages.user_id AND requests.server_id = messages.server_id)`,
  },
  {
    name: 'only requests that have ended have something to deliver',
    all: 'SELECT count(DISTINCT request_id) FROM outbox NOT INDEXED',
    broken: `SELECT DISTINCT request_id FROM outbox NOT INDEXED
      WHERE NOT EXISTS (SELECT 1 FROM requests WHERE requests.id = request_id AND ${ENDED})`,
  },
  {
    name: 'no message to deliver is missing',
    all: 'SELECT count(*) FROM outbox NOT INDEXED',
    broken: `SELECT request_id FROM outbox NOT INDEXED GROUP BY request_id
      HAVING min(part) <> 0 OR max(part) <> count(*) - 1 OR count(DISTINCT part) <> count(*)`,
  },
  {
    name: 'files are kept only while they are to be delivered',
    all: 'SELECT count(*) FROM reply_files NOT INDEXED',
    broken: `SELECT DISTINCT request_id FROM reply_files NOT INDEXED
      WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.request_id = reply_files.request_id AND state = 'PENDING')`,
  },
  {
    name: 'secrets are not kept longer than needed',
    all: 'SELECT count(*) FROM requests NOT INDEXED WHERE interaction_token IS NOT NULL',
    broken: `SELECT id FROM requests NOT INDEXED WHERE interaction_token IS NOT NULL AND ${ENDED}
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE request_id = requests.id AND state = 'PENDING')`,
  },
]

/**
 * Checks a database file: SQLite's own checks, and what has to hold of requests, history and outbox. Works while a
 * Parley runs on it, at one moment. Throws what `openToRead` throws; a file that is damaged inside is a result.
 */
export function verifyDatabase(path: string): Verification {
  const connection = openToRead(path)
  try {
    const invariants = INVARIANTS.map((invariant) => checkInvariant(connection, invariant))
    const checks = [checkIntegrity(connection), checkForeignKeys(connection), ...invariants]
    return { checks, waiting: countWaiting(connection) }
  } finally {
    connection.close()
  }
}

/** Tells whether everything holds. */
export function isSound({ checks }: Verification): boolean {
  return checks.every(({ violations }) => violations === 0)
}

function checkIntegrity(connection: Database): Check {
  return check('the file is sound (integrity_check, in pages)', () => ({
    checked: Number(connection.pragma('page_count', { simple: true })),
    broken: connection
      .prepare<[], string>('PRAGMA integrity_check')
      .pluck()
      .all()
      .filter((line) => line !== 'ok'),
  }))
}

function checkForeignKeys(connection: Database): Check {
  return check('every message and file belongs to a request (foreign_key_check)', () => ({
    checked: count(connection, 'SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM outbox)'),
    broken: texts(connection, `SELECT "table" || ' ' || rowid FROM pragma_foreign_key_check`),
  }))
}

function checkInvariant(connection: Database, { name, all, broken }: Invariant): Check {
  return check(name, () => ({ checked: count(connection, all), broken: texts(connection, broken) }))
}

/** A check that cannot be made, because the file is damaged where it looks, has not held. */
function check(name: string, look: () => { checked: number; broken: readonly string[] }): Check {
  try {
    const { checked, broken } = look()
    return { name, checked, violations: broken.length, examples: broken.slice(0, MAX_EXAMPLES) }
  } catch (error) {
    return { name, checked: 0, violations: 1, examples: [errorMessage(error)] }
  }
}

function countWaiting(connection: Database): number {
  try {
    return count(connection, `SELECT count(*) FROM requests NOT INDEXED WHERE status = 'QUEUED'`)
  } catch {
    // The checks have said that the table cannot be read.
    return 0
  }
}

function count(connection: Database, sql: string): number {
  return connection.prepare<[], number>(sql).pluck().get() ?? 0
}

function texts(connection: Database, sql: string): string[] {
  return connection.prepare<[], string>(sql).pluck().all()
}
