import { invalidForm, rateLimited, refusal } from './api-error.ts'
import { type Channel, createdAt, currentRevision, type Message } from './entities.ts'
import { type MessageDraft, partsOf, readDraft, readEdit } from './message-draft.ts'
import type { RateLimiter } from './rate-limits.ts'
import { type ApiResponse, bodyOf, NO_CONTENT, ok, param, type Route, type RoutedRequest } from './route.ts'
import { bySnowflake } from './snowflake.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const OLD_MESSAGE_MS = 3_600_000
const DEFAULT_PAGE = 50
const MAX_PAGE = 100

interface ChannelRoutesOptions {
  readonly world: World
  readonly wire: Wire
  readonly limiter: RateLimiter
  readonly now: () => number
}

/** Channels and their messages, for the bot. */
export function channelRoutes({ world, wire, limiter, now }: ChannelRoutesOptions): Route[] {
  const channelOf = (request: RoutedRequest) => world.channel(param(request, 'channelId'))
  const messageOf = (request: RoutedRequest) => world.message(channelOf(request).id, param(request, 'messageId'))

  const create = (request: RoutedRequest): ApiResponse => {
    const channel = channelOf(request)
    const draft = readDraft(bodyOf(request), request.attachments)
    checkAccess(world, channel)
    const known = draft.enforceNonce && draft.nonce !== null ? world.findByNonce(world.botUser, draft.nonce) : undefined
    return ok(wire.message(known ?? createFromDraft(world, channel, draft)))
  }
  const edit = (request: RoutedRequest): ApiResponse => {
    const message = messageOf(request)
    if (message.author !== world.botUser) throw refusal('notAuthor')
    const parts = readEdit(bodyOf(request), currentRevision(message), request.attachments)
    checkAge(message)
    world.editMessage(message, parts)
    return ok(wire.message(message))
  }
  const checkAge = (message: Message) => {
    if (now() - createdAt(message) < OLD_MESSAGE_MS) return
    const waitMs = limiter.msUntilAllowed({ name: 'oldMessageEdit', major: message.channel.id })
    const words = 'Maximum number of edits to messages older than 1 hour reached. Try again later.'
    if (waitMs > 0) throw rateLimited(waitMs, { scope: 'user', code: 30046, message: words })
  }
  const remove = (request: RoutedRequest): ApiResponse => {
    const message = messageOf(request)
    if (message.author !== world.botUser) {
      throw refusal(message.channel.kind === 'direct' ? 'dmOnlyForGuild' : 'missingPermissions')
    }
    world.deleteMessage(message)
    return NO_CONTENT
  }
  const list = (request: RoutedRequest): ApiResponse => {
    const visible = world.messagesOf(channelOf(request).id).filter(({ deleted, ephemeral }) => !deleted && !ephemeral)
    return ok(page(visible, request.query).map((message) => wire.message(message)))
  }
  const type = (request: RoutedRequest): ApiResponse => {
    checkAccess(world, channelOf(request))
    return NO_CONTENT
  }

  const messages = '/channels/:channelId/messages'
  return [
    {
      method: 'GET',
      pattern: '/channels/:channelId',
      auth: 'bot',
      limit: 'other',
      handle: (request) => ok(wire.channel(channelOf(request))),
    },
    { method: 'POST', pattern: '/channels/:channelId/typing', auth: 'bot', limit: 'typing', handle: type },
    { method: 'POST', pattern: messages, auth: 'bot', limit: 'messageCreate', handle: create },
    { method: 'GET', pattern: messages, auth: 'bot', limit: 'messageRead', handle: list },
    {
      method: 'GET',
      pattern: `${messages}/:messageId`,
      auth: 'bot',
      limit: 'messageRead',
      handle: (request) => ok(wire.message(messageOf(request))),
    },
    { method: 'PATCH', pattern: `${messages}/:messageId`, auth: 'bot', limit: 'messageEdit', handle: edit },
    { method: 'DELETE', pattern: `${messages}/:messageId`, auth: 'bot', limit: 'messageDelete', handle: remove },
  ]
}

function checkAccess(world: World, channel: Channel): void {
  if (channel.kind === 'guild') {
    if (world.refused.has(channel.id)) throw refusal('missingAccess')
  } else if (world.refused.has(channel.id) || world.refused.has(channel.recipientId)) throw refusal('cannotDm')
}

function createFromDraft(world: World, channel: Channel, draft: MessageDraft): Message {
  const { nonce, reference } = draft
  const referenced = reference === null ? undefined : world.findMessage(reference.messageId)
  const referenceId = referenced?.channel.id === channel.id ? referenced.id : null
  if (reference?.mustExist && referenceId === null) {
    throw invalidForm({
      message_reference: { _errors: [{ code: 'REPLYING_UNKNOWN_MESSAGE', message: 'Unknown message' }] },
    })
  }
  return world.createMessage({ channel, author: world.botUser, nonce, referenceId, parts: partsOf(draft) })
}

/** A page of messages, newest first, as `limit`, `before`, `after` and `around` ask for it. */
function page(oldestFirst: readonly Message[], query: URLSearchParams): Message[] {
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    const message = `int value should be between 1 and ${MAX_PAGE}.`
    throw invalidForm({ limit: { _errors: [{ code: 'NUMBER_TYPE_RANGE', message }] } })
  }
  const [before, after, around] = [query.get('before'), query.get('after'), query.get('around')]
  if (around !== null) {
    const half = Math.floor(limit / 2)
    const older = oldestFirst.filter(({ id }) => bySnowflake(id, around) < 0).slice(-half)
    const rest = oldestFirst.filter(({ id }) => bySnowflake(id, around) >= 0)
    return [...older, ...rest.slice(0, limit - older.length)].reverse()
  }
  if (after !== null)
    return oldestFirst
      .filter(({ id }) => bySnowflake(id, after) > 0)
      .slice(0, limit)
      .reverse()
  const eligible = before === null ? oldestFirst : oldestFirst.filter(({ id }) => bySnowflake(id, before) < 0)
  return eligible.slice(-limit).reverse()
}
