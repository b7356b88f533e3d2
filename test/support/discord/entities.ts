import type { JsonObject } from './json.ts'

export interface User {
  readonly id: string
  readonly username: string
  readonly bot: boolean
}

export interface Guild {
  readonly id: string
  readonly name: string
  readonly ownerId: string
  readonly memberIds: Set<string>
  /** The roles of members that have some, by user id. */
  readonly roles: Map<string, readonly string[]>
  /** Members who may manage it. */
  readonly managerIds: Set<string>
  readonly channelIds: string[]
  /** ms since epoch */
  readonly joinedAt: number
}

/** A direct channel has a recipient, a guild's has a guild and a name. */
export type Channel = DirectChannel | GuildChannel

export interface DirectChannel {
  readonly kind: 'direct'
  readonly id: string
  readonly recipientId: string
}

export interface GuildChannel {
  readonly kind: 'guild'
  readonly id: string
  readonly guildId: string
  readonly name: string
  /** Of a thread: the channel it belongs to. */
  readonly parentId: string | null
}

export interface Attachment {
  readonly id: string
  readonly filename: string
  readonly sizeBytes: number
  readonly contentType: string | null
  /** What was uploaded, read as UTF-8. */
  readonly text: string
}

/** One state of a message: as created, or as edited. */
export interface Revision {
  readonly content: string
  readonly embeds: readonly JsonObject[]
  readonly components: readonly JsonObject[]
  readonly attachments: readonly Attachment[]
  /** Without the bits of an ephemeral or loading message. */
  readonly flags: number
  /** As sent; undefined when it was left out. */
  readonly allowedMentions: JsonObject | undefined
  /** Whom it would have pinged: user ids, role ids, `everyone`, `here`. */
  readonly pinged: readonly string[]
  /** Users named in the text whom Discord lists as mentioned. */
  readonly mentionedUserIds: readonly string[]
  /** ms since epoch */
  readonly at: number
}

/** What a user, or a guild for its members, has bought. */
export interface Entitlement {
  readonly id: string
  readonly skuId: string
  readonly userId: string | null
  readonly guildId: string | null
  /** ms since epoch */
  readonly startsAt: number | null
  /** ms since epoch; null while it does not end. */
  readonly endsAt: number | null
  readonly deleted: boolean
}

/** The interaction a message answers. */
interface MessageOrigin {
  readonly interactionId: string
  readonly interactionType: 2 | 3 | 4
  readonly commandName: string | null
  readonly userId: string
  readonly sourceMessageId: string | null
}

export interface Message {
  readonly id: string
  readonly channel: Channel
  readonly author: User
  /** Discord's message type: 0 usual, 19 a reply, 20 the answer to a command, others are system messages. */
  readonly type: number
  readonly nonce: string | number | null
  readonly referenceId: string | null
  readonly webhookId: string | null
  readonly origin: MessageOrigin | null
  readonly ephemeral: boolean
  /** A deferred answer that has no content yet. */
  loading: boolean
  deleted: boolean
  /** ms since epoch; null while it is there. */
  deletedAt: number | null
  readonly revisions: [Revision, ...Revision[]]
}

/** The state a message is in now. */
export function currentRevision(message: Message): Revision {
  return message.revisions.at(-1) ?? message.revisions[0]
}

/** When a message was created, ms since epoch. */
export function createdAt(message: Message): number {
  return message.revisions[0].at
}

/** Everything a person would read in a message: content, embeds and text displays. */
export function visibleText(revision: Revision): string {
  const texts: string[] = [revision.content]
  for (const embed of revision.embeds) collectTexts(embed, texts)
  for (const component of revision.components) collectTexts(component, texts)
  return texts.filter((text) => text !== '').join('\n')
}

const READABLE = new Set(['title', 'description', 'name', 'value', 'text', 'content', 'label'])

function collectTexts(value: unknown, texts: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collectTexts(item, texts)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    if (typeof child === 'string' && READABLE.has(key)) texts.push(child)
    else collectTexts(child, texts)
  }
}
