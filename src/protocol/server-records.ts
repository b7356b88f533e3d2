import type { Choices } from '#domain/briefing.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import type { Preferences } from '#domain/preferences.ts'
import type { ServerSettings, SettingChange, SettingDifference } from '#domain/server-settings.ts'
import type { RowCursor } from './personal-records.ts'

/** What was chosen for a conversation, and the withdrawn models its user has been told of. */
export interface ChoicesOfConversation extends Choices, Pick<Preferences, 'reasoning'> {
  readonly toldOf: readonly string[]
}

/** The settings of a server as they are stored; version 0: nothing was ever set. */
export interface StoredServerSettings {
  readonly settings: ServerSettings
  /** Grows with each change. */
  readonly version: number
}

/** A change of the settings of a server, and who makes it. */
export interface ServerSettingsChange {
  readonly serverId: string
  readonly userId: string
  /** ms since epoch */
  readonly at: number
  readonly change: SettingChange
}

/** What became of a change; `full`: the list would be too long, and nothing was changed. */
export interface ServerSettingsResult extends StoredServerSettings {
  readonly type: 'changed' | 'unchanged' | 'full'
}

/** What somebody changed of a server's settings, and when. */
export interface AuditEntry extends SettingDifference {
  readonly userId: string
  /** ms since epoch */
  readonly at: number
}

/** A change of a server's settings as whoever made it may take it along. */
export interface ExportedSettingChange extends AuditEntry, RowCursor {}

/** What is set for whole servers, and what that means for a conversation. */
export interface ServerRecordsApi {
  /** What was chosen for a conversation. */
  choices(key: ConversationKey): Promise<ChoicesOfConversation>
  serverSettings(serverId: string): Promise<StoredServerSettings>
  /** Changes the settings and notes who did what, in one transaction; to be repeated without harm. */
  changeServerSettings(change: ServerSettingsChange): Promise<ServerSettingsResult>
  /** The last changes of a server's settings, newest first. */
  serverAudit(serverId: string, limit: number): Promise<AuditEntry[]>
  /** The changes a user has made after a row, server by server. */
  exportSettingChanges(userId: string, after: RowCursor, limit: number): Promise<ExportedSettingChange[]>
}
