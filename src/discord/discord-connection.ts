import { Client, Events, GatewayIntentBits, Options, type REST } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { Delivery } from './delivery.ts'
import { logIn } from './log-in.ts'
import { readLoginProblem } from './login-problem.ts'

export interface ConnectionOptions {
  readonly token: string
  /** Without the version, such as https://discord.com/api. */
  readonly apiUrl: string
  /** How long one call may take before discord.js makes it again; 15 s. */
  readonly callTimeoutMs?: number
  /** Makes the calls of discord.js. */
  readonly makeRequest: Delivery['makeRequest']
  readonly clock: Clock
  readonly log: Log
  /** Discord has closed the connection for good. */
  readonly onGivenUp: (error: Error) => void
}

/**
 * Messages in servers, of which only those that mention the bot come with their content, and direct ones.
 * Commands need no intent, and of channels and members nothing needs to be known.
 */
const INTENTS = [GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages]

const CALL_TIMEOUT_MS = 15_000

/** What discord.js would otherwise keep for good of everybody who has ever used a command. */
const NOTHING_KEPT = { MessageManager: 0, UserManager: 0, GuildMemberManager: 0, EntitlementManager: 0 }

/** The connection of discord.js: how it comes about, is lost and found again, and ends. */
export class DiscordConnection {
  readonly client: Client
  readonly #options: ConnectionOptions
  readonly #stopped = Promise.withResolvers<void>()
  /** discord.js cannot be stopped while it reconnects: it would connect all the same. */
  #reconnecting: PromiseWithResolvers<void> | undefined
  #running = false
  #ending = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.client = new Client({
      intents: INTENTS,
      rest: {
        api: options.apiUrl,
        timeout: options.callTimeoutMs ?? CALL_TIMEOUT_MS,
        makeRequest: options.makeRequest,
        // The delivery counts; discord.js would count the calls of interactions, too.
        globalRequestsPerSecond: Number.POSITIVE_INFINITY,
      },
      allowedMentions: { parse: [], repliedUser: false },
      makeCache: Options.cacheWithLimits(NOTHING_KEPT),
    })
    this.#listen()
  }

  get rest(): REST {
    return this.client.rest
  }

  /** Known once `start` has resolved. */
  get botId(): string {
    return this.client.user?.id ?? ''
  }

  /** Known once `start` has resolved. */
  get applicationId(): string {
    return this.client.application?.id ?? this.botId
  }

  /** Logs in; rejects with a `DISCORD_…` error that says what to do. Tells whether it is connected: not when it ends meanwhile. */
  async start(): Promise<boolean> {
    const { token, clock, log } = this.#options
    if (!(await logIn(this.client, token, clock, this.#stopped.promise))) return false
    this.#running = true
    if (this.#ending) {
      await this.client.destroy()
      return false
    }
    log.info({ user: this.client.user?.tag, servers: this.client.guilds.cache.size }, 'connected to Discord')
    return true
  }

  /** From now on it may break without a word. */
  prepareEnd(): void {
    this.#ending = true
  }

  /** Ends a login that is under way. */
  cancelStart(): void {
    this.prepareEnd()
    this.#stopped.resolve()
  }

  /** Resolves when it is not just being found again. */
  async settled(): Promise<void> {
    await this.#reconnecting?.promise
  }

  /** Disconnects; tells whether it was connected. */
  async end(): Promise<boolean> {
    if (this.#running) await this.client.destroy()
    this.#reconnected()
    return this.#running
  }

  #listen(): void {
    const { log, onGivenUp } = this.#options
    this.client.on(Events.Error, (error) => log.error({ error: errorMessage(error) }, 'Discord connection error'))
    this.client.on(Events.ShardError, (error) => log.error({ error: errorMessage(error) }, 'Discord connection error'))
    this.client.on(Events.Warn, (message) => log.warn({ message }, 'Discord connection warning'))
    this.client.on(Events.ShardResume, () => {
      log.info({}, 'connection to Discord resumed')
      this.#reconnected()
    })
    this.client.on(Events.ShardReady, () => this.#reconnected())
    this.client.on(Events.ShardReconnecting, () => {
      this.#reconnecting ??= Promise.withResolvers()
      if (!this.#ending) log.warn({}, 'connection to Discord lost, reconnecting')
    })
    this.client.on(Events.ShardDisconnect, ({ code }) => {
      this.#reconnected()
      if (this.#running && !this.#ending) onGivenUp(readLoginProblem({ code }))
    })
  }

  #reconnected(): void {
    this.#reconnecting?.resolve()
    this.#reconnecting = undefined
  }
}
