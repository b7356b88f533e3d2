import { type ButtonInteraction, Client, Events, GatewayDispatchEvents, GatewayIntentBits, Options } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { AccessRules } from '#domain/access.ts'
import type { ModelChoices } from '#domain/briefing.ts'
import { errorMessage } from '#domain/errors.ts'
import type { QuotaLimits } from '#domain/quota.ts'
import { type ConversationRequest, isScheduled } from '#domain/request.ts'
import type { Tier } from '#domain/tier.ts'
import type { RecoveredRequest, UndeliveredReply } from '#protocol/database.ts'
import type { DeliveryStatistics } from '#protocol/delivery.ts'
import type { Gateway } from '#protocol/gateway.ts'
import type { GateRefusal, Refusal, RequestEvent, RequestQueue } from '#protocol/queue.ts'
import { AccessCheck, type DiscordAsker } from './access-check.ts'
import { readPress } from './card-buttons.ts'
import { CardPresses, type PressStore } from './card-presses.ts'
import { CatchUp, type CatchUpLimits } from './catch-up.ts'
import { type CommandRecords, commandList } from './commands/command-list.ts'
import { type AskedQuestion, CommandRouter } from './commands/command-router.ts'
import type { PrivacyFacts } from './commands/privacy.ts'
import { registerCommands } from './commands/register-commands.ts'
import type { Scheduling } from './commands/remind.ts'
import { Debounce } from './debounce.ts'
import { Delivery } from './delivery.ts'
import { DeliveryLedger, type DeliveryStore } from './delivery-ledger.ts'
import { DirectConversations } from './direct-conversations.ts'
import { Entitlements } from './entitlements.ts'
import type { FileLimits } from './file-intake.ts'
import { inTime } from './in-time.ts'
import { type AskedRequest, readMessage } from './intake.ts'
import { InteractionTarget, type ReceivedInteraction } from './interaction-target.ts'
import { logIn } from './log-in.ts'
import { readLoginProblem } from './login-problem.ts'
import { readMessageEvent } from './message-event.ts'
import { QuestionIntake } from './question-intake.ts'
import { QuotaCheck } from './quota-check.ts'
import { readReadyEvent } from './ready-event.ts'
import { RecentIds } from './recent-ids.ts'
import { ReplyCards } from './reply-cards.ts'
import { ChannelTarget, type ReplyTarget } from './reply-target.ts'
import { ScheduledQuestions } from './scheduled-questions.ts'
import { ServerSettingsBook } from './server-settings-book.ts'
import { SharedServers } from './shared-servers.ts'

export interface DiscordOptions {
  readonly token: string
  /** Without the version, such as https://discord.com/api. */
  readonly apiUrl: string
  readonly editIntervalMs: number
  /** In this time the same person is told the same reason for a refusal once. */
  readonly refusalIntervalMs: number
  /** After so long a wait for the first word the answer comes in a new message; 0 for never. */
  readonly notifyAfterMs: number
  /** Whether people see seconds and "… is typing" while there is nothing to read; true. */
  readonly signsOfLife?: boolean
  /** The longest message the queue takes in, in UTF-16 code units. */
  readonly maxMessageLength: number
  /** Messages of one person in one channel within this time of each other become one question; 0 for never, as without. */
  readonly debounceMs?: number
  /** Calls a second that Discord takes from the whole bot; 50. */
  readonly callsPerSecond?: number
  /** How long one call may take before discord.js makes it again; 15 s. */
  readonly callTimeoutMs?: number
  readonly queue: RequestQueue
  readonly store: DeliveryStore & PressStore
  readonly records: CommandRecords
  readonly privacy: PrivacyFacts
  /** Who gets how much beside others when there is a line; left out when all are equal. */
  readonly tiers?: readonly Tier[]
  /** Who may ask something. */
  readonly access: AccessRules
  readonly quota: QuotaLimits
  readonly scheduling: Scheduling
  /** What people may choose from. */
  readonly models: ModelChoices
  /** What is taken in of the files that come with questions. */
  readonly files: FileLimits
  /** What is read of the messages that came while nobody listened. */
  readonly catchUp: CatchUpLimits
  readonly clock: Clock
  /** Never jumps, for what Discord counts; `clock` unless told. */
  readonly steadyClock?: Clock
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

/** Discord makes a bot that registers commands too often wait for hours. */
const REGISTRATION_TIMEOUT_MS = 10_000

/** More than can come in the minutes for which Discord may repeat events; older ones the database knows. */
const REMEMBERED_EVENTS = 10_000

const DIRECT = { guildId: null, roleIds: [] }

/** Parley's connection to Discord: messages and commands become requests, cards show what becomes of them. */
export class DiscordGateway implements Gateway {
  readonly origin = 'discord'
  readonly #options: DiscordOptions
  readonly #client: Client
  readonly #delivery: Delivery
  readonly #cards: ReplyCards
  readonly #ledger: DeliveryLedger
  readonly #catchUp: CatchUp
  readonly #commands: ReturnType<typeof commandList>
  readonly #router: CommandRouter
  readonly #presses: CardPresses
  readonly #intake: QuestionIntake
  readonly #debounce: Debounce
  #debounced: Promise<void> = Promise.resolve()
  readonly #scheduled: ScheduledQuestions
  readonly #entitlements: Entitlements
  readonly #seen = new RecentIds(REMEMBERED_EVENTS)
  readonly #stopped = Promise.withResolvers<void>()
  /** discord.js cannot be stopped while it reconnects: it would connect all the same. */
  #reconnecting: PromiseWithResolvers<void> | undefined
  #running = false
  #stopping = false

