import { MessageType } from 'discord.js'
import { z } from 'zod'
import type { IncomingMessage } from './intake.ts'
import { readOfferedFiles } from './offered-file.ts'

/** The part of MESSAGE_CREATE that intake looks at. */
const messageCreate = z.object({
  id: z.string(),
  channel_id: z.string(),
  guild_id: z.string().nullish(),
  type: z.number(),
  content: z.string(),
  author: z.object({ id: z.string(), bot: z.boolean().optional() }),
  member: z.object({ roles: z.array(z.string()) }).nullish(),
  webhook_id: z.string().nullish(),
  mentions: z.array(z.object({ id: z.string() })),
  attachments: z.unknown().optional(),
  referenced_message: z.unknown().optional(),
})

/** A message that is replied to; Discord sends null when it was deleted. */
const referenced = z.object({
  content: z.string(),
  author: z.object({ id: z.string(), username: z.string(), global_name: z.string().nullish() }),
  attachments: z.unknown().optional(),
})

/** Reads the payload of a MESSAGE_CREATE; undefined when it is not one. */
export function readMessageEvent(payload: unknown, botId: string): IncomingMessage | undefined {
  const { data: event } = messageCreate.safeParse(payload)
  if (!event) return undefined
  const files = readOfferedFiles(event.attachments)
  const repliesTo = readReferenced(event.referenced_message, botId)
  return {
    id: event.id,
    channelId: event.channel_id,
    guildId: event.guild_id ?? null,
    content: event.content,
    authorId: event.author.id,
    roleIds: event.member?.roles ?? [],
    authorIsBot: event.author.bot === true || typeof event.webhook_id === 'string',
    isSystem: event.type !== MessageType.Default && event.type !== MessageType.Reply,
    mentionsBot: event.mentions.some(({ id }) => id === botId),
    ...(files.length > 0 && { files }),
    ...(repliesTo && { repliesTo }),
  }
}

function readReferenced(value: unknown, botId: string): IncomingMessage['repliesTo'] {
  const { data } = referenced.safeParse(value)
  if (!data) return undefined
  const { id, username, global_name } = data.author
  // What the bot itself has attached is its own answer.
  const files = id === botId ? [] : readOfferedFiles(data.attachments)
  return { author: id === botId ? null : (global_name ?? username), text: data.content, files }
}
