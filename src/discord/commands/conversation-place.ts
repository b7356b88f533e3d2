import { InteractionContextType, PermissionFlagsBits, type PermissionsBitField } from 'discord.js'
import { DIRECT_SERVER_ID } from '#domain/request.ts'

/** Where somebody used a command. */
interface Place {
  readonly guildId: string | null
  readonly channelId: string
  readonly context: InteractionContextType | null
}

/**
 * The server id of the conversation that belongs to a place. What several people see in a group has one of its own:
 * nobody's direct conversation may come to light there.
 */
export function conversationServer({ guildId, channelId, context }: Place): string {
  if (guildId !== null) return guildId
  return context === InteractionContextType.PrivateChannel ? channelId : DIRECT_SERVER_ID
}

/** Where a command was used, and what the bot may do there. */
interface PlaceToWrite extends Pick<Place, 'guildId'> {
  readonly appPermissions: Readonly<PermissionsBitField>
  readonly channel: { isThread: () => boolean } | null
}

/** Tells whether the bot may write in the place of a command by itself; in direct messages it may. */
export function mayWrite({ guildId, appPermissions, channel }: PlaceToWrite): boolean {
  if (guildId === null) return true
  const { ViewChannel, SendMessages, SendMessagesInThreads } = PermissionFlagsBits
  return appPermissions.has([ViewChannel, channel?.isThread() ? SendMessagesInThreads : SendMessages])
}
