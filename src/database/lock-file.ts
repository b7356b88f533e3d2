import Database from 'better-sqlite3'
import { ParleyError } from '#domain/errors.ts'

/** Held while a Parley works on a database. */
export interface DatabaseLock {
  release(): void
}

/** How long a Parley that is just ending may still hold the lock. */
const WAIT_MS = 250

/** A connection that nothing refers to is collected and closed, and its lock would be gone without a word. */
const held = new Set<Database.Database>()

/**
 * Takes the lock of a database: an exclusive transaction on a small SQLite file beside it. The system drops it when the
 * process dies, however it dies, and other tools can still read the database itself. Throws DATABASE_LOCKED.
 */
export function takeLock(path: string): DatabaseLock {
  const lock = new Database(`${path}.lock`, { timeout: WAIT_MS })
  try {
    // No journal file, which would stay behind after a kill: nothing is ever written here.
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw isBusy(error) ? lockedError(path, error) : error
  }
  held.add(lock)
  return { release: () => releaseLock(lock) }
}

function releaseLock(lock: Database.Database): void {
  held.delete(lock)
  lock.close()
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function lockedError(path: string, cause: unknown): ParleyError {
  const message =
    `The database ${path} is in use by another Parley. Stop that one first, or point database.path of one of them ` +
    `to another file.`
  return new ParleyError('DATABASE_LOCKED', message, { cause })
}
