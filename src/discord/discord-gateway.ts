import { type ButtonInteraction, Events, GatewayDispatchEvents } from 'discord.js'
import { errorMessage } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { DirectChannel, RecoveredRequest, UndeliveredReply } from '#protocol/database.ts'
import type { DeliveryStatistics } from '#protocol/delivery.ts'
import type { Gateway } from '#protocol/gateway.ts'
import type { GateRefusal, Refusal, RequestEvent } from '#protocol/queue.ts'
import { AccessCheck } from './access-check.ts'
import { readPress } from './card-buttons.ts'
import { CardPresses } from './card-presses.ts'
import { CatchUp } from './catch-up.ts'
import { commandList } from './commands/command-list.ts'
import { type AskedQuestion, CommandRouter } from './commands/command-router.ts'
import { registerCommands } from './commands/register-commands.ts'
import { Delivery } from './delivery.ts'
import { DeliveryLedger } from './delivery-ledger.ts'
import { DirectConversations } from './direct-conversations.ts'
import { DiscordConnection } from './discord-connection.ts'
import type { DiscordOptions } from './discord-options.ts'
import { Entitlements } from './entitlements.ts'
import { guarded } from './guarded.ts'
import { inTime } from './in-time.ts'
import { MessageIntake } from './message-intake.ts'
import { QuestionIntake } from './question-intake.ts'
import { QuotaCheck } from './quota-check.ts'
import { readReadyEvent } from './ready-event.ts'
import { RecentIds } from './recent-ids.ts'
import { ReplyCards } from './reply-cards.ts'
import { ReplyTargets } from './reply-targets.ts'
import { ScheduledQuestions } from './scheduled-questions.ts'
import { ServerSettingsBook } from './server-settings-book.ts'
import { SharedServers } from './shared-servers.ts'

/** Discord makes a bot that registers commands too often wait for hours. */
const REGISTRATION_TIMEOUT_MS = 10_000

/** More than can come in the minutes for which Discord may repeat events; older ones the database knows. */
const REMEMBERED_EVENTS = 10_000

/** Parley's connection to Discord: messages and commands become requests, cards show what becomes of them. */
export class DiscordGateway implements Gateway {
  readonly origin = 'discord'
  readonly #options: DiscordOptions
  readonly #connection: DiscordConnection
  readonly #targets: ReplyTargets
  readonly #delivery: Delivery
  readonly #cards: ReplyCards
  readonly #ledger: DeliveryLedger
  readonly #catchUp: CatchUp
  readonly #commands: ReturnType<typeof commandList>
  readonly #router: CommandRouter
  readonly #presses: CardPresses
  readonly #intake: QuestionIntake
  readonly #messages: MessageIntake
  readonly #scheduled: ScheduledQuestions
  readonly #entitlements: Entitlements
  readonly #access: AccessCheck
  readonly #seen = new RecentIds(REMEMBERED_EVENTS)

