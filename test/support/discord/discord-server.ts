import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { botRoutes } from './bot-routes.ts'
import { type CallCounts, CallLog, type CallRecord } from './call-log.ts'
import { type Change, Changes } from './changes.ts'
import { channelRoutes } from './channel-routes.ts'
import { type OptionValues, optionsOf } from './command-options.ts'
import { commandRoutes } from './command-routes.ts'
import { type Command, Commands } from './commands.ts'
import { findButton } from './component-rules.ts'
import { currentRevision, type Message, type User } from './entities.ts'
import { type FaultRule, Faults } from './faults.ts'
import { Gateway } from './gateway.ts'
import { type GatewayEventName, GatewayLog, type GatewayRecord } from './gateway-log.ts'
import { UNPRIVILEGED_INTENTS } from './intents.ts'
import { interactionRoutes } from './interaction-routes.ts'
import { type Interaction, Interactions } from './interactions.ts'
import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_TOKEN,
  type DiscordServerOptions,
  type LimitsOption,
  resolveLimits,
} from './options.ts'
import { RateLimiter } from './rate-limits.ts'
import { type MessageRecord, recordOf } from './records.ts'
import { RestApi } from './rest-api.ts'
import { type WaitCondition, Waits } from './waits.ts'
import { Wire } from './wire.ts'
import { plainParts, World } from './world.ts'

/** An interaction a test has started. */
export interface StartedInteraction {
  readonly id: string
  readonly token: string
}

export interface DmOptions {
  /** How often the same MESSAGE_CREATE is sent again right away; 0. */
  readonly replay?: number
  /** Discord's message type, for system messages; 0. */
  readonly type?: number
  readonly replyTo?: string
}

export interface GuildMessage {
  readonly channelId: string
  readonly userId: string
  readonly content: string
  /** Puts a mention of the bot in front, unless the content has one. */
  readonly mentionsBot?: boolean
  /** Sends it as a webhook does: `webhook_id` set, the author a bot, no member. */
  readonly asWebhook?: boolean
  readonly replyTo?: string
}

export interface CommandRun {
  readonly userId: string
  /** The direct channel with the bot when it is left out. */
  readonly channelId?: string
  readonly name: string
  readonly options?: OptionValues
  /** Sends it though no such command is registered, as an outdated client does. */
  readonly unregistered?: boolean
}

export interface ButtonPress {
  readonly userId: string
  readonly messageId: string
  readonly customId: string
}

/**
 * A Discord of its own on 127.0.0.1: REST and gateway as documented, errors and limits included, with methods
 * that play the people, break things, and tell what happened.
 */
export class DiscordServer {
  readonly #changes = new Changes()
  readonly #world: World
  readonly #wire: Wire
  readonly #interactions: Interactions
  readonly #commands: Commands
  readonly #limiter: RateLimiter
  readonly #faults = new Faults()
  readonly #calls: CallLog
  readonly #gatewayLog: GatewayLog
  readonly #gateway: Gateway
  readonly #waits: Waits
  readonly #http: Server
  readonly #port: number
  #clockOffsetMs = 0

