import type { Database } from 'better-sqlite3'
import { type Choice, NO_CHOICE } from '#domain/briefing.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import type { Preferences } from '#domain/preferences.ts'
import {
  changeServerSettings,
  differences,
  NO_SERVER_SETTINGS,
  type SettingDifference,
} from '#domain/server-settings.ts'
import type { RowCursor } from '#protocol/personal-records.ts'
import type {
  AuditEntry,
  ChoicesOfConversation,
  ExportedSettingChange,
  ServerSettingsChange,
  ServerSettingsResult,
  StoredServerSettings,
} from '#protocol/server-records.ts'

interface SettingsRow extends Choice {
  readonly serverId: string
  readonly version: number
  /** JSON lists of ids. */
  readonly channels: string
  readonly roles: string
}

type AuditRow = SettingDifference & { readonly serverId: string; readonly userId: string; readonly at: number }

/** What is set for whole servers. `change` is one write: to be called inside a savepoint, all or nothing. */
export class ServerRecords {
  readonly #statements: ReturnType<typeof prepareServerStatements>

  constructor(database: Database) {
    this.#statements = prepareServerStatements(database)
  }

  choices({ userId, serverId }: ConversationKey): ChoicesOfConversation {
    const { reasoning, ...own } = this.#statements.own.get(userId) ?? { ...NO_CHOICE, reasoning: 'hidden' }
    return {
      own,
      reasoning,
      server: this.#statements.server.get(serverId) ?? NO_CHOICE,
      toldOf: this.#statements.toldOf.all(userId),
    }
  }

  of(serverId: string): StoredServerSettings {
    const row = this.#statements.settings.get(serverId)
    if (!row) return { settings: NO_SERVER_SETTINGS, version: 0 }
    const { persona, model, version } = row
    return { settings: { persona, model, channels: listOf(row.channels), roles: listOf(row.roles) }, version }
  }

  change({ serverId, userId, at, change }: ServerSettingsChange): ServerSettingsResult {
    const before = this.of(serverId)
    const settings = changeServerSettings(before.settings, change)
    if (settings === undefined) return { type: 'full', ...before }
    const changed = differences(before.settings, settings)
    if (changed.length === 0) return { type: 'unchanged', ...before }
    const version = before.version + 1
    const [channels, roles] = [JSON.stringify(settings.channels), JSON.stringify(settings.roles)]
    this.#statements.put.run({ ...settings, serverId, version, channels, roles })
    for (const difference of changed) this.#statements.note.run({ ...difference, serverId, userId, at })
    return { type: 'changed', settings, version }
  }

  audit(serverId: string, limit: number): AuditEntry[] {
    return this.#statements.audit.all({ serverId, limit })
  }

  exportChanges(userId: string, after: RowCursor, limit: number): ExportedSettingChange[] {
    return this.#statements.changesOf.all({ userId, ...after, limit })
  }

  /** Notes that somebody was told that a model is not offered any more. */
  noteTold(userId: string, model: string): void {
    this.#statements.tell.run(userId, model)
  }

  forgetTold(userId: string): void {
    this.#statements.untell.run(userId)
  }
}

function listOf(json: string): readonly string[] {
  // Written by `change`, and the schema lets nothing but a list be stored.
  return JSON.parse(json) as string[]
}

const AUDIT_COLUMNS = 'user_id AS userId, at, what, value_before AS before, value_after AS after'

function prepareServerStatements(database: Database) {
  return {
    own: database.prepare<[userId: string], Choice & Pick<Preferences, 'reasoning'>>(
      'SELECT persona, model, reasoning FROM preferences WHERE user_id = ?',
    ),
    server: database.prepare<[serverId: string], Choice>(
      'SELECT persona, model FROM server_settings WHERE server_id = ?',
    ),
    toldOf: database
      .prepare<[userId: string], string>('SELECT model FROM told_withdrawals WHERE user_id = ? ORDER BY model')
      .pluck(),
    tell: database.prepare<[userId: string, model: string]>('INSERT OR IGNORE INTO told_withdrawals VALUES (?, ?)'),
    untell: database.prepare<[userId: string]>('DELETE FROM told_withdrawals WHERE user_id = ?'),
    settings: database.prepare<[serverId: string], SettingsRow>(
      `SELECT server_id AS serverId, version, persona, model, channels, roles FROM server_settings WHERE server_id = ?`,
    ),
    put: database.prepare<[SettingsRow]>(
      `INSERT OR REPLACE INTO server_settings (server_id, version, persona, model, channels, roles)
         VALUES (@serverId, @version, @persona, @model, @channels, @roles)`,
    ),
    note: database.prepare<[AuditRow]>(
      `INSERT INTO server_settings_audit (server_id, user_id, at, what, value_before, value_after)
         VALUES (@serverId, @userId, @at, @what, @before, @after)`,
    ),
    audit: database.prepare<[{ serverId: string; limit: number }], AuditEntry>(
      `SELECT ${AUDIT_COLUMNS} FROM server_settings_audit WHERE server_id = @serverId ORDER BY id DESC LIMIT @limit`,
    ),
    changesOf: database.prepare<[RowCursor & { userId: string; limit: number }], ExportedSettingChange>(
      `SELECT server_id AS serverId, id AS row, ${AUDIT_COLUMNS} FROM server_settings_audit
         WHERE user_id = @userId AND (server_id, id) > (@serverId, @row) ORDER BY server_id, id LIMIT @limit`,
    ),
  }
}
