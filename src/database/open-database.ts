import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import { type DatabaseLock, takeLock } from './lock-file.ts'
import { migrate, refuseNewerSchema, schemaVersion } from './migrations.ts'
import { APPLICATION_ID } from './schema.ts'

/** A database that is checked, locked, migrated and ready. */
export interface OpenDatabase {
  readonly connection: Database.Database
  /** Closes the file and gives up the lock. */
  close(): void
}

/** How long a write waits for another tool that is writing to the file. */
export const BUSY_TIMEOUT_MS = 5000
/** After a long reader has held up checkpoints, the write-ahead log shrinks back to this. */
const MAX_IDLE_LOG_BYTES = 64 * 1024 * 1024

/**
 * Opens Parley's database, making file and folder when there are none. A file that is not fit is left as it was:
 * everything is checked before anything is written. Throws DATABASE_NOT_A_DATABASE, DATABASE_NEWER_SCHEMA,
 * DATABASE_NOT_WRITABLE, DATABASE_LOCKED or, for what nobody foresaw, START_FAILED.
 */
export function openDatabase(configuredPath: string): OpenDatabase {
  const path = resolve(configuredPath)
  try {
    checkFile(path)
    makeFolder(dirname(path))
    const lock = takeLock(path)
    return openLocked(path, lock)
  } catch (error) {
    throw error instanceof ParleyError ? error : openingError(path, error)
  }
}

function openLocked(path: string, lock: DatabaseLock): OpenDatabase {
  let connection: Database.Database | undefined
  try {
    makeFile(path)
    connection = new Database(path, { timeout: BUSY_TIMEOUT_MS })
    configure(connection)
    migrate(connection)
    connection.pragma('optimize = 0x10002')
    return { connection, close: () => closeAll(connection, lock) }
  } catch (error) {
    closeAll(connection, lock)
    throw error
  }
}

function closeAll(connection: Database.Database | undefined, lock: DatabaseLock): void {
  try {
    connection?.close()
  } finally {
    lock.release()
  }
}

/** Looks at what is there, reading only. */
function checkFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  refuseOtherThanFile(path, stats)
  // SQLite reads it, not `fs`: closing a descriptor of our own would drop the locks this process has on the file.
  const connection = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    refuseForeignTables(path, connection)
    refuseNewerSchema(path, schemaVersion(connection))
  } finally {
    connection.close()
  }
  accessSync(path, constants.R_OK | constants.W_OK)
}

/** Throws DATABASE_NOT_A_DATABASE for what is no file. */
export function refuseOtherThanFile(path: string, stats: Stats): void {
  if (stats.isFile()) return
  const message = `${path} is a folder or a device, not a database file. Point database.path to a file.`
  throw new ParleyError('DATABASE_NOT_A_DATABASE', message)
}

/** Throws DATABASE_NOT_A_DATABASE for a file with tables that are not Parley's. */
export function refuseForeignTables(path: string, connection: Database.Database): void {
  const applicationId = connection.pragma('application_id', { simple: true })
  const tables = connection.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (applicationId === APPLICATION_ID || tables === 0) return
  const message =
    `${path} is the database of another application. Nothing was changed. Point database.path to a file of ` +
    `Parley's own; it is made when it does not exist.`
  throw new ParleyError('DATABASE_NOT_A_DATABASE', message)
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  accessSync(folder, constants.W_OK)
}

/** It holds what people have written, so only its owner may read it. What SQLite puts beside it takes after it. */
function makeFile(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

/** FULL: an acknowledged write survives the loss of power. Forgotten texts are overwritten, not only unlinked. */
function configure(connection: Database.Database): void {
  set(connection, 'journal_mode', 'wal')
  set(connection, 'synchronous', 2)
  set(connection, 'foreign_keys', 1)
  set(connection, 'secure_delete', 1)
  set(connection, 'journal_size_limit', MAX_IDLE_LOG_BYTES)
}

/** SQLite ignores what it cannot do, so each setting is read back. */
function set(connection: Database.Database, setting: string, value: string | number): void {
  connection.pragma(`${setting} = ${value}`)
  const actual = connection.pragma(setting, { simple: true })
  if (actual === value) return
  const message = `The database ${connection.name} does not take ${setting} = ${value}; it stays at ${String(actual)}.`
  throw new ParleyError('START_FAILED', `${message} Put the file on a local disk.`)
}

/** Why a file could not be opened, as an error with a code that says what to do. */
export function openingError(path: string, cause: unknown): ParleyError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = errorMessage(cause)
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) {
    const what = `${path} is not a SQLite database, or it is damaged (${reason}). Nothing was changed.`
    const advice = 'Move it away, or point database.path to another file.'
    return new ParleyError('DATABASE_NOT_A_DATABASE', `${what} ${advice}`, { cause })
  }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const what = `The database ${path} is in use by another program (${reason}).`
    return new ParleyError('DATABASE_LOCKED', `${what} Close that program and start again.`, { cause })
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|IOERR|PERM|AUTH|FULL)|E[A-Z]+$)/.test(code)) {
    const what = `The database ${path} cannot be made or written (${reason}).`
    const advice = "Check that Parley's user may write to the file and its folder, and that the disk is not full."
    return new ParleyError('DATABASE_NOT_WRITABLE', `${what} ${advice}`, { cause })
  }
  return new ParleyError('START_FAILED', `The database ${path} could not be opened (${reason}).`, { cause })
}