  constructor(options: DiscordServerOptions = {}) {
    const now = () => Date.now() + this.#clockOffsetMs
    const token = options.token ?? DEFAULT_TOKEN
    this.#port = options.port ?? 0
    this.#world = new World({ now, changes: this.#changes, botUsername: options.botUser?.username ?? 'parley' })
    this.#wire = new Wire(this.#world)
    const newId = () => this.#world.newId()
    this.#interactions = new Interactions(now)
    this.#commands = new Commands(this.#world.botUser.id, newId)
    this.#limiter = new RateLimiter(resolveLimits(options.limits ?? 'documented'), now)
    this.#calls = new CallLog(this.#changes)
    this.#gatewayLog = new GatewayLog(this.#changes, now)
    this.#waits = new Waits(() => this.#history())
    const parts = {
      token,
      now,
      newId,
      changes: this.#changes,
      world: this.#world,
      wire: this.#wire,
      limiter: this.#limiter,
    }
    this.#gateway = new Gateway({
      ...parts,
      log: this.#gatewayLog,
      url: () => this.#gatewayUrl,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
      allowedIntents: options.allowedIntents ?? UNPRIVILEGED_INTENTS,
    })
    const routes = [
      ...botRoutes({ ...parts, gatewayUrl: () => this.#gatewayUrl, identifies: () => this.identifies().length }),
      ...channelRoutes(parts),
      ...commandRoutes(this.#world, this.#commands),
      ...interactionRoutes({ ...parts, interactions: this.#interactions }),
    ]
    const rest = new RestApi({ ...parts, routes, faults: this.#faults, log: this.#calls })
    this.#http = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void rest.handle(request, response))
    this.#http.on('upgrade', (request, socket, head) => this.#gateway.upgrade(request, socket, head))
    this.#changes.listen((change) => this.#waits.see(change))
  }

  /** Starts to listen; resolves with the address to give to clients as `rest.api`. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen(this.#port, '127.0.0.1', () => resolve(`http://${this.#host}/api`))
    })
  }

  /** Ends all connections, waits and held calls; resolves when the port is free. */
  close(): Promise<void> {
    this.#waits.close()
    this.#gateway.close()
    return new Promise((resolve) => {
      this.#http.close(() => resolve())
      this.#http.closeAllConnections()
      this.#faults.clear()
    })
  }

  // The people and places

  /** The bot's user id, which is its application id too. */
  botUserId(): string {
    return this.#world.botUser.id
  }

  addUser(user: { readonly username: string; readonly bot?: boolean }): string {
    return this.#world.addUser(user.username, user.bot).id
  }

  addGuild(name: string): string {
    return this.#world.addGuild(name).id
  }

  addGuildChannel(guildId: string, name: string): string {
    return this.#world.addGuildChannel(this.#world.guild(guildId), name).id
  }

  /** The channel id of a user's direct messages with the bot. */
  openDm(userId: string): string {
    return this.#world.openDm(this.#world.user(userId)).id
  }

  /** Writes to the bot; returns the message id. */
  sendDm(userId: string, content: string, options: DmOptions = {}): string {
    const author = this.#world.user(userId)
    const { replay = 0, type, replyTo } = options
    const channel = this.#world.openDm(author)
    const message = this.#world.createMessage({
      channel,
      author,
      parts: plainParts(content),
      referenceId: replyTo ?? null,
      ...(type === undefined ? {} : { type }),
    })
    for (let sent = 0; sent < replay; sent++) this.#world.replayMessage(message)
    return message.id
  }

  /** Writes in a server; returns the message id. */
  sendGuildMessage(sent: GuildMessage): string {
    const channel = this.#guildChannel(sent.channelId)
    const author = this.#joined(sent.userId, channel.guildId)
    const mention = `<@${this.#world.botUser.id}>`
    const content = sent.mentionsBot && !sent.content.includes(mention) ? `${mention} ${sent.content}` : sent.content
    return this.#world.createMessage({
      channel,
      author: sent.asWebhook ? { ...author, bot: true } : author,
      parts: plainParts(content),
      referenceId: sent.replyTo ?? null,
      webhookId: sent.asWebhook ? this.#world.newId() : null,
    }).id
  }

  /** Sends the MESSAGE_CREATE of a message again, as the gateway sometimes does. */
  replayMessage(messageId: string): void {
    this.#world.replayMessage(this.#anyMessage(messageId))
  }

  /** Edits a person's message. */
  editUserMessage(messageId: string, content: string): void {
    this.#world.editMessage(this.#anyMessage(messageId), plainParts(content))
  }

  /** Deletes any message, as its author or a moderator does. */
  deleteMessage(messageId: string): void {
    this.#world.deleteMessage(this.#anyMessage(messageId))
  }

  /** Runs a slash command as a user. Throws when the user could not have done so. */
  runCommand(run: CommandRun): StartedInteraction {
    const channelId = run.channelId ?? this.openDm(run.userId)
    const channel = this.#world.channel(channelId)
    const guildId = channel.kind === 'guild' ? channel.guildId : null
    const command = run.unregistered ? undefined : this.#commands.find(run.name, guildId)
    if (!command && !run.unregistered) throw new Error(`No command /${run.name} is registered for this place.`)
    const options = optionsOf(command, run.options ?? {})
    const data = { id: command?.id ?? this.#world.newId(), name: run.name, type: 1, options }
    const user = guildId === null ? this.#world.user(run.userId) : this.#joined(run.userId, guildId)
    return this.#start({ type: 2, user, channel, data, commandName: run.name, source: null })
  }

  /** Presses a button of a message as a user. Throws when there is no such button to press. */
  pressButton({ userId, messageId, customId }: ButtonPress): StartedInteraction {
    const source = this.#anyMessage(messageId)
    const button = findButton(currentRevision(source).components, customId)
    if (!button) throw new Error(`Message ${messageId} has no button ${customId} that can be pressed.`)
    const data = { component_type: 2, custom_id: customId, id: 1 }
    return this.#start({
      type: 3,
      user: this.#world.user(userId),
      channel: source.channel,
      data,
      commandName: null,
      source,
    })
  }

  // What goes wrong

  /** Makes the next calls of a route fail. */
  failNext(rule: FaultRule): void {
    this.#faults.add(rule)
  }

  /** Takes back all rules of `failNext` and lets held calls go on. */
  clearFaults(): void {
    this.#faults.clear()
  }

  /** Lets the calls go on that `hang` and `hangAfter` hold; returns their number. */
  releaseHeld(): number {
    return this.#faults.release()
  }

  /** Whether the bot may write to a user or into a channel. */
  refuseDm(userOrChannelId: string, refused = true): void {
    if (refused) this.#world.refused.add(userOrChannelId)
    else this.#world.refused.delete(userOrChannelId)
  }

  setLimits(limits: LimitsOption): void {
    this.#limiter.setLimits(resolveLimits(limits))
  }

  /** Lets time pass for everything the server measures: tokens, nonces, limits, the age of messages. */
  advanceClock(ms: number): void {
    this.#clockOffsetMs += ms
  }

  /** Ends an interaction's token before its 15 minutes. */
  expireToken(token: string): void {
    this.#interactions.expire(token)
  }

  /** Closes all gateway connections with a code, or without a word when there is none. */
  closeGateway(code?: number): void {
    this.#gateway.disconnect(code)
  }

  invalidateSession(resumable: boolean): void {
    this.#gateway.invalidateSessions(resumable)
  }

  requestReconnect(): void {
    this.#gateway.requestReconnect()
  }

  /** Makes the open gateway connections go silent: no acknowledgements, no events, no close. */
  freezeGateway(): void {
    this.#gateway.freeze()
  }

  // What happened

  /** Every REST call after a sequence number, in order. */
  log(since = 0): CallRecord[] {
    return this.#calls.since(since).map((call) => ({ ...call }))
  }

  counts(): CallCounts {
    return this.#calls.counts()
  }

  /** All messages of a channel with their history, oldest first, deleted and ephemeral ones too. */
  messages(channelId: string): MessageRecord[] {
    return this.#world.messagesOf(this.#world.channel(channelId).id).map(recordOf)
  }

  /** The registered commands, global ones or those of a guild. */
  commands(guildId?: string): Command[] {
    return this.#commands.list(guildId)
  }

  gatewayEvents(event?: GatewayEventName): GatewayRecord[] {
    return this.#gatewayLog.all(event)
  }

  identifies(): GatewayRecord[] {
    return this.#gatewayLog.all('identify')
  }

  resumes(): GatewayRecord[] {
    return this.#gatewayLog.all('resume')
  }

  heartbeats(): GatewayRecord[] {
    return this.#gatewayLog.all('heartbeat')
  }

  /** Resolves once a condition holds, at once when it does already; rejects at the timeout with what was seen. */
  waitFor(condition: WaitCondition, timeoutMs: number): Promise<unknown> {
    return this.#waits.wait(condition, timeoutMs)
  }

  get #host(): string {
    const { port } = this.#http.address() as AddressInfo
    return `127.0.0.1:${port}`
  }

  get #gatewayUrl(): string {
    return `ws://${this.#host}`
  }

  #start(wanted: Omit<Parameters<Interactions['add']>[0], 'id'>): StartedInteraction {
    const interaction: Interaction = this.#interactions.add({ id: this.#world.newId(), ...wanted })
    this.#changes.announce({ type: 'interactionCreated', interaction })
    return { id: interaction.id, token: interaction.token }
  }

  #guildChannel(channelId: string) {
    const channel = this.#world.channel(channelId)
    if (channel.kind !== 'guild') throw new Error(`Channel ${channelId} belongs to no guild.`)
    return channel
  }

  /** A user, who becomes a member of the guild if need be. */
  #joined(userId: string, guildId: string): User {
    const user = this.#world.user(userId)
    this.#world.guild(guildId).memberIds.add(user.id)
    return user
  }

  #anyMessage(messageId: string): Message {
    const message = this.#world.findMessage(messageId)
    if (!message) throw new Error(`There is no message ${messageId}.`)
    return message
  }

  *#history(): Iterable<Change> {
    for (const message of this.#world.allMessages()) yield { type: 'messageEdited', message }
    for (const call of this.#calls.since(0)) {
      yield { type: 'callArrived', call }
      if (call.status !== null) yield { type: 'callEnded', call }
    }
    for (const record of this.#gatewayLog.all()) yield { type: 'gateway', record }
  }
}
