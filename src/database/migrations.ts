import type { Database } from 'better-sqlite3'
import { ParleyError } from '#domain/errors.ts'
import { ATTACHMENTS_SCHEMA } from './attachments-schema.ts'
import { DIRECT_SERVERS_SCHEMA } from './direct-servers-schema.ts'
import { FAIR_SCHEMA } from './fair-schema.ts'
import { PREFERENCES_SCHEMA } from './preferences-schema.ts'
import { REPLACED_TURNS_SCHEMA } from './replaced-turns-schema.ts'
import { REPLY_FILES_SCHEMA } from './reply-files-schema.ts'
import { SCHEDULED_REQUESTS_SCHEMA, SCHEDULES_SCHEMA, TIME_ZONES_SCHEMA } from './schedules-schema.ts'
import { ADDED_MESSAGES_SCHEMA, DURABLE_QUEUE_SCHEMA, FIRST_SCHEMA } from './schema.ts'
import { SERVER_SETTINGS_SCHEMA } from './server-settings-schema.ts'
import { USAGE_SCHEMA } from './usage-schema.ts'

/** Every schema change, oldest first; a file at version n has seen the first n. Never change one that was released. */
const MIGRATIONS: readonly string[] = [
  FIRST_SCHEMA,
  DURABLE_QUEUE_SCHEMA,
  USAGE_SCHEMA,
  ADDED_MESSAGES_SCHEMA,
  PREFERENCES_SCHEMA,
  REPLY_FILES_SCHEMA,
  SERVER_SETTINGS_SCHEMA,
  REPLACED_TURNS_SCHEMA,
  DIRECT_SERVERS_SCHEMA,
  ATTACHMENTS_SCHEMA,
  FAIR_SCHEMA,
  SCHEDULES_SCHEMA,
  TIME_ZONES_SCHEMA,
  SCHEDULED_REQUESTS_SCHEMA,
]

/** The schema version of this Parley. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Brings a database up to date, each migration in a transaction of its own. Throws DATABASE_NEWER_SCHEMA. */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  const step = database.transaction((): boolean => {
    const version = schemaVersion(database)
    refuseNewerSchema(database.name, version, migrations.length)
    const migration = migrations[version]
    if (migration === undefined) return false
    database.exec(migration)
    database.pragma(`user_version = ${version + 1}`)
    return true
  })
  while (step.immediate());
}

export function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}

/** Throws DATABASE_NEWER_SCHEMA when a file's version is one this Parley does not know. */
export function refuseNewerSchema(path: string, version: number, known: number = SCHEMA_VERSION): void {
  if (version <= known) return
  const message =
    `The database ${path} was written by a newer Parley: its schema is version ${version}, this Parley knows up to ` +
    `version ${known}. Nothing was changed. Update Parley, or point database.path to another file.`
  throw new ParleyError('DATABASE_NEWER_SCHEMA', message)
}

/** Throws DATABASE_OLDER_SCHEMA when a file has to be migrated before this Parley can read it. */
export function refuseOlderSchema(path: string, version: number): void {
  if (version >= SCHEMA_VERSION) return
  const message =
    `The database ${path} was written by an older Parley: its schema is version ${version}, this Parley works with ` +
    `version ${SCHEMA_VERSION}. Nothing was changed. Start this Parley on it once, which brings it up to date.`
  throw new ParleyError('DATABASE_OLDER_SCHEMA', message)
}
