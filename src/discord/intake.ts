import { DIRECT_SERVER_ID } from '#domain/request.ts'
import type { NewRequest } from '#protocol/queue.ts'

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
}

/**
 * Turns a message into a request: any direct message, and in servers those that mention the bot.
 * Undefined for everything else; bots, the bot itself included, are never answered.
 */
export function readMessage(message: IncomingMessage, botId: string): NewRequest | undefined {
  if (message.authorIsBot || message.authorId === botId || message.isSystem) return undefined
  if (message.guildId !== null && !message.mentionsBot) return undefined
  return {
    userId: message.authorId,
    serverId: message.guildId ?? DIRECT_SERVER_ID,
    channelId: message.channelId,
    message: withoutMention(message.content, botId),
    discordMessageId: message.id,
    interactionToken: null,
  }
}

/** Makes one request of all that somebody wrote in a channel, oldest first; undefined when that is nothing. */
export function joinRequests(requests: readonly NewRequest[]): NewRequest | undefined {
  const newest = requests.at(-1)
  const texts = requests.map(({ message }) => message).filter((text) => text !== '')
  return newest && { ...newest, message: texts.join('\n\n') }
}

function withoutMention(content: string, botId: string): string {
  return content.replaceAll(new RegExp(`<@!?${botId}>`, 'g'), '').trim()
}
