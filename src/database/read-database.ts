import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import Database from 'better-sqlite3'
import { ParleyError } from '#domain/errors.ts'
import { refuseNewerSchema, refuseOlderSchema, schemaVersion } from './migrations.ts'
import { BUSY_TIMEOUT_MS, openingError, refuseForeignTables, refuseOtherThanFile } from './open-database.ts'

/**
 * Opens an existing database for reading, also while a Parley runs on it, and keeps to one moment: what is written
 * from now on is not seen. Throws DATABASE_MISSING, DATABASE_OLDER_SCHEMA, DATABASE_NEWER_SCHEMA,
 * DATABASE_NOT_A_DATABASE or what `openingError` makes of the rest. The caller closes the connection.
 */
export function openToRead(configuredPath: string): Database.Database {
  const path = resolve(configuredPath)
  try {
    refuseMissing(path)
    return openSnapshot(path)
  } catch (error) {
    throw error instanceof ParleyError ? error : openingError(path, error)
  }
}

function refuseMissing(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats !== undefined) return refuseOtherThanFile(path, stats)
  const message =
    `There is no database ${path}. Check database.path, or start Parley once: that makes it. A relative path begins ` +
    `in the folder in which the command is run.`
  throw new ParleyError('DATABASE_MISSING', message)
}

function openSnapshot(path: string): Database.Database {
  const connection = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
  try {
    // The first thing that is read after BEGIN fixes the moment.
    connection.exec('BEGIN')
    refuseForeignTables(path, connection)
    const version = schemaVersion(connection)
    refuseNewerSchema(path, version)
    refuseOlderSchema(path, version)
    return connection
  } catch (error) {
    connection.close()
    throw error
  }
}
