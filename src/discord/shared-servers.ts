import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import type { Clock } from '#actors/clock.ts'
import { ExpiringCache } from './expiring-cache.ts'
import { isApiError } from './reply-target.ts'

const servers = z.array(z.object({ id: z.string(), name: z.string() }))

export type KnownServer = z.output<typeof servers>[number]

/** Looking into more of them for a stranger would cost the calls that answers need. */
const SEARCHED_SERVERS = 100
const KEPT_MS = 10 * 60_000
const KEPT_USERS = 10_000

/** Which servers somebody shares with the bot: without the privileged intent that has to be asked for, one by one. */
export class SharedServers {
  readonly #rest: REST
  readonly #list: ExpiringCache<readonly KnownServer[]>
  readonly #members: ExpiringCache<boolean>

  constructor(rest: REST, clock: Pick<Clock, 'now'>) {
    this.#rest = rest
    this.#list = new ExpiringCache(clock, { max: 1, ttlMs: KEPT_MS })
    this.#members = new ExpiringCache(clock, { max: KEPT_USERS, ttlMs: KEPT_MS })
  }

  /** Whether there is one at all. Rejects when Discord does not say. */
  async hasAny(userId: string): Promise<boolean> {
    for (const { id } of await this.#servers()) if (await this.#isMember(id, userId)) return true
    return false
  }

  #servers(): Promise<readonly KnownServer[]> {
    return this.#list.get('', async () => {
      const query = new URLSearchParams({ limit: String(SEARCHED_SERVERS) })
      return servers.parse(await this.#rest.get(Routes.userGuilds(), { query }))
    })
  }

  #isMember(serverId: string, userId: string): Promise<boolean> {
    return this.#members.get(`${serverId}/${userId}`, async () => {
      try {
        await this.#rest.get(Routes.guildMember(serverId, userId))
        return true
      } catch (error) {
        if (isApiError(error, NO_MEMBER)) return false
        throw error
      }
    })
  }
}

/** The last two: the bot has just left the server. */
const NO_MEMBER = [
  RESTJSONErrorCodes.UnknownMember,
  RESTJSONErrorCodes.UnknownUser,
  RESTJSONErrorCodes.UnknownGuild,
  RESTJSONErrorCodes.MissingAccess,
]
