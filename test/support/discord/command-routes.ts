import { refusal } from './api-error.ts'
import type { Commands } from './commands.ts'
import { bodyOf, NO_CONTENT, ok, param, type Route, type RoutedRequest } from './route.ts'
import type { World } from './world.ts'

/** Registering slash commands, global ones and those of a guild. */
export function commandRoutes(world: World, commands: Commands): Route[] {
  return [
    ...scopedRoutes('/applications/:applicationId/commands', world, commands),
    ...scopedRoutes('/applications/:applicationId/guilds/:guildId/commands', world, commands),
  ]
}

function scopedRoutes(pattern: string, world: World, commands: Commands): Route[] {
  const scope = (request: RoutedRequest): string | undefined => {
    if (param(request, 'applicationId') !== world.botUser.id) throw refusal('unknownApplication')
    const guildId = request.params.get('guildId')
    return guildId === undefined ? undefined : world.guild(guildId).id
  }
  const id = (request: RoutedRequest) => param(request, 'commandId')
  const common = { auth: 'bot', limit: 'other' } as const
  const change = (request: RoutedRequest) => {
    const guildId = scope(request)
    return ok(commands.upsert({ ...commands.get(id(request), guildId), ...bodyOf(request) }, guildId))
  }
  const remove = (request: RoutedRequest) => {
    commands.delete(id(request), scope(request))
    return NO_CONTENT
  }
  return [
    { ...common, method: 'GET', pattern, handle: (request) => ok(commands.list(scope(request))) },
    { ...common, method: 'PUT', pattern, handle: (request) => ok(commands.replaceAll(request.body, scope(request))) },
    {
      ...common,
      method: 'POST',
      pattern,
      handle: (request) => ({ status: 201, body: commands.upsert(bodyOf(request), scope(request)) }),
    },
    {
      ...common,
      method: 'GET',
      pattern: `${pattern}/:commandId`,
      handle: (request) => ok(commands.get(id(request), scope(request))),
    },
    { ...common, method: 'PATCH', pattern: `${pattern}/:commandId`, handle: change },
    { ...common, method: 'DELETE', pattern: `${pattern}/:commandId`, handle: remove },
  ]
}
