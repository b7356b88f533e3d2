import { refusal } from './api-error.ts'
import type { Guild } from './entities.ts'
import { ok, param, type Route, type RoutedRequest } from './route.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const MAX_PAGE = 200

/** Which guilds the bot is in, and who else. */
export function guildRoutes({ world, wire }: { readonly world: World; readonly wire: Wire }): Route[] {
  const own = (request: RoutedRequest) => {
    const limit = Math.min(MAX_PAGE, Number(request.query.get('limit') ?? MAX_PAGE))
    const after = BigInt(request.query.get('after') ?? 0)
    const guilds = world.guilds().filter(({ id, memberIds }) => memberIds.has(world.botUser.id) && BigInt(id) > after)
    return ok(guilds.slice(0, limit).map(partial))
  }
  const one = (request: RoutedRequest) => {
    const guild = world.guild(param(request, 'guildId'))
    if (!guild.memberIds.has(world.botUser.id)) throw refusal('unknownGuild')
    return ok({ ...partial(guild), owner_id: guild.ownerId })
  }
  const member = (request: RoutedRequest) => {
    const guild = world.guild(param(request, 'guildId'))
    if (!guild.memberIds.has(world.botUser.id)) throw refusal('missingAccess')
    const user = world.user(param(request, 'userId'))
    if (!guild.memberIds.has(user.id)) throw refusal('unknownMember')
    return ok(wire.member(user, guild))
  }
  const call = { auth: 'bot', limit: 'other', method: 'GET' } as const
  return [
    { ...call, pattern: '/users/@me/guilds', handle: own },
    { ...call, pattern: '/guilds/:guildId', handle: one },
    { ...call, pattern: '/guilds/:guildId/members/:userId', handle: member },
  ]
}

function partial({ id, name }: Guild) {
  return { id, name, icon: null, owner: false, permissions: '0', features: [] }
}
