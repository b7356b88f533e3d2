import type { Database } from 'better-sqlite3'
import { NO_PREFERENCES, type Preferences } from '#domain/preferences.ts'

/** What people have chosen for themselves. */
export class PreferenceRecords {
  readonly #statements: ReturnType<typeof preparePreferenceStatements>

  constructor(database: Database) {
    this.#statements = preparePreferenceStatements(database)
  }

  of(userId: string): Preferences {
    return this.#statements.of.get(userId) ?? NO_PREFERENCES
  }

  /** Changes what is named and returns all of it. */
  change(userId: string, changes: Partial<Preferences>): Preferences {
    const preferences = { ...this.of(userId), ...changes }
    this.#statements.put.run({ userId, ...preferences })
    return preferences
  }

  delete(userId: string): void {
    this.#statements.delete.run(userId)
  }
}

function preparePreferenceStatements(database: Database) {
  return {
    of: database.prepare<[userId: string], Preferences>(
      `SELECT persona, model, reasoning, direct_server_id AS directServerId, time_zone AS timeZone FROM preferences
         WHERE user_id = ?`,
    ),
    put: database.prepare<[Preferences & { userId: string }]>(
      `INSERT OR REPLACE INTO preferences (user_id, persona, model, reasoning, direct_server_id, time_zone)
         VALUES (@userId, @persona, @model, @reasoning, @directServerId, @timeZone)`,
    ),
    delete: database.prepare<[userId: string]>('DELETE FROM preferences WHERE user_id = ?'),
  }
}
