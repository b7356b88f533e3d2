import {
  type Attachment,
  type Channel,
  createdAt,
  currentRevision,
  type DirectChannel,
  type Entitlement,
  type Guild,
  type GuildChannel,
  type Message,
  type User,
} from './entities.ts'
import type { JsonObject } from './json.ts'
import { EPHEMERAL, LOADING } from './message-draft.ts'
import { USUAL_PERMISSIONS } from './permissions.ts'
import type { World } from './world.ts'

const TEXT_CHANNEL = 0
const PUBLIC_THREAD = 11
const APPLICATION_SUBSCRIPTION = 8

/** Writes the state of the world the way Discord's API shows it. */
export class Wire {
  readonly #world: World
  readonly #filesUrl: () => string

  /** @param filesUrl where attachments can be fetched. */
  constructor(world: World, filesUrl: () => string) {
    this.#world = world
    this.#filesUrl = filesUrl
  }

  user(user: User): JsonObject {
    const bot = user.bot ? { bot: true } : {}
    const { id, username } = user
    return {
      id,
      username,
      discriminator: user.bot ? '0001' : '0',
      global_name: null,
      avatar: null,
      public_flags: 0,
      ...bot,
    }
  }

  entitlement({ id, skuId, userId, guildId, startsAt, endsAt, deleted }: Entitlement): JsonObject {
    return {
      id,
      sku_id: skuId,
      application_id: this.#world.botUser.id,
      ...(userId !== null && { user_id: userId }),
      ...(guildId !== null && { guild_id: guildId }),
      type: APPLICATION_SUBSCRIPTION,
      deleted,
      consumed: false,
      starts_at: isoDate(startsAt),
      ends_at: isoDate(endsAt),
    }
  }

  channel(channel: Channel): JsonObject {
    return channel.kind === 'direct' ? this.directChannel(channel) : this.guildChannel(channel)
  }

