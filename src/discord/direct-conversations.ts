import { LRUCache } from 'lru-cache'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { DIRECT_SERVER_ID } from '#domain/request.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { GateRefusal } from '#protocol/queue.ts'
import type { AskedRequest } from './intake.ts'
import { isSameName, readPrefixes } from './server-prefix.ts'
import type { KnownServer, SharedServers } from './shared-servers.ts'

export interface DirectConversationsOptions {
  readonly records: Pick<PersonalRecordsApi, 'preferences' | 'changePreferences'>
  readonly servers: Pick<SharedServers, 'find' | 'meant' | 'all'>
  readonly log: Log
}

interface Refused {
  readonly refusal: GateRefusal
}

/** The server whose conversation somebody's direct messages belong to; undefined for one of their own. */
export type CurrentServer = { readonly server: KnownServer | undefined } | Refused

/** A request in the conversation it belongs to. */
export type Placed = { readonly request: AskedRequest } | Refused

/** A question that names a server in front. */
interface Prefixed {
  readonly server: KnownServer
  readonly question: string
}

/** Choices that are known although the database is away. */
const REMEMBERED_CHOICES = 10_000

/**
 * Decides whose conversation a direct message belongs to: that of the server named in front of it, of the server its
 * author has chosen, or one of their own. Membership is looked up each time, so whoever has left a server has left its
 * conversation.
 */
export class DirectConversations {
  readonly #options: DirectConversationsOptions
  readonly #remembered = new LRUCache<string, { readonly serverId: string | null }>({ max: REMEMBERED_CHOICES })

  constructor(options: DirectConversationsOptions) {
    this.#options = options
  }

  /** Where somebody's direct messages belong. Never rejects; a choice that no longer holds is taken back and said. */
  current(userId: string): Promise<CurrentServer> {
    return this.#unlessUnknown(async () => {
      const serverId = await this.#choice(userId)
      if (serverId === null) return { server: undefined }
      const server = await this.#options.servers.find(userId, serverId)
      return server ? { server } : this.#close(userId, CHOICE_LEFT)
    })
  }

  /** Puts what somebody asks in a direct conversation where it belongs; never rejects. */
  place(request: AskedRequest): Promise<Placed> {
    const { userId, serverId, message } = request
    if (serverId !== DIRECT_SERVER_ID) return Promise.resolve({ request })
    return this.#unlessUnknown<Placed>(async () => {
      const prefixed = await this.prefixed(userId, message)
      if (prefixed === 'unclear') return { refusal: UNCLEAR }
      if (prefixed) return { request: inServer({ ...request, message: prefixed.question }, prefixed.server) }
      const current = await this.current(userId)
      if ('refusal' in current) return current
      return { request: current.server ? inServer(request, current.server) : request }
    })
  }

  /** Refuses what is asked once more in the conversation of a server that was left since; never rejects. */
  confirm(request: AskedRequest): Promise<Placed> {
    const { userId, serverId, directServerName } = request
    if (directServerName === undefined) return Promise.resolve({ request })
    return this.#unlessUnknown<Placed>(async () => {
      const server = await this.#options.servers.find(userId, serverId)
      if (server) return { request: inServer(request, server) }
      if ((await this.#choice(userId)) === serverId) return this.#close(userId, ASKED_AND_LEFT)
      return { refusal: { code: 'CONVERSATION_CLOSED', message: ASKED_AND_LEFT } }
    })
  }

  /** Reads `[name] question`; a text in front of which no shared server is named is a plain one. */
  async prefixed(userId: string, text: string): Promise<Prefixed | 'unclear' | undefined> {
    for (const { name, question } of readPrefixes(text)) {
      const [server, ...others] = await this.#options.servers.meant(userId, (known) => isSameName(known, name))
      if (others.length > 0) return 'unclear'
      if (server) return { server, question }
    }
    return undefined
  }

  /** The servers somebody can choose from. Rejects when Discord does not say. */
  choices(userId: string): Promise<KnownServer[]> {
    return this.#options.servers.all(userId)
  }

  /** Chooses for what is asked from now on; false when both are not in that server. Rejects when it cannot be stored. */
  async choose(userId: string, serverId: string | null): Promise<boolean> {
    if (serverId !== null && !(await this.#options.servers.find(userId, serverId))) return false
    await this.#store(userId, serverId)
    return true
  }

  async #choice(userId: string): Promise<string | null> {
    const { records, log } = this.#options
    try {
      const { directServerId } = await records.preferences(userId)
      this.#remembered.set(userId, { serverId: directServerId })
      return directServerId
    } catch (error) {
      // That the database is away is told by what it should have stored.
      log.debug({ error: errorMessage(error) }, 'whose conversation was chosen could not be read; it is as it was last')
      return this.#remembered.get(userId)?.serverId ?? null
    }
  }

  async #store(userId: string, directServerId: string | null): Promise<void> {
    await this.#options.records.changePreferences(userId, { directServerId })
    this.#remembered.set(userId, { serverId: directServerId })
  }

  /** What cannot be taken back now is looked up, and refused, again. */
  async #close(userId: string, message: string): Promise<Refused> {
    const refusal = { code: 'CONVERSATION_CLOSED', message } as const
    await this.#store(userId, null).catch((error: unknown) => {
      this.#options.log.warn({ error: errorMessage(error) }, 'a choice that no longer holds could not be taken back')
    })
    return { refusal }
  }

  /** What Discord does not say is not granted. */
  async #unlessUnknown<T>(look: () => Promise<T>): Promise<T | Refused> {
    try {
      return await look()
    } catch (error) {
      this.#options.log.warn({ error: errorMessage(error) }, 'whose conversation a message belongs to is not known')
      return { refusal: { code: 'CONVERSATION_UNCLEAR', message: NOT_CHECKED, passing: true } }
    }
  }
}

function inServer(request: AskedRequest, { id, name }: KnownServer): AskedRequest {
  return { ...request, serverId: id, directServerName: name }
}

const CHOICE_LEFT =
  'You had chosen the conversation of a server that you or Parley are no longer in. It is closed to you, and your direct messages belong to your own conversation again. Nothing was asked or shown; please send it again, or choose another one with /server.'

const ASKED_AND_LEFT =
  'That belongs to the conversation of a server that you or Parley are no longer in. It is closed to you, and nothing was asked.'

const UNCLEAR: GateRefusal = {
  code: 'CONVERSATION_UNCLEAR',
  message:
    'Several servers that you share with Parley have that name. Nothing was asked; please choose the one you mean with /server and send it again without the name in front.',
}

const NOT_CHECKED =
  'Whether you are still in that server could not be looked up on Discord. Nothing was asked or shown; please try it again in a minute.'
