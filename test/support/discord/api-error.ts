import type { JsonObject } from './json.ts'

/** The refusals Discord's documentation names: HTTP status, code, words. */
const KNOWN_ERRORS = {
  notFound: [404, 0, '404: Not Found'],
  methodNotAllowed: [405, 0, '405: Method Not Allowed'],
  unauthorized: [401, 0, '401: Unauthorized'],
  tooLarge: [413, 40005, 'Request entity too large'],
  invalidJson: [400, 50109, 'The request body contains invalid JSON.'],
  unknownChannel: [404, 10003, 'Unknown Channel'],
  unknownGuild: [404, 10004, 'Unknown Guild'],
  unknownMember: [404, 10007, 'Unknown Member'],
  unknownMessage: [404, 10008, 'Unknown Message'],
  unknownUser: [404, 10013, 'Unknown User'],
  unknownWebhook: [404, 10015, 'Unknown Webhook'],
  unknownApplication: [404, 10002, 'Unknown Application'],
  unknownInteraction: [404, 10062, 'Unknown interaction'],
  unknownCommand: [404, 10063, 'Unknown application command'],
  alreadyAcknowledged: [400, 40060, 'Interaction has already been acknowledged.'],
  missingAccess: [403, 50001, 'Missing Access'],
  dmOnlyForGuild: [403, 50003, 'Cannot execute action on a DM channel'],
  notAuthor: [403, 50005, 'Cannot edit a message authored by another user'],
  emptyMessage: [400, 50006, 'Cannot send an empty message'],
  cannotDm: [403, 50007, 'Cannot send messages to this user'],
  missingPermissions: [403, 50013, 'Missing Permissions'],
  invalidWebhookToken: [401, 50027, 'Invalid Webhook Token'],
  invalidRecipients: [400, 50033, 'Invalid Recipient(s)'],
} as const satisfies Record<string, readonly [number, number, string]>

export type KnownError = keyof typeof KNOWN_ERRORS

/** A refusal with Discord's status and JSON body. */
export class ApiError extends Error {
  readonly status: number
  readonly body: JsonObject
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: JsonObject, headers: Readonly<Record<string, string>> = {}) {
    super(`${status} ${JSON.stringify(body)}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** A documented refusal by name. */
export function refusal(name: KnownError): ApiError {
  const [status, code, message] = KNOWN_ERRORS[name]
  return new ApiError(status, { message, code })
}

/** A refused form, in the nested shape of Discord's error 50035. */
export function invalidForm(errors: JsonObject): ApiError {
  return new ApiError(400, { message: 'Invalid Form Body', code: 50035, errors })
}

/** A 429; the header is in whole seconds rounded up, the body exact, as Discord does it. */
export function rateLimited(
  retryAfterMs: number,
  kind: { readonly scope: 'user' | 'global' | 'shared'; readonly code?: number; readonly message?: string },
): ApiError {
  const global = kind.scope === 'global'
  const body = {
    message: kind.message ?? 'You are being rate limited.',
    retry_after: retryAfterMs / 1_000,
    global,
    ...(kind.code === undefined ? {} : { code: kind.code }),
  }
  return new ApiError(429, body, {
    'Retry-After': String(Math.ceil(retryAfterMs / 1_000)),
    'X-RateLimit-Scope': kind.scope,
    ...(global ? { 'X-RateLimit-Global': 'true' } : {}),
  })
}
