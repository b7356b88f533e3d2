import { LRUCache } from 'lru-cache'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { NO_SERVER_SETTINGS, type ServerSettings, type SettingChange } from '#domain/server-settings.ts'
import type { ServerRecordsApi, ServerSettingsResult, StoredServerSettings } from '#protocol/server-records.ts'

export interface BookOptions {
  readonly records: Pick<ServerRecordsApi, 'serverSettings' | 'changeServerSettings'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

interface Entry extends StoredServerSettings {
  /** ms since epoch; 0 when it may not be so any more. */
  readonly knownAt: number
}

const MOST_SERVERS = 10_000

/** All changes go through here, so this only mends what a lost answer has left wrong. */
const KEPT_MS = 60_000

/**
 * The settings of servers as the main thread knows them. What was changed is known at once; while the database is away
 * the last known settings hold.
 */
export class ServerSettingsBook {
  readonly #options: BookOptions
  readonly #entries = new LRUCache<string, Entry>({ max: MOST_SERVERS })

  constructor(options: BookOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async of(serverId: string): Promise<ServerSettings> {
    const known = this.#entries.get(serverId)
    if (known && this.#options.clock.now() - known.knownAt < KEPT_MS) return known.settings
    try {
      return this.#keep(serverId, await this.#options.records.serverSettings(serverId))
    } catch (error) {
      this.#options.log.warn({ error: errorMessage(error) }, 'the settings of a server could not be read')
      return known?.settings ?? NO_SERVER_SETTINGS
    }
  }

  async change(serverId: string, userId: string, change: SettingChange): Promise<ServerSettingsResult> {
    const { records, clock } = this.#options
    try {
      const result = await records.changeServerSettings({ serverId, userId, at: clock.now(), change })
      this.#keep(serverId, result)
      return result
    } catch (error) {
      // It may have taken effect all the same.
      const known = this.#entries.get(serverId)
      if (known) this.#entries.set(serverId, { ...known, knownAt: 0 })
      throw error
    }
  }

  /** An answer that was overtaken by a newer one changes nothing. */
  #keep(serverId: string, { settings, version }: StoredServerSettings): ServerSettings {
    const known = this.#entries.get(serverId)
    if (known && known.version > version) return known.settings
    this.#entries.set(serverId, { settings, version, knownAt: this.#options.clock.now() })
    return settings
  }
}
