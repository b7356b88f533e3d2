import { CONTEXT } from './commands.ts'
import type { Attachment, Channel, User } from './entities.ts'
import type { Interaction } from './interactions.ts'
import { type JsonObject, objectsIn } from './json.ts'
import { permissionsOf, USUAL_PERMISSIONS } from './permissions.ts'
import { roleObject, type Wire } from './wire.ts'
import type { World } from './world.ts'

const ATTACHMENT_LIMIT_BYTES = 10_485_760
const CHANNEL = 7
const ROLE = 8
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
    data: withResolved(withTarget(withFiles(data, channel, wire), world, wire), world, wire),
    channel_id: channel.id,
    channel: wire.channel(channel),
    app_permissions: USUAL_PERMISSIONS,
    locale: LOCALE,
    entitlements: world.entitlements.usableBy(user.id, channel).map((one) => wire.entitlement(one)),
    attachment_size_limit: ATTACHMENT_LIMIT_BYTES,
    ...placeOf(channel, user, world, wire),
    ...(source === null ? {} : { message: wire.message(source) }),
  }
}

/** A command with files brings along where they are. */
function withFiles(data: JsonObject, channel: Channel, wire: Wire): JsonObject {
  const { resolved }: { readonly resolved?: unknown } = data
  // Written so by `People.runCommand`.
  const { attachments = {} } = (resolved ?? {}) as { readonly attachments?: Readonly<Record<string, Attachment>> }
  const shown = Object.entries(attachments).map(([id, file]) => [id, wire.attachment(file, channel)])
  return shown.length === 0 ? data : { ...data, resolved: { attachments: Object.fromEntries(shown) } }
}

/** A command of a message's menu brings the message along. */
function withTarget(data: JsonObject, world: World, wire: Wire): JsonObject {
  const { target_id }: { readonly target_id?: unknown } = data
  const target = typeof target_id === 'string' ? world.findMessage(target_id) : undefined
  return target ? { ...data, resolved: { messages: { [target.id]: wire.message(target) } } } : data
}

/** The channels and roles that were given as options come along. */
function withResolved(data: JsonObject, world: World, wire: Wire): JsonObject {
  const given = optionsIn(data)
  const ids = (wanted: number) => given.flatMap(({ type, value }) => (type === wanted ? [String(value)] : []))
  const channels = ids(CHANNEL).map((id) => [id, wire.channel(world.channel(id))] as const)
  const roles = ids(ROLE).map((id) => [id, roleObject(id, `role ${id}`)] as const)
  if (channels.length + roles.length === 0) return data
  return { ...data, resolved: { channels: Object.fromEntries(channels), roles: Object.fromEntries(roles) } }
}

interface GivenOption {
  readonly type?: unknown
  readonly value?: unknown
  readonly options?: unknown
}

function optionsIn({ options }: GivenOption): GivenOption[] {
  return objectsIn(options).flatMap((option) => [option, ...optionsIn(option)])
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
    member: { ...wire.member(user, guild), permissions: permissionsOf(guild, user.id) },
  }
}