  constructor(options: DiscordOptions) {
    this.#options = options
    this.#delivery = new Delivery({
      clock: options.steadyClock ?? options.clock,
      ...(options.callsPerSecond !== undefined && { limit: options.callsPerSecond }),
      onMinute: () => options.log.debug({ ...this.statistics() }, 'calls to Discord so far'),
    })
    this.#connection = new DiscordConnection({ ...options, makeRequest: this.#delivery.makeRequest })
    this.#targets = new ReplyTargets(this.#connection, () => options.clock.now())
    const { queue, store, editIntervalMs, notifyAfterMs, clock, log } = options
    const { rest } = this.#connection
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
    const isNew = (eventId: string) => this.#seen.add(eventId)
    const markRead = (channel: DirectChannel) => this.#ledger.noteRead(channel)
    this.#catchUp = new CatchUp({
      limits: { ...options.catchUp, maxMessageLength: options.maxMessageLength },
      rest,
      turns,
      store,
      clock,
      log,
      isNew,
      take: (request, messageId) => this.#messages.take(request, messageId),
      markRead,
    })
    const serverSettings = new ServerSettingsBook(options)
    const sharedServers = new SharedServers({ rest, turns, clock })
    const direct = new DirectConversations({ records: options.records, servers: sharedServers, log })
    this.#access = new AccessCheck({ rules: options.access, serverSettings, sharedServers, rest, clock, log })
    const skuIds = (options.tiers ?? []).flatMap(({ skus }) => skus)
    this.#entitlements = new Entitlements({ skuIds, rest, turns, clock, log })
    this.#intake = new QuestionIntake({
      ...options,
      entitlements: this.#entitlements,
      cards: this.#cards,
      direct,
      access: this.#access,
      quota: new QuotaCheck({ ...options, limits: options.quota, owners: options.access.owners }),
    })
    this.#messages = new MessageIntake({
      connection: this.#connection,
      intake: this.#intake,
      targets: this.#targets,
      isNew,
      markRead,
      debounceMs: options.debounceMs ?? 0,
      maxMessageLength: options.maxMessageLength,
      clock,
      log,
    })
    this.#scheduled = new ScheduledQuestions({
      rest,
      turns,
      targets: this.#targets,
      offer: (question) => this.#intake.offer(question),
    })
    this.#commands = commandList({
      ...options,
      accessCheck: this.#access,
      serverSettings,
      direct,
      withdraw: (scope) => this.#messages.withdraw(scope),
      delivery: () => this.statistics(),
    })
    this.#router = new CommandRouter({
      commands: this.#commands,
      rest,
      direct,
      clock,
      log,
      isNew,
      ask: (asked) => this.#onAsked(asked),
    })
    this.#presses = new CardPresses({
      rest,
      queue,
      store,
      direct,
      clock,
      log,
      botId: () => this.#connection.botId,
      maxMessageLength: options.maxMessageLength,
      onAmended: (messageId) => this.#cards.closeOffer(messageId),
      offer: (request, asker, interaction) =>
        this.#intake.offer({ request, asker, target: this.#targets.ofInteraction(interaction) }),
    })
    this.#listen()
  }

  /** Logs in and registers the commands; rejects with a `DISCORD_…` error that says what to do. */
  async start(): Promise<void> {
    const { clock, log } = this.#options
    if (!(await this.#connection.start())) return
    if (!(await inTime(this.#register(), clock, REGISTRATION_TIMEOUT_MS))) {
      log.warn({}, 'Discord takes its time to register the commands; direct messages and mentions work meanwhile')
    }
  }

  resume(recovered: RecoveredRequest): (event: RequestEvent) => void {
    return this.#cards.resume(recovered, () => this.#targets.of(recovered.request))
  }

  deliver(reply: UndeliveredReply): void {
    this.#cards.deliver(reply, this.#targets.of(reply.request))
  }

  askScheduled(request: ConversationRequest): Promise<Refusal | GateRefusal | undefined> {
    return this.#scheduled.ask(request)
  }

  /** Takes no more messages in: who writes is told so. */
  stopIntake(): void {
    this.#connection.prepareEnd()
    void this.#messages.close()
    this.#intake.stop()
    void this.#catchUp.stop()
    this.#scheduled.stop()
    this.#entitlements.stop()
  }

  /** Shows what is still to be shown, for at most `timeoutMs`, and disconnects. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopIntake()
    this.#connection.cancelStart()
    await inTime(this.#settle(), this.#options.clock, timeoutMs)
    this.#cards.abandon()
    this.#delivery.close()
    if (await this.#connection.end()) {
      this.#options.log.info({ ...this.statistics() }, 'disconnected from Discord')
    }
  }

  /** How the calls to Discord are doing. */
  statistics(): DeliveryStatistics {
    return { ...this.#delivery.statistics(), hiddenRefusals: this.#intake.hiddenRefusals }
  }

  async #settle(): Promise<void> {
    await this.#catchUp.stop()
    await this.#messages.close()
    await this.#router.settled()
    await this.#presses.settled()
    await this.#cards.close()
    await this.#ledger.written()
    await this.#connection.settled()
  }

  #listen(): void {
    const { client } = this.#connection
    // Not the event of discord.js, which leaves out messages from channels and threads it does not know.
    client.ws.on(GatewayDispatchEvents.MessageCreate, (payload) => this.#messages.hear(payload))
    // Of a session that is resumed there is no such event, and nothing was missed.
    client.ws.on(GatewayDispatchEvents.Ready, (payload) => {
      const ready = readReadyEvent(payload)
      if (!ready) return
      this.#entitlements.begin(ready.applicationId)
      this.#catchUp.begin(ready.botId)
    })
    client.ws.on(GatewayDispatchEvents.EntitlementCreate, (payload) => this.#entitlements.noteChanged(payload))
    client.ws.on(GatewayDispatchEvents.EntitlementUpdate, (payload) => this.#entitlements.noteChanged(payload))
    client.ws.on(GatewayDispatchEvents.EntitlementDelete, (payload) => this.#entitlements.noteDeleted(payload))
    // Told before discord.js tells of the interaction itself.
    client.ws.on(GatewayDispatchEvents.InteractionCreate, (payload) => {
      this.#entitlements.noteInteraction(payload)
      this.#access.noteInteraction(payload)
    })
    client.on(Events.InteractionCreate, (interaction) => {
      if (!(interaction.isButton() && this.#onButton(interaction))) this.#router.handle(interaction)
    })
  }

  async #onAsked({ request, asker, interaction }: AskedQuestion): Promise<void> {
    await this.#intake.take({ request, asker, target: this.#targets.ofInteraction(interaction) }, interaction.id)
  }

  /** Tells whether the button is one of a card. */
  #onButton(interaction: ButtonInteraction): boolean {
    const press = readPress(interaction.customId)
    if (press && this.#seen.add(interaction.id)) void guarded(this.#presses.take(interaction, press), this.#options.log)
    return press !== undefined
  }

  async #register(): Promise<void> {
    const { rest, applicationId } = this.#connection
    try {
      const commands = this.#commands.map(({ definition }) => definition)
      const changed = await registerCommands(rest, applicationId, commands)
      if (changed) this.#options.log.info({}, 'registered the commands with Discord')
    } catch (error) {
      // Direct messages and mentions work without.
      this.#options.log.error({ error: errorMessage(error) }, 'the commands could not be registered')
    }
  }
}