  constructor(options: DiscordOptions) {
    this.#options = options
    this.#delivery = new Delivery({
      clock: options.steadyClock ?? options.clock,
      ...(options.callsPerSecond !== undefined && { limit: options.callsPerSecond }),
      onMinute: () => options.log.debug({ ...this.statistics() }, 'calls to Discord so far'),
    })
    this.#client = new Client({
      intents: INTENTS,
      rest: {
        api: options.apiUrl,
        timeout: options.callTimeoutMs ?? CALL_TIMEOUT_MS,
        makeRequest: this.#delivery.makeRequest,
        // The delivery counts; discord.js would count the calls of interactions, too.
        globalRequestsPerSecond: Number.POSITIVE_INFINITY,
      },
      allowedMentions: { parse: [], repliedUser: false },
      makeCache: Options.cacheWithLimits({ ...Options.DefaultMakeCacheSettings, MessageManager: 0 }),
    })
    const { queue, store, editIntervalMs, notifyAfterMs, clock, log } = options
    const turns = this.#delivery
    this.#ledger = new DeliveryLedger(store, log)
    this.#cards = new ReplyCards({
      queue,
      turns,
      signsOfLife: options.signsOfLife ?? true,
      editIntervalMs,
      notifyAfterMs,
      clock,
      log,
      ...this.#ledger.notes,
    })
    this.#catchUp = new CatchUp({
      limits: { ...options.catchUp, maxMessageLength: options.maxMessageLength },
      rest: this.#client.rest,
      turns,
      store,
      clock,
      log,
      isNew: (messageId) => this.#seen.add(messageId),
      take: (request, messageId) => this.#takeMessage(request, messageId),
      markRead: (channel) => this.#ledger.noteRead(channel),
    })
    const { rest } = this.#client
    const serverSettings = new ServerSettingsBook(options)
    const sharedServers = new SharedServers({ rest, turns, clock })
    const direct = new DirectConversations({ records: options.records, servers: sharedServers, log })
    const accessCheck = new AccessCheck({ rules: options.access, serverSettings, sharedServers, rest, clock, log })
    const skuIds = (options.tiers ?? []).flatMap(({ skus }) => skus)
    this.#entitlements = new Entitlements({ skuIds, rest, turns, clock, log })
    this.#intake = new QuestionIntake({
      ...options,
      entitlements: this.#entitlements,
      cards: this.#cards,
      direct,
      access: accessCheck,
      quota: new QuotaCheck({ ...options, limits: options.quota, owners: options.access.owners }),
    })
    this.#debounce = new Debounce({
      windowMs: options.debounceMs ?? 0,
      maxLength: options.maxMessageLength,
      clock,
      take: ({ request, messageId, member }) => this.#guard(this.#takeMessage(request, messageId, member)),
    })
    this.#scheduled = new ScheduledQuestions({
      rest,
      turns,
      botId: () => this.#botId,
      offer: (question) => this.#intake.offer(question),
    })
    this.#commands = commandList({ ...options, accessCheck, serverSettings, direct, delivery: () => this.statistics() })
    this.#router = new CommandRouter({
      commands: this.#commands,
      rest: this.#client.rest,
      direct,
      clock,
      log,
      isNew: (interactionId) => this.#seen.add(interactionId),
      ask: (asked) => this.#onAsked(asked),
    })
    this.#presses = new CardPresses({
      rest: this.#client.rest,
      queue,
      store,
      direct,
      log,
      botId: () => this.#botId,
      maxMessageLength: options.maxMessageLength,
      onAmended: (messageId) => this.#cards.closeOffer(messageId),
      offer: (request, asker) => {
        // The answer replies to the message with the button.
        const target = this.#channelTarget(request.channelId, request.discordMessageId ?? '')
        return this.#intake.offer({ request, asker, target })
      },
    })
    this.#listen()
  }

  /** Logs in and registers the commands; rejects with a `DISCORD_…` error that says what to do. */
  async start(): Promise<void> {
    const { token, clock, log } = this.#options
    if (!(await logIn(this.#client, token, clock, this.#stopped.promise))) return
    this.#running = true
    if (this.#stopping) return this.#client.destroy()
    log.info({ user: this.#client.user?.tag, servers: this.#client.guilds.cache.size }, 'connected to Discord')
    if (!(await inTime(this.#register(), clock, REGISTRATION_TIMEOUT_MS))) {
      log.warn({}, 'Discord takes its time to register the commands; direct messages and mentions work meanwhile')
    }
  }

  resume(recovered: RecoveredRequest): (event: RequestEvent) => void {
    return this.#cards.resume(recovered, () => this.#targetOf(recovered.request))
  }

  deliver(reply: UndeliveredReply): void {
    this.#cards.deliver(reply, this.#targetOf(reply.request))
  }

  askScheduled(request: ConversationRequest): Promise<Refusal | GateRefusal | undefined> {
    return this.#scheduled.ask(request)
  }

  /** Takes no more messages in: who writes is told so. */
  stopIntake(): void {
    if (!this.#stopping) this.#debounced = this.#debounce.close()
    this.#stopping = true
    this.#intake.stop()
    void this.#catchUp.stop()
    this.#scheduled.stop()
    this.#entitlements.stop()
  }

  /** Shows what is still to be shown, for at most `timeoutMs`, and disconnects. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopIntake()
    this.#stopped.resolve()
    await inTime(this.#settle(), this.#options.clock, timeoutMs)
    this.#cards.abandon()
    this.#delivery.close()
    if (this.#running) {
      await this.#client.destroy()
      this.#options.log.info({ ...this.statistics() }, 'disconnected from Discord')
    }
    this.#reconnected()
  }

  /** How the calls to Discord are doing. */
  statistics(): DeliveryStatistics {
    return { ...this.#delivery.statistics(), hiddenRefusals: this.#intake.hiddenRefusals }
  }

  async #settle(): Promise<void> {
    await this.#catchUp.stop()
    await this.#debounced
    await this.#router.settled()
    await this.#presses.settled()
    await this.#cards.close()
    await this.#ledger.written()
    await this.#reconnecting?.promise
  }

  #listen(): void {
    const { log, onGivenUp } = this.#options
    // Not the event of discord.js, which leaves out messages from channels and threads it does not know.
    this.#client.ws.on(GatewayDispatchEvents.MessageCreate, (payload: unknown) => {
      void this.#guard(this.#onMessage(payload))
    })
    // Of a session that is resumed there is no such event, and nothing was missed.
    this.#client.ws.on(GatewayDispatchEvents.Ready, (payload: unknown) => {
      const ready = readReadyEvent(payload)
      if (!ready) return
      this.#entitlements.begin(ready.applicationId)
      this.#catchUp.begin(ready.botId)
    })
    this.#client.ws.on(GatewayDispatchEvents.EntitlementCreate, (payload) => this.#entitlements.noteChanged(payload))
    this.#client.ws.on(GatewayDispatchEvents.EntitlementUpdate, (payload) => this.#entitlements.noteChanged(payload))
    this.#client.ws.on(GatewayDispatchEvents.EntitlementDelete, (payload) => this.#entitlements.noteDeleted(payload))
    // Told before discord.js tells of the interaction itself.
    this.#client.ws.on(GatewayDispatchEvents.InteractionCreate, (payload) =>
      this.#entitlements.noteInteraction(payload),
    )
    this.#client.on(Events.InteractionCreate, (interaction) => {
      if (!(interaction.isButton() && this.#onButton(interaction))) this.#router.handle(interaction)
    })
    this.#client.on(Events.Error, (error) => log.error({ error: errorMessage(error) }, 'Discord connection error'))
    this.#client.on(Events.ShardError, (error) => log.error({ error: errorMessage(error) }, 'Discord connection error'))
    this.#client.on(Events.Warn, (message) => log.warn({ message }, 'Discord connection warning'))
    this.#client.on(Events.ShardResume, () => {
      log.info({}, 'connection to Discord resumed')
      this.#reconnected()
    })
    this.#client.on(Events.ShardReady, () => this.#reconnected())
    this.#client.on(Events.ShardReconnecting, () => {
      this.#reconnecting ??= Promise.withResolvers()
      if (!this.#stopping) log.warn({}, 'connection to Discord lost, reconnecting')
    })
    this.#client.on(Events.ShardDisconnect, ({ code }) => {
      this.#reconnected()
      if (this.#running && !this.#stopping) onGivenUp(readLoginProblem({ code }))
    })
  }

  #reconnected(): void {
    this.#reconnecting?.resolve()
    this.#reconnecting = undefined
  }

  async #onMessage(payload: unknown): Promise<void> {
    const botId = this.#client.user?.id
    if (botId === undefined) return
    const message = readMessageEvent(payload, botId)
    const request = message && readMessage(message, botId)
    if (!request || !this.#seen.add(message.id)) return
    await this.#debounce.add({ request, messageId: message.id, member: message })
  }

  /** Without a member, it is a direct message. */
  async #takeMessage(
    request: AskedRequest,
    messageId: string,
    member: Pick<DiscordAsker, 'guildId' | 'roleIds'> = DIRECT,
  ): Promise<void> {
    const { userId, channelId } = request
    const asker = { userId, channelId, guildId: member.guildId, roleIds: member.roleIds }
    const target = this.#channelTarget(channelId, messageId)
    const refused = await this.#intake.take({ request, asker, target }, messageId)
    // Who was refused has been asked to write again: it must not be taken in at the next start.
    if (refused && member.guildId === null) {
      this.#ledger.noteRead({ channelId, userId, lastMessageId: messageId })
    }
  }

  async #onAsked({ request, asker, interaction }: AskedQuestion): Promise<void> {
    await this.#intake.take({ request, asker, target: this.#interactionTarget(interaction) }, interaction.id)
  }

  /** Tells whether the button is one of a card. */
  #onButton(interaction: ButtonInteraction): boolean {
    const press = readPress(interaction.customId)
    if (press && this.#seen.add(interaction.id)) void this.#guard(this.#presses.take(interaction, press))
    return press !== undefined
  }

  /** Where a request of an earlier process is shown; its interaction has been acknowledged by that. */
  #targetOf(request: ConversationRequest): ReplyTarget {
    const { id, channelId, timestamp, discordMessageId, interactionToken: token } = request
    if (isScheduled(request)) return this.#scheduled.targetOf(request)
    const questionId = discordMessageId ?? id
    if (token === null) return this.#channelTarget(channelId, questionId)
    return this.#interactionTarget({ id: questionId, token, channelId, receivedAt: timestamp, acknowledged: true })
  }

  #channelTarget(channelId: string, questionId: string): ReplyTarget {
    return new ChannelTarget(this.#client.rest, { channelId, questionId, botId: this.#botId })
  }

  #interactionTarget(interaction: Omit<ReceivedInteraction, 'applicationId' | 'botId'>): ReplyTarget {
    const { rest, application } = this.#client
    const botId = this.#botId
    const received = { ...interaction, applicationId: application?.id ?? botId, botId }
    return new InteractionTarget(rest, received, () => this.#options.clock.now())
  }

  /** Known once `start` has resolved. */
  get #botId(): string {
    return this.#client.user?.id ?? ''
  }

  async #register(): Promise<void> {
    const applicationId = this.#client.application?.id
    if (applicationId === undefined) return
    try {
      const commands = this.#commands.map(({ definition }) => definition)
      const changed = await registerCommands(this.#client.rest, applicationId, commands)
      if (changed) this.#options.log.info({}, 'registered the commands with Discord')
    } catch (error) {
      // Direct messages and mentions work without.
      this.#options.log.error({ error: errorMessage(error) }, 'the commands could not be registered')
    }
  }

  /** One message that cannot be dealt with must not take the connection down. */
  async #guard(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#options.log.error({ error: errorMessage(error) }, 'a message from Discord could not be dealt with')
    }
  }
}
