import { type QuotedMessage, withQuote } from '#domain/quoted-message.ts'
import { DIRECT_SERVER_ID } from '#domain/request.ts'
import type { NewRequest } from '#protocol/queue.ts'
import type { OfferedFile } from './offered-file.ts'

/** What a message of Discord tells, as far as intake looks at it. */
export interface IncomingMessage {
  readonly id: string
  readonly channelId: string
  /** null in a direct conversation */
  readonly guildId: string | null
  readonly content: string
  readonly authorId: string
  readonly authorIsBot: boolean
  /** Of the author, in the server. */
  readonly roleIds: readonly string[]
  /** Anything but what a person writes: joins, pins, boosts. */
  readonly isSystem: boolean
  readonly mentionsBot: boolean
  /** What came with it; left out when that was nothing. */
  readonly files?: readonly OfferedFile[]
  /** The message it replies to, with what came with that; left out when there is none. */
  readonly repliesTo?: QuotedMessage & { readonly files: readonly OfferedFile[] }
}

/** A message that asks something, its files still with Discord. */
export interface AskedRequest extends NewRequest {
  readonly offered?: readonly OfferedFile[]
  /** The message it replies to, not in its text yet: that may begin with the name of a server. */
  readonly quoted?: QuotedMessage
  /** Set when it is made of several messages, of which it is known by the last one. */
  readonly isJoined?: true
}

/**
 * Turns a message into a request: any direct message, and in servers those that mention the bot.
 * Undefined for everything else; bots, the bot itself included, are never answered.
 */
export function readMessage(message: IncomingMessage, botId: string): AskedRequest | undefined {
  if (message.authorIsBot || message.authorId === botId || message.isSystem) return undefined
  if (message.guildId !== null && !message.mentionsBot) return undefined
  const { files = [], repliesTo } = message
  return {
    userId: message.authorId,
    serverId: message.guildId ?? DIRECT_SERVER_ID,
    channelId: message.channelId,
    message: withoutMention(message.content, botId),
    discordMessageId: message.id,
    interactionToken: null,
    ...offer([...files, ...(repliesTo?.files ?? [])]),
    ...(repliesTo && { quoted: { author: repliesTo.author, text: repliesTo.text } }),
  }
}

/** Puts the message a request replies to into its text, as far as its length allows. */
export function withReply(asked: AskedRequest, maxLength: number): AskedRequest {
  const { quoted, isJoined: _, ...request } = asked
  return { ...request, message: withQuote(request.message, quoted, maxLength) }
}

/** Makes one request of all that somebody wrote in a channel, oldest first; undefined when that is nothing. */
export function joinRequests(requests: readonly AskedRequest[], maxLength: number): AskedRequest | undefined {
  const [first, ...others] = requests
  const newest = others.at(-1)
  if (!first || !newest) return first
  const parts = [first, ...others.map((request) => withReply(request, maxLength))]
  const message = parts.map((part) => part.message).filter((text) => text !== '')
  return {
    ...withReply(newest, maxLength),
    message: message.join('\n\n'),
    // In front of all of it, as soon as it is known whose conversation that belongs to.
    ...(first.quoted && { quoted: first.quoted }),
    ...offer(parts.flatMap(({ offered = [] }) => offered)),
    isJoined: true,
  }
}

function offer(files: readonly OfferedFile[]): Pick<AskedRequest, 'offered'> {
  return files.length === 0 ? {} : { offered: files }
}

function withoutMention(content: string, botId: string): string {
  return content.replaceAll(new RegExp(`<@!?${botId}>`, 'g'), '').trim()
}
