import { type Attachment, createdAt, currentRevision, type Message, type Revision, visibleText } from './entities.ts'

/** A message with all it ever was, as plain values for tests. */
export interface MessageRecord {
  readonly id: string
  readonly channelId: string
  readonly authorId: string
  readonly authorName: string
  readonly authorIsBot: boolean
  /** As it stands now. */
  readonly content: string
  /** Everything a person would read now: content, embeds and text displays. */
  readonly text: string
  /** The current components, for pressing their buttons. */
  readonly components: Revision['components']
  /** The files it carries now. */
  readonly attachments: readonly Attachment[]
  readonly nonce: string | number | null
  readonly referenceId: string | null
  /** The interaction it answers. */
  readonly interactionId: string | null
  readonly ephemeral: boolean
  /** A deferred answer that has no content yet. */
  readonly loading: boolean
  readonly deleted: boolean
  /** ms since epoch; null while it is there. */
  readonly deletedAt: number | null
  /** Whom any of its revisions would have pinged. */
  readonly pinged: readonly string[]
  /** ms since epoch */
  readonly createdAt: number
  /** As created, then as edited, in order. */
  readonly revisions: readonly Revision[]
}

/** A message as a test sees it. */
export function recordOf(message: Message): MessageRecord {
  const now = currentRevision(message)
  return {
    id: message.id,
    channelId: message.channel.id,
    authorId: message.author.id,
    authorName: message.author.username,
    authorIsBot: message.author.bot,
    content: now.content,
    text: visibleText(now),
    components: now.components,
    attachments: now.attachments,
    nonce: message.nonce,
    referenceId: message.referenceId,
    interactionId: message.origin?.interactionId ?? null,
    ephemeral: message.ephemeral,
    loading: message.loading,
    deleted: message.deleted,
    deletedAt: message.deletedAt,
    pinged: [...new Set(message.revisions.flatMap(({ pinged }) => pinged))],
    createdAt: createdAt(message),
    revisions: [...message.revisions],
  }
}
