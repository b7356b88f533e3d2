import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { botRoutes } from './bot-routes.ts'
import { type CallCounts, CallLog, type CallRecord } from './call-log.ts'
import { type Change, Changes } from './changes.ts'
import { channelRoutes } from './channel-routes.ts'
import { commandRoutes } from './command-routes.ts'
import { type Command, Commands } from './commands.ts'
import { entitlementRoutes } from './entitlement-routes.ts'
import type { EntitlementGrant } from './entitlements.ts'
import { type FaultRule, Faults } from './faults.ts'
import { FileStore } from './file-store.ts'
import { Gateway } from './gateway.ts'
import { type GatewayEventName, GatewayLog, type GatewayRecord } from './gateway-log.ts'
import { guildRoutes } from './guild-routes.ts'
import { UNPRIVILEGED_INTENTS } from './intents.ts'
import { interactionRoutes } from './interaction-routes.ts'
import { Interactions } from './interactions.ts'
import {
  DEFAULT_HEARTBEAT_INTERVAL_MS,
  DEFAULT_TOKEN,
  type DiscordServerOptions,
  type LimitsOption,
  resolveLimits,
} from './options.ts'
import {
  type ButtonPress,
  type CommandRun,
  type DmOptions,
  type GuildMessage,
  type MessageCommandRun,
  type OptionChoice,
  type OptionTyping,
  People,
  type StartedInteraction,
} from './people.ts'
import { RateLimiter } from './rate-limits.ts'
import { type MessageRecord, recordOf } from './records.ts'
import { RestApi } from './rest-api.ts'
import { type WaitCondition, Waits } from './waits.ts'
import { Wire } from './wire.ts'
import { World } from './world.ts'

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
  readonly #people: People
  readonly #limiter: RateLimiter
  readonly #faults = new Faults()
  readonly #files = new FileStore()
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
    this.#wire = new Wire(this.#world, () => `http://${this.#host}`)
    const newId = () => this.#world.newId()
    this.#interactions = new Interactions(now)
    this.#commands = new Commands(this.#world.botUser.id, newId)
    this.#people = new People({
      world: this.#world,
      commands: this.#commands,
      interactions: this.#interactions,
      changes: this.#changes,
      files: this.#files,
    })
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
      ...guildRoutes(parts),
      ...entitlementRoutes(parts),
      ...commandRoutes(this.#world, this.#commands),
      ...interactionRoutes({ ...parts, interactions: this.#interactions }),
    ]
    const rest = new RestApi({ ...parts, routes, faults: this.#faults, log: this.#calls })
    this.#http = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      if (!this.#files.serve(request, response)) void rest.handle(request, response)
    })
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
    return this.#people.addUser(user)
  }

  addGuild(name: string): string {
    return this.#people.addGuild(name)
  }

  addGuildChannel(guildId: string, name: string): string {
    return this.#people.addGuildChannel(guildId, name)
  }

  /** Makes a user a member of a guild. */
  addMember(guildId: string, userId: string): void {
    this.#people.addMember(guildId, userId)
  }

  /** Lets a user, or the bot itself, leave a guild. */
  removeMember(guildId: string, userId: string): void {
    this.#people.removeMember(guildId, userId)
  }

  /** Gives a member a role of their own; returns its id. */
  giveRole(guildId: string, userId: string): string {
    return this.#people.giveRole(guildId, userId)
  }

  /** Lets a member manage the guild. */
  addManager(guildId: string, userId: string): void {
    this.#people.addManager(guildId, userId)
  }

  /** A product that people can buy; returns its id. */
  addSku(): string {
    return this.#world.newId()
  }

  /** Somebody buys a product, for themselves or for a guild; returns the entitlement's id. */
  grantEntitlement(grant: EntitlementGrant): string {
    return this.#world.entitlements.grant(grant).id
  }

  /** An entitlement gets another end, ms since epoch. */
  endEntitlement(id: string, endsAt: number): void {
    this.#world.entitlements.end(id, endsAt)
  }

  /** Takes an entitlement away, as after a refund. */
  deleteEntitlement(id: string): void {
    this.#world.entitlements.delete(id)
  }

  /** Starts a public thread in a channel; it is a channel itself. */
  addThread(channelId: string, name: string): string {
    return this.#people.addThread(channelId, name)
  }

  /** The channel id of a user's direct messages with the bot. */
  openDm(userId: string): string {
    return this.#people.openDm(userId)
  }

  /** Writes to the bot; returns the message id. */
  sendDm(userId: string, content: string, options?: DmOptions): string {
    return this.#people.sendDm(userId, content, options)
  }

  /** Writes in a server; returns the message id. */
  sendGuildMessage(sent: GuildMessage): string {
    return this.#people.sendGuildMessage(sent)
  }

  /** Sends the MESSAGE_CREATE of a message again, as the gateway sometimes does. */
  replayMessage(messageId: string): void {
    this.#people.replayMessage(messageId)
  }

  /** Edits a person's message. */
  editUserMessage(messageId: string, content: string): void {
    this.#people.editUserMessage(messageId, content)
  }

  /** Deletes any message, as its author or a moderator does. */
  deleteMessage(messageId: string): void {
    this.#people.deleteMessage(messageId)
  }

  /** Runs a slash command as a user. Throws when the user could not have done so. */
  runCommand(run: CommandRun): StartedInteraction {
    return this.#people.runCommand(run)
  }

  /** Runs a command of a message's menu as a user. Throws when the user could not have done so. */
  runMessageCommand(run: MessageCommandRun): StartedInteraction {
    return this.#people.runMessageCommand(run)
  }

  /** Presses a button of a message as a user. Throws when there is no such button to press. */
  pressButton(press: ButtonPress): StartedInteraction {
    return this.#people.pressButton(press)
  }

  /** Chooses options of a message's select menu as a user. Throws when the menu does not offer them. */
  chooseOptions(choice: OptionChoice): StartedInteraction {
    return this.#people.chooseOptions(choice)
  }

  /** Types an option of a command in direct messages. Throws when it suggests nothing. */
  typeOption(typing: OptionTyping): StartedInteraction {
    return this.#people.typeOption(typing)
  }

  /** What was suggested for an option that is being typed; null until then. */
  choicesFor(token: string): readonly unknown[] | null {
    return this.#interactions.get(token).choices
  }

  /** Sends the INTERACTION_CREATE of an interaction again, as the gateway sometimes does. */
  replayInteraction(token: string): void {
    this.#people.replayInteraction(token)
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

  /** The paths of the attachments that were fetched, those that failed too. */
  downloads(): string[] {
    return [...this.#files.downloads]
  }

  /** Resolves once so many attachments were asked for. */
  untilDownloads(count: number): Promise<void> {
    return this.#files.untilDownloads(count)
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

  *#history(): Iterable<Change> {
    for (const message of this.#world.allMessages()) yield { type: 'messageEdited', message }
    for (const call of this.#calls.since(0)) {
      yield { type: 'callArrived', call }
      if (call.status !== null) yield { type: 'callEnded', call }
    }
    for (const record of this.#gatewayLog.all()) yield { type: 'gateway', record }
  }
}
