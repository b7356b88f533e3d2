import type { Change } from './changes.ts'
import { currentRevision, type GuildChannel, type Message } from './entities.ts'
import { INTENTS } from './intents.ts'
import { interactionPayload } from './interaction-payload.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

/** A gateway event: its name and payload. */
export interface Dispatch {
  readonly t: string
  readonly d: unknown
}

/** The event a session with these intents gets for a change; undefined when it gets none. */
export function dispatchOf(change: Change, intents: number, world: World, wire: Wire): Dispatch | undefined {
  switch (change.type) {
    case 'messageCreated':
    case 'messageReplayed':
      return messageDispatch('MESSAGE_CREATE', change.message, intents, world, wire)
    case 'messageEdited':
      return messageDispatch('MESSAGE_UPDATE', change.message, intents, world, wire)
    case 'messageDeleted':
      return sees(change.message, intents) ? { t: 'MESSAGE_DELETE', d: deletion(change.message) } : undefined
    case 'guildAdded':
      return intents & INTENTS.guilds ? { t: 'GUILD_CREATE', d: wire.guild(change.guild) } : undefined
    case 'channelAdded':
      return intents & INTENTS.guilds ? channelCreation(change.channel, wire) : undefined
    case 'entitlement':
      return { t: change.event, d: wire.entitlement(change.entitlement) }
    case 'interactionCreated':
      return { t: 'INTERACTION_CREATE', d: interactionPayload(change.interaction, world, wire) }
    case 'callArrived':
    case 'callEnded':
    case 'gateway':
      return undefined
    default:
      return change satisfies never
  }
}

/** Messages of a channel need its intent; ephemeral ones never come over the gateway. */
function sees({ channel, ephemeral }: Message, intents: number): boolean {
  const needed = channel.kind === 'direct' ? INTENTS.directMessages : INTENTS.guildMessages
  return !ephemeral && (intents & needed) !== 0
}

function messageDispatch(t: string, message: Message, intents: number, world: World, wire: Wire): Dispatch | undefined {
  if (!sees(message, intents)) return undefined
  const shown = wire.gatewayMessage(message)
  if (mayRead(message, intents, world)) return { t, d: shown }
  return { t, d: { ...shown, content: '', embeds: [], attachments: [], components: [] } }
}

/** Without the message content intent, a bot reads what was sent to it or by it. */
function mayRead(message: Message, intents: number, world: World): boolean {
  const { botUser } = world
  return (
    message.channel.kind === 'direct' ||
    message.author === botUser ||
    currentRevision(message).mentionedUserIds.includes(botUser.id) ||
    (intents & INTENTS.messageContent) !== 0
  )
}

function channelCreation(channel: GuildChannel, wire: Wire): Dispatch {
  const shown = wire.guildChannel(channel)
  if (channel.parentId === null) return { t: 'CHANNEL_CREATE', d: shown }
  return { t: 'THREAD_CREATE', d: { ...shown, newly_created: true } }
}

function deletion({ id, channel }: Message): unknown {
  return { id, channel_id: channel.id, ...(channel.kind === 'guild' ? { guild_id: channel.guildId } : {}) }
}
