import {
  type ChatInputCommandInteraction,
  Client,
  Events,
  GatewayIntentBits,
  type Message,
  Options,
  Partials,
} from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { DIRECT_SERVER_ID } from '#domain/request.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { Gateway } from '#protocol/gateway.ts'
import type { NewRequest, Refusal, RequestQueue } from '#protocol/queue.ts'
import { ASK_COMMAND, registerCommands } from './ask-command.ts'
import { readMessage } from './intake.ts'
import { readLoginProblem } from './login-problem.ts'
import { ReplyCards } from './reply-cards.ts'
import { channelTarget, interactionTarget, type ReplyTarget } from './reply-target.ts'

export interface DiscordOptions {
  readonly token: string
  /** Without the version, such as https://discord.com/api. */
  readonly apiUrl: string
  readonly editIntervalMs: number
  readonly queue: RequestQueue
  readonly store: Pick<DatabaseApi, 'setStatusMessage'>
  readonly clock: Clock
  readonly log: Log
  /** Discord has closed the connection for good. */
  readonly onGivenUp: (error: Error) => void
}

/** Direct messages, and mentions in servers; contents of both come without the privileged intent. */
const INTENTS = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages]

/** Parley's connection to Discord: messages and commands become requests, cards show what becomes of them. */
export class DiscordGateway implements Gateway {
  readonly #options: DiscordOptions
  readonly #client: Client
  readonly #cards: ReplyCards
  #stopping = false

  constructor(options: DiscordOptions) {
    this.#options = options
    this.#client = new Client({
      intents: INTENTS,
      // Direct conversations that are not known yet come as partials.
      partials: [Partials.Channel],
      rest: { api: options.apiUrl },
      allowedMentions: { parse: [], repliedUser: false },
      makeCache: Options.cacheWithLimits({ ...Options.DefaultMakeCacheSettings, MessageManager: 0 }),
    })
    this.#cards = new ReplyCards({
      queue: options.queue,
      editIntervalMs: options.editIntervalMs,
      clock: options.clock,
      log: options.log,
      onShown: (requestId, messageId) => this.#rememberMessage(requestId, messageId),
    })
    this.#listen()
  }

  /** Logs in and registers the commands; rejects with a `DISCORD_…` error that says what to do. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve) => this.#client.once(Events.ClientReady, () => resolve()))
    try {
      await this.#client.login(this.#options.token)
      await ready
    } catch (error) {
      await this.#client.destroy()
      throw readLoginProblem(error)
    }
    const { log } = this.#options
    log.info({ user: this.#client.user?.tag, servers: this.#client.guilds.cache.size }, 'connected to Discord')
    await this.#register()
  }

  /** Takes no more messages in. */
  stopIntake(): void {
    this.#stopping = true
  }

  /** Shows what is still to be shown, for at most `timeoutMs`, and disconnects. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true
    const { clock } = this.#options
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, timeoutMs)
      void this.#cards.close().then(() => {
        timer.cancel()
        resolve()
      })
    })
    this.#cards.abandon()
    await this.#client.destroy()
  }

  #listen(): void {
    const { log, onGivenUp } = this.#options
    this.#client.on(Events.MessageCreate, (message) => this.#guard(this.#onMessage(message)))
    this.#client.on(Events.InteractionCreate, (interaction) => {
      if (!interaction.isChatInputCommand() || interaction.commandName !== ASK_COMMAND.name) return
      this.#guard(this.#onAsk(interaction))
    })
    this.#client.on(Events.Error, (error) => log.error({ error: errorMessage(error) }, 'Discord connection error'))
    this.#client.on(Events.Warn, (message) => log.warn({ message }, 'Discord connection warning'))
    this.#client.on(Events.ShardResume, () => log.info({}, 'connection to Discord resumed'))
    this.#client.on(Events.ShardReconnecting, () => log.warn({}, 'connection to Discord lost, reconnecting'))
    this.#client.on(Events.ShardDisconnect, ({ code }) => {
      if (!this.#stopping) onGivenUp(readLoginProblem({ code }))
    })
    this.#client.on(Events.Invalidated, () => onGivenUp(readLoginProblem({ code: 'invalidated' })))
  }

  async #onMessage(message: Message): Promise<void> {
    const botId = this.#client.user?.id
    if (this.#stopping || botId === undefined) return
    const request = readMessage(
      {
        id: message.id,
        channelId: message.channelId,
        guildId: message.guildId,
        content: message.content,
        authorId: message.author.id,
        authorIsBot: message.author.bot,
        isSystem: message.system,
        mentionsBot: message.mentions.users.has(botId),
      },
      botId,
    )
    if (!request) return
    await this.#take(request, channelTarget(this.#client.rest, message.channelId, message.id))
  }

  async #onAsk(interaction: ChatInputCommandInteraction): Promise<void> {
    const { applicationId, token, channelId, createdTimestamp: createdAt } = interaction
    await interaction.deferReply()
    const request: NewRequest = {
      userId: interaction.user.id,
      serverId: interaction.guildId ?? DIRECT_SERVER_ID,
      channelId,
      message: interaction.options.getString('message', true).trim(),
      discordMessageId: interaction.id,
    }
    const target = interactionTarget(this.#client.rest, { applicationId, token, channelId, createdAt }, () =>
      this.#options.clock.now(),
    )
    await this.#take(request, target)
  }

  async #take(request: NewRequest, target: ReplyTarget): Promise<void> {
    const result = await this.#options.queue.addRequest(request, this.#cards.listener(request.userId, target))
    if (!result.accepted) await this.#showRefusal(result.refusal, target, request)
  }

  /** A replayed event of Discord is nobody's mistake: the first one is being answered. */
  async #showRefusal(refusal: Refusal, target: ReplyTarget, { discordMessageId }: NewRequest): Promise<void> {
    this.#options.log.info({ code: refusal.code, discordMessageId }, 'a message was refused')
    if (refusal.code === 'REQUEST_DUPLICATE') return
    await target.post(`⚠️ ${refusal.message}\n-# ${refusal.code}`, `r${discordMessageId}`)
  }

  #rememberMessage(requestId: string, messageId: string): void {
    this.#guard(this.#options.store.setStatusMessage(requestId, messageId))
  }

  async #register(): Promise<void> {
    const applicationId = this.#client.application?.id
    if (applicationId === undefined) return
    try {
      const changed = await registerCommands(this.#client.rest, applicationId)
      if (changed) this.#options.log.info({}, 'registered the commands with Discord')
    } catch (error) {
      // Direct messages and mentions work without.
      this.#options.log.error({ error: errorMessage(error) }, 'the commands could not be registered')
    }
  }

  /** One message that cannot be dealt with must not take the connection down. */
  #guard(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#options.log.error(
        { code: 'DELIVERY_FAILED', error: errorMessage(error) },
        'a message from Discord could not be dealt with',
      )
    })
  }
}
