import { refusal } from './api-error.ts'
import { type ApiRequest, bodyOf, ok, type Route } from './route.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const SESSIONS_A_DAY = 1_000
const DAY_MS = 86_400_000

interface BotRoutesOptions {
  readonly world: World
  readonly wire: Wire
  readonly gatewayUrl: () => string
  readonly identifies: () => number
}

/** What a bot asks about itself, and opening direct channels. */
export function botRoutes({ world, wire, gatewayUrl, identifies }: BotRoutesOptions): Route[] {
  const application = () => {
    const { id, username: name } = world.botUser
    return {
      id,
      name,
      description: '',
      icon: null,
      flags: 0,
      bot_public: true,
      bot_require_code_grant: false,
      summary: '',
      verify_key: '',
      bot: wire.user(world.botUser),
    }
  }
  const gateway = () => ({
    url: gatewayUrl(),
    shards: 1,
    session_start_limit: {
      total: SESSIONS_A_DAY,
      remaining: Math.max(0, SESSIONS_A_DAY - identifies()),
      reset_after: DAY_MS,
      max_concurrency: 1,
    },
  })
  const openDm = (request: ApiRequest) => {
    const { recipient_id }: { readonly recipient_id?: unknown } = bodyOf(request)
    const user = typeof recipient_id === 'string' ? world.findUser(recipient_id) : undefined
    if (!user || user.bot) throw refusal('invalidRecipients')
    return ok(wire.channel(world.openDm(user)))
  }
  const own = { auth: 'bot', limit: 'other', method: 'GET' } as const
  return [
    { ...own, pattern: '/gateway/bot', handle: () => ok(gateway()) },
    { ...own, pattern: '/users/@me', handle: () => ok(wire.user(world.botUser)) },
    { ...own, pattern: '/applications/@me', handle: () => ok(application()) },
    { ...own, pattern: '/oauth2/applications/@me', handle: () => ok(application()) },
    { ...own, method: 'POST', pattern: '/users/@me/channels', handle: openDm },
  ]
}
