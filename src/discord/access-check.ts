import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import {
  type AccessDecision,
  type AccessRules,
  concernsChannels,
  decideAccess,
  decideServerAccess,
  type ServerAccessDecision,
} from '#domain/access.ts'
import { errorMessage } from '#domain/errors.ts'
import { NO_SERVER_SETTINGS } from '#domain/server-settings.ts'
import type { GateRefusal } from '#protocol/queue.ts'
import { ExpiringCache } from './expiring-cache.ts'
import { isApiError } from './reply-target.ts'
import type { ServerSettingsBook } from './server-settings-book.ts'
import type { SharedServers } from './shared-servers.ts'

/** Somebody who asks something on Discord. */
export interface DiscordAsker {
  readonly userId: string
  /** null in direct conversations and groups. */
  readonly guildId: string | null
  readonly channelId: string
  readonly roleIds: readonly string[]
}

export interface AccessOptions {
  readonly rules: AccessRules
  readonly serverSettings: Pick<ServerSettingsBook, 'of'>
  readonly rest: REST
  readonly sharedServers: Pick<SharedServers, 'hasAny'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

const channel = z.object({ parent_id: z.string().nullish() })

const interaction = z.object({ channel: channel.extend({ id: z.string() }) })

const KEPT_MS = 10 * 60_000
const KEPT_CHANNELS = 10_000

const REFUSED = {
  person:
    'Parley answers only certain people here, and you are not one of them. Whoever runs this bot can change that.',
  place: 'Parley does not answer in this place. Please ask somewhere else, or ask whoever runs this bot.',
  direct: 'Parley does not answer direct messages from everybody. Whoever runs this bot can put you on its list.',
  sharesServer: 'Parley answers direct messages only from people it shares a server with.',
  serverChannel:
    'The settings of this server let Parley answer only in certain channels, and this is none of them. Please ask in another one; who manages the server can change that.',
  serverRole:
    'The settings of this server let only people with certain roles ask Parley, and you have none of them. Who manages the server can change that.',
} as const satisfies Record<Exclude<AccessDecision | ServerAccessDecision, 'granted'>, string>

const NOT_CHECKED =
  'Whether you may ask here could not be looked up on Discord. Your message was not taken in; please send it again in a minute.'

/** Says who may not ask, and why. Where the rules need to know more, Discord is asked; what it does not say is not granted. */
export class AccessCheck {
  readonly #options: AccessOptions
  readonly #parents: ExpiringCache<readonly string[]>

  constructor(options: AccessOptions) {
    this.#options = options
    this.#parents = new ExpiringCache(options.clock, { max: KEPT_CHANNELS, ttlMs: KEPT_MS })
  }

  /** The payload of an INTERACTION_CREATE: it tells what a thread belongs to also where the bot may not look. */
  noteInteraction(payload: unknown): void {
    const told = interaction.safeParse(payload).data?.channel
    if (told) void this.#parents.get(told.id, async () => withParent(told.id, told))
  }

  /** Never rejects; undefined when they may. */
  async refusal(asker: DiscordAsker): Promise<GateRefusal | undefined> {
    try {
      const decision = await this.#decide(asker)
      return decision === 'granted' ? undefined : denied(REFUSED[decision])
    } catch (error) {
      this.#options.log.warn({ error: errorMessage(error) }, 'whether somebody may ask could not be looked up')
      return { ...denied(NOT_CHECKED), passing: true }
    }
  }

  async #decide(who: DiscordAsker): Promise<AccessDecision | ServerAccessDecision> {
    const { rules, serverSettings } = this.#options
    const { userId, guildId, channelId, roleIds } = who
    const settings = guildId === null ? NO_SERVER_SETTINGS : await serverSettings.of(guildId)
    const needsParent = guildId !== null && (concernsChannels(rules) || settings.channels.length > 0)
    const channelIds = needsParent ? await this.#withParent(channelId) : [channelId]
    const asker = { userId, serverId: guildId, roleIds, channelIds }
    const decision = decideAccess(rules, asker)
    if (decision === 'granted') return decideServerAccess(settings, rules.owners, asker)
    if (decision !== 'sharesServer') return decision
    return (await this.#options.sharedServers.hasAny(userId)) ? 'granted' : 'sharesServer'
  }

  /** A thread belongs to a channel, and what holds there holds in it. */
  #withParent(channelId: string): Promise<readonly string[]> {
    return this.#parents.get(channelId, async () => {
      try {
        return withParent(channelId, channel.parse(await this.#options.rest.get(Routes.channel(channelId))))
      } catch (error) {
        // The bot is not there; people have brought it along.
        if (isApiError(error, UNSEEN)) return [channelId]
        throw error
      }
    })
  }
}

function withParent(channelId: string, { parent_id }: z.output<typeof channel>): readonly string[] {
  return typeof parent_id === 'string' ? [channelId, parent_id] : [channelId]
}

function denied(message: string): GateRefusal {
  return { code: 'ACCESS_DENIED', message }
}

const UNSEEN = [RESTJSONErrorCodes.MissingAccess, RESTJSONErrorCodes.UnknownChannel]
