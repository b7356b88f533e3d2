import { invalidForm, refusal } from './api-error.ts'
import { ok, param, type Route, type RoutedRequest } from './route.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const MAX_PAGE = 100

/** What the bot has sold. */
export function entitlementRoutes({ world, wire }: { readonly world: World; readonly wire: Wire }): Route[] {
  const list = (request: RoutedRequest) => {
    if (param(request, 'applicationId') !== world.botUser.id) throw refusal('unknownApplication')
    const { query } = request
    const found = world.entitlements.list({
      ...idOf(query, 'after'),
      ...idOf(query, 'before'),
      ...named('skuIds', query.get('sku_ids')?.split(',')),
      ...named('userId', query.get('user_id')),
      ...named('guildId', query.get('guild_id')),
      ...named('excludeEnded', flagOf(query, 'exclude_ended')),
      ...named('excludeDeleted', flagOf(query, 'exclude_deleted')),
    })
    return ok(found.slice(0, limitOf(query)).map((one) => wire.entitlement(one)))
  }
  const pattern = '/applications/:applicationId/entitlements'
  return [{ auth: 'bot', limit: 'other', method: 'GET', pattern, handle: list }]
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? MAX_PAGE)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit
  const message = 'Value should be between 1 and 100.'
  throw invalidForm({ limit: { _errors: [{ code: 'NUMBER_TYPE_RANGE', message }] } })
}

function idOf(query: URLSearchParams, name: 'after' | 'before') {
  const id = query.get(name)
  return id === null ? {} : { [name]: BigInt(id) }
}

function flagOf(query: URLSearchParams, name: string): boolean | undefined {
  const flag = query.get(name)
  return flag === null ? undefined : flag === 'true'
}

function named<Name extends string, Value>(name: Name, value: Value | null | undefined) {
  return value === null || value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]: Value })
}
