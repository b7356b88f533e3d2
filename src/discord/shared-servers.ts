import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import type { Clock } from '#actors/clock.ts'
import type { Delivery } from './delivery.ts'
import { ExpiringCache } from './expiring-cache.ts'
import { laneOf } from './lane.ts'
import { isApiError } from './reply-target.ts'

const server = z.object({ id: z.string(), name: z.string() })
const servers = z.array(server)

export type KnownServer = z.output<typeof server>

export interface SharedServersOptions {
  readonly rest: REST
  /** Says when may be looked for what can wait. */
  readonly turns: Pick<Delivery, 'call'>
  readonly clock: Pick<Clock, 'now'>
}

/** Looking into more of them for a stranger would cost the calls that answers need. */
const SEARCHED_SERVERS = 100
/** Discord's own limit for one call. */
const PAGE_SERVERS = 200
const NAMED_SERVERS = 10 * PAGE_SERVERS
const KEPT_MS = 10 * 60_000
const KEPT_USERS = 10_000

/** Which servers somebody shares with the bot: without the privileged intent that has to be asked for, one by one. */
export class SharedServers {
  readonly #options: SharedServersOptions
  readonly #list: ExpiringCache<readonly KnownServer[]>
  readonly #names: ExpiringCache<string | undefined>
  readonly #members: ExpiringCache<boolean>
  readonly #never = new AbortController().signal

  constructor(options: SharedServersOptions) {
    const { clock } = options
    this.#options = options
    this.#list = new ExpiringCache(clock, { max: 1, ttlMs: KEPT_MS })
    this.#names = new ExpiringCache(clock, { max: KEPT_USERS, ttlMs: KEPT_MS })
    this.#members = new ExpiringCache(clock, { max: KEPT_USERS, ttlMs: KEPT_MS })
  }

  /** Whether there is one at all. Rejects when Discord does not say. */
  async hasAny(userId: string): Promise<boolean> {
    for (const { id } of await this.#searched()) if (await this.#isMember(id, userId)) return true
    return false
  }

  /** A server, if both are in it. Rejects when Discord does not say. */
  async find(userId: string, serverId: string): Promise<KnownServer | undefined> {
    if (!(await this.#isMember(serverId, userId))) return undefined
    const name = await this.#names.get(serverId, () => this.#nameOf(serverId))
    return name === undefined ? undefined : { id: serverId, name }
  }

  /** Those servers both are in that are meant, however many the bot is in. Rejects when Discord does not say. */
  async meant(userId: string, isMeant: (name: string) => boolean): Promise<KnownServer[]> {
    const found: KnownServer[] = []
    for (const known of await this.#servers()) {
      if (isMeant(known.name) && (await this.#isMember(known.id, userId))) found.push(known)
    }
    return found
  }

  /** Those servers both are in, of the first hundred of the bot. Answers go first. Rejects when Discord does not say. */
  async all(userId: string): Promise<KnownServer[]> {
    const { turns } = this.#options
    const searched = await this.#searched()
    const areMembers = await Promise.all(
      searched.map(({ id }) => {
        const need = { urgency: 'reading', lane: laneOf('GET', Routes.guildMember(id, userId)) } as const
        // Not in the cache before its turn has come: a question that looks for the same does not wait for that.
        return turns.call(need, () => this.#isMember(id, userId), this.#never)
      }),
    )
    return searched.filter((_, index) => areMembers[index])
  }

  async #searched(): Promise<readonly KnownServer[]> {
    return (await this.#servers()).slice(0, SEARCHED_SERVERS)
  }

  #servers(): Promise<readonly KnownServer[]> {
    return this.#list.get('', async () => {
      const all: KnownServer[] = []
      for (;;) {
        const after = all.at(-1)?.id
        const query = new URLSearchParams({ limit: String(PAGE_SERVERS), ...(after !== undefined && { after }) })
        const page = servers.parse(await this.#options.rest.get(Routes.userGuilds(), { query }))
        all.push(...page)
        if (page.length < PAGE_SERVERS || all.length >= NAMED_SERVERS) return all
      }
    })
  }

  async #nameOf(serverId: string): Promise<string | undefined> {
    const found = await this.#unlessGone(() => this.#options.rest.get(Routes.guild(serverId)))
    return found === undefined ? undefined : server.parse(found).name
  }

  #isMember(serverId: string, userId: string): Promise<boolean> {
    return this.#members.get(`${serverId}/${userId}`, async () => {
      const ask = () => this.#options.rest.get(Routes.guildMember(serverId, userId))
      return (await this.#unlessGone(ask)) !== undefined
    })
  }

  /** Undefined when there is no such server or member. */
  async #unlessGone(call: () => Promise<unknown>): Promise<unknown> {
    try {
      return await call()
    } catch (error) {
      if (isApiError(error, NO_MEMBER)) return undefined
      throw error
    }
  }
}

/** What Discord says of who is no member; the last two: the bot has just left the server. */
export const NO_MEMBER = [
  RESTJSONErrorCodes.UnknownMember,
  RESTJSONErrorCodes.UnknownUser,
  RESTJSONErrorCodes.UnknownGuild,
  RESTJSONErrorCodes.MissingAccess,
]
