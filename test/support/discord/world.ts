import { refusal } from './api-error.ts'
import type { Changes } from './changes.ts'
import { displayTexts } from './component-rules.ts'
import {
  type Channel,
  createdAt,
  type DirectChannel,
  type Guild,
  type GuildChannel,
  type Message,
  type Revision,
  type User,
} from './entities.ts'
import { Entitlements } from './entitlements.ts'
import { readMentions } from './mentions.ts'
import { type MessageParts, NOTHING } from './message-draft.ts'
import { Snowflakes } from './snowflake.ts'

/** Discord says "a few minutes". */
const NONCE_MEMORY_MS = 5 * 60_000

/** A message to put into a channel. */
export type NewMessage = Pick<Message, 'channel' | 'author'> &
  Partial<Pick<Message, 'type' | 'nonce' | 'referenceId' | 'webhookId' | 'origin' | 'ephemeral' | 'loading'>> & {
    readonly parts: MessageParts
  }

/** Who is there, and what was written: the state behind REST and gateway. */
export class World {
  readonly botUser: User
  readonly entitlements: Entitlements
  /** Users and channels the bot may not write to. */
  readonly refused = new Set<string>()
  readonly #users = new Map<string, User>()
  readonly #guilds = new Map<string, Guild>()
  readonly #channels = new Map<string, Channel>()
  readonly #directChannels = new Map<string, DirectChannel>()
  readonly #messages = new Map<string, Message>()
  readonly #byChannel = new Map<string, Message[]>()
  readonly #byNonce = new Map<string, Message>()
  readonly #snowflakes: Snowflakes
  readonly #changes: Changes
  readonly #now: () => number

  constructor(options: { readonly now: () => number; readonly changes: Changes; readonly botUsername: string }) {
    this.#now = options.now
    this.#changes = options.changes
    this.#snowflakes = new Snowflakes(options.now)
    this.botUser = this.addUser(options.botUsername, true)
    this.entitlements = new Entitlements({ ...options, newId: () => this.newId() })
  }

  newId(): string {
    return this.#snowflakes.next()
  }

  addUser(username: string, bot = false): User {
    const user = { id: this.newId(), username, bot }
    this.#users.set(user.id, user)
    return user
  }

  addGuild(name: string): Guild {
    const id = this.newId()
    const owner = this.addUser(`owner-of-${name}`)
    const memberIds = new Set([owner.id, this.botUser.id])
    const guild: Guild = {
      id,
      name,
      ownerId: owner.id,
      memberIds,
      roles: new Map(),
      managerIds: new Set([owner.id]),
      channelIds: [],
      joinedAt: this.#now(),
    }
    this.#guilds.set(id, guild)
    this.#changes.announce({ type: 'guildAdded', guild })
    return guild
  }

  /** A text channel, or a thread of one. */
  addGuildChannel(guild: Guild, name: string, parentId: string | null = null): GuildChannel {
    const channel: GuildChannel = { kind: 'guild', id: this.newId(), guildId: guild.id, name, parentId }
    this.#channels.set(channel.id, channel)
    guild.channelIds.push(channel.id)
    this.#changes.announce({ type: 'channelAdded', channel })
    return channel
  }

  /** The direct channel of a user and the bot; opened when there is none. */
  openDm(user: User): DirectChannel {
    const known = this.#directChannels.get(user.id)
    if (known) return known
    const channel: DirectChannel = { kind: 'direct', id: this.newId(), recipientId: user.id }
    this.#channels.set(channel.id, channel)
    this.#directChannels.set(user.id, channel)
    return channel
  }

  findUser(id: string): User | undefined {
    return this.#users.get(id)
  }

  user(id: string): User {
    const user = this.#users.get(id)
    if (!user) throw refusal('unknownUser')
    return user
  }

  guilds(): Guild[] {
    return [...this.#guilds.values()]
  }

  guild(id: string): Guild {
    const guild = this.#guilds.get(id)
    if (!guild) throw refusal('unknownGuild')
    return guild
  }

  channel(id: string): Channel {
    const channel = this.#channels.get(id)
    if (!channel) throw refusal('unknownChannel')
    return channel
  }

  /** A message the bot can see over REST: not deleted, and not one of the ephemeral ones. */
  message(channelId: string, id: string): Message {
    const message = this.#messages.get(id)
    if (!message || message.deleted || message.ephemeral || message.channel.id !== channelId) {
      throw refusal('unknownMessage')
    }
    return message
  }

  /** Any message, whoever sees it, unless it was deleted. */
  findMessage(id: string): Message | undefined {
    const message = this.#messages.get(id)
    return message?.deleted ? undefined : message
  }

  /** All messages of a channel, oldest first, deleted and ephemeral ones too. */
  messagesOf(channelId: string): readonly Message[] {
    return this.#byChannel.get(channelId) ?? []
  }

  allMessages(): Iterable<Message> {
    return this.#messages.values()
  }

  /** The message an author sent with a nonce in the last minutes. */
  findByNonce(author: User, nonce: string | number): Message | undefined {
    const message = this.#byNonce.get(`${author.id}:${nonce}`)
    return message && this.#now() - createdAt(message) < NONCE_MEMORY_MS ? message : undefined
  }

  createMessage(wanted: NewMessage): Message {
    const referenceId = wanted.referenceId ?? null
    const message: Message = {
      id: this.newId(),
      channel: wanted.channel,
      author: wanted.author,
      type: wanted.type ?? (referenceId === null ? 0 : 19),
      nonce: wanted.nonce ?? null,
      referenceId,
      webhookId: wanted.webhookId ?? null,
      origin: wanted.origin ?? null,
      ephemeral: wanted.ephemeral ?? false,
      loading: wanted.loading ?? false,
      deleted: false,
      deletedAt: null,
      revisions: [this.#revision(wanted.parts, referenceId)],
    }
    this.#keep(message)
    this.#changes.announce({ type: 'messageCreated', message })
    return message
  }

  editMessage(message: Message, parts: MessageParts): void {
    message.loading = false
    message.revisions.push(this.#revision(parts, null))
    this.#changes.announce({ type: 'messageEdited', message })
  }

  deleteMessage(message: Message): void {
    message.deleted = true
    message.deletedAt = this.#now()
    this.#changes.announce({ type: 'messageDeleted', message })
  }

  replayMessage(message: Message): void {
    this.#changes.announce({ type: 'messageReplayed', message })
  }

  #keep(message: Message): void {
    this.#messages.set(message.id, message)
    const inChannel = this.#byChannel.get(message.channel.id)
    if (inChannel) inChannel.push(message)
    else this.#byChannel.set(message.channel.id, [message])
    if (message.nonce !== null) this.#byNonce.set(`${message.author.id}:${message.nonce}`, message)
  }

  #revision(parts: MessageParts, referenceId: string | null): Revision {
    const referenced = referenceId === null ? undefined : this.#messages.get(referenceId)
    // Text displays can mention people, embeds cannot.
    const text = [parts.content, ...displayTexts(parts.components)].join('\n')
    const mentions = readMentions(text, parts.allowedMentions, referenced?.author.id ?? null)
    return { ...parts, pinged: mentions.pinged, mentionedUserIds: mentions.userIds, at: this.#now() }
  }
}

/** What a person's message consists of. */
export function plainParts(content: string): MessageParts {
  return { ...NOTHING, content }
}
