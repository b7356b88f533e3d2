import { CONTEXT } from './commands.ts'
import type { Channel, User } from './entities.ts'
import type { Interaction } from './interactions.ts'
import type { JsonObject } from './json.ts'
import { USUAL_PERMISSIONS, type Wire } from './wire.ts'
import type { World } from './world.ts'

const ATTACHMENT_LIMIT_BYTES = 10_485_760
const LOCALE = 'en-US'

/** An interaction as the gateway sends it. */
export function interactionPayload(interaction: Interaction, world: World, wire: Wire): JsonObject {
  const { id, token, type, channel, data, source, user } = interaction
  return {
    id,
    application_id: world.botUser.id,
    type,
    token,
    version: 1,
    data: withTarget(data, world, wire),
    channel_id: channel.id,
    channel: wire.channel(channel),
    app_permissions: USUAL_PERMISSIONS,
    locale: LOCALE,
    entitlements: [],
    attachment_size_limit: ATTACHMENT_LIMIT_BYTES,
    ...placeOf(channel, user, world, wire),
    ...(source === null ? {} : { message: wire.message(source) }),
  }
}

/** A command of a message's menu brings the message along. */
function withTarget(data: JsonObject, world: World, wire: Wire): JsonObject {
  const { target_id }: { readonly target_id?: unknown } = data
  const target = typeof target_id === 'string' ? world.findMessage(target_id) : undefined
  return target ? { ...data, resolved: { messages: { [target.id]: wire.message(target) } } } : data
}

function placeOf(channel: Channel, user: User, world: World, wire: Wire): JsonObject {
  if (channel.kind === 'direct') {
    return { context: CONTEXT.botDm, authorizing_integration_owners: { 0: '0' }, user: wire.user(user) }
  }
  const guild = world.guild(channel.guildId)
  return {
    context: CONTEXT.guild,
    authorizing_integration_owners: { 0: guild.id },
    guild_id: guild.id,
    guild: { id: guild.id, features: [], locale: LOCALE },
    guild_locale: LOCALE,
    member: { ...wire.member(user, guild), permissions: USUAL_PERMISSIONS },
  }
}
