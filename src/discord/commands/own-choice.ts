import type { ServerSettingsBook } from '#discord/server-settings-book.ts'
import { type Briefing, decideBriefing, type ModelChoices } from '#domain/briefing.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import type { Preferences } from '#domain/preferences.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'

/** What the commands work with by which people choose for themselves. */
export interface OwnChoiceOptions {
  readonly records: Pick<PersonalRecordsApi, 'preferences' | 'changePreferences'>
  readonly serverSettings: Pick<ServerSettingsBook, 'of'>
  readonly models: ModelChoices
}

/** What somebody's choices come to in a conversation. */
export async function briefingHere(
  { serverSettings, models }: Pick<OwnChoiceOptions, 'serverSettings' | 'models'>,
  { serverId }: ConversationKey,
  own: Preferences,
): Promise<Briefing> {
  return decideBriefing(models, { own, server: await serverSettings.of(serverId) })
}