  directChannel({ id, recipientId }: DirectChannel): JsonObject {
    const recipients = [this.user(this.#world.user(recipientId))]
    return { id, type: 1, recipients, last_message_id: this.#lastMessageId(id), flags: 0 }
  }

  guildChannel(channel: GuildChannel): JsonObject {
    const { id, guildId, name, parentId } = channel
    const last_message_id = this.#lastMessageId(id)
    if (parentId !== null) return this.#thread(channel, parentId)
    return {
      id,
      type: TEXT_CHANNEL,
      guild_id: guildId,
      name,
      position: 0,
      permission_overwrites: [],
      nsfw: false,
      last_message_id,
      flags: 0,
    }
  }

  #thread({ id, guildId, name }: GuildChannel, parentId: string): JsonObject {
    const count = this.#world.messagesOf(id).length
    return {
      id,
      type: PUBLIC_THREAD,
      guild_id: guildId,
      parent_id: parentId,
      owner_id: this.#world.guild(guildId).ownerId,
      name,
      last_message_id: this.#lastMessageId(id),
      message_count: count,
      total_message_sent: count,
      member_count: 1,
      rate_limit_per_user: 0,
      thread_metadata: {
        archived: false,
        auto_archive_duration: 4320,
        archive_timestamp: new Date(this.#world.guild(guildId).joinedAt).toISOString(),
        locked: false,
      },
      flags: 0,
    }
  }

  /** A message as REST shows it. */
  message(message: Message, depth = 0): JsonObject {
    const now = currentRevision(message)
    const edited = message.revisions.length > 1
    const answered = message.referenceId === null || depth > 0 ? {} : this.#reference(message.referenceId, message)
    return {
      id: message.id,
      channel_id: message.channel.id,
      type: message.type,
      author: this.user(message.author),
      content: now.content,
      timestamp: new Date(createdAt(message)).toISOString(),
      edited_timestamp: edited ? new Date(now.at).toISOString() : null,
      tts: false,
      mention_everyone: now.pinged.includes('everyone') || now.pinged.includes('here'),
      mentions: now.mentionedUserIds.flatMap((id) => this.#world.findUser(id) ?? []).map((user) => this.user(user)),
      mention_roles: [],
      attachments: now.attachments.map((attachment) => this.attachment(attachment, message.channel)),
      embeds: now.embeds,
      components: now.components,
      pinned: false,
      flags: now.flags | (message.ephemeral ? EPHEMERAL : 0) | (message.loading ? LOADING : 0),
      ...(message.nonce === null ? {} : { nonce: message.nonce }),
      ...(message.webhookId === null ? {} : { webhook_id: message.webhookId }),
      ...this.#origin(message),
      ...answered,
    }
  }

  /** A message as the gateway shows it; `channel_type` is what lets a client take in an unknown direct channel. */
  gatewayMessage(message: Message): JsonObject {
    const { channel } = message
    const shown = this.message(message)
    if (channel.kind === 'direct') return { ...shown, channel_type: 1 }
    const { user: _, ...member } = this.member(message.author, this.#world.guild(channel.guildId))
    const asMember = message.webhookId === null ? { member } : {}
    const channel_type = channel.parentId === null ? TEXT_CHANNEL : PUBLIC_THREAD
    return { ...shown, channel_type, guild_id: channel.guildId, ...asMember }
  }

  member(user: User, guild: Guild): JsonObject {
    const joined_at = new Date(guild.joinedAt).toISOString()
    const status = { deaf: false, mute: false, pending: false, flags: 0, premium_since: null }
    return {
      user: this.user(user),
      nick: null,
      avatar: null,
      banner: null,
      roles: guild.roles.get(user.id) ?? [],
      joined_at,
      ...status,
    }
  }

  guild(guild: Guild): JsonObject {
    const channels = guild.channelIds.map((id) => this.#world.channel(id)).filter((channel) => channel.kind === 'guild')
    const members = [...guild.memberIds].map((id) => this.member(this.#world.user(id), guild))
    return {
      id: guild.id,
      name: guild.name,
      owner_id: guild.ownerId,
      joined_at: new Date(guild.joinedAt).toISOString(),
      member_count: members.length,
      members,
      channels: channels.filter(({ parentId }) => parentId === null).map((channel) => this.guildChannel(channel)),
      threads: channels.filter(({ parentId }) => parentId !== null).map((channel) => this.guildChannel(channel)),
      roles: [everyoneRole(guild.id)],
      ...GUILD_DEFAULTS,
    }
  }

  #lastMessageId(channelId: string): string | null {
    return this.#world.messagesOf(channelId).findLast((message) => !message.deleted && !message.ephemeral)?.id ?? null
  }

  #reference(referenceId: string, message: Message): JsonObject {
    const referenced = this.#world.findMessage(referenceId)
    return {
      message_reference: { type: 0, message_id: referenceId, channel_id: message.channel.id },
      referenced_message: referenced ? this.message(referenced, 1) : null,
    }
  }

  #origin(message: Message): JsonObject {
    const { origin } = message
    if (origin === null) return {}
    const { interactionId: id, interactionType: type, userId } = origin
    const source = origin.sourceMessageId === null ? {} : { interacted_message_id: origin.sourceMessageId }
    const metadata = {
      id,
      type,
      user: this.user(this.#world.user(userId)),
      authorizing_integration_owners: {},
      ...source,
    }
    return {
      application_id: this.#world.botUser.id,
      interaction_metadata: metadata,
    }
  }

  attachment({ id, filename, sizeBytes, contentType }: Attachment, channel: Channel): JsonObject {
    const url = `${this.#filesUrl()}/attachments/${channel.id}/${id}/${filename}?ex=7fffffff&is=7ffffffe&hm=00&`
    return {
      id,
      filename,
      size: sizeBytes,
      url,
      proxy_url: url,
      ...(contentType === null ? {} : { content_type: contentType }),
    }
  }
}

function everyoneRole(guildId: string): JsonObject {
  return roleObject(guildId, '@everyone')
}

/** A role as Discord shows it. */
export function roleObject(id: string, name: string): JsonObject {
  const role = { id, name, color: 0, hoist: false, position: 0, permissions: USUAL_PERMISSIONS }
  return { ...role, managed: false, mentionable: false, flags: 0 }
}

const GUILD_DEFAULTS = {
  icon: null,
  splash: null,
  banner: null,
  description: null,
  discovery_splash: null,
  afk_channel_id: null,
  afk_timeout: 300,
  verification_level: 0,
  default_message_notifications: 0,
  explicit_content_filter: 0,
  emojis: [],
  stickers: [],
  features: [],
  mfa_level: 0,
  application_id: null,
  system_channel_id: null,
  system_channel_flags: 0,
  rules_channel_id: null,
  public_updates_channel_id: null,
  safety_alerts_channel_id: null,
  vanity_url_code: null,
  premium_tier: 0,
  premium_progress_bar_enabled: false,
  preferred_locale: 'en-US',
  nsfw_level: 0,
  hub_type: null,
  incidents_data: null,
  large: false,
  unavailable: false,
  voice_states: [],
  presences: [],
  stage_instances: [],
  guild_scheduled_events: [],
  soundboard_sounds: [],
}

function isoDate(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
