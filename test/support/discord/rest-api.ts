import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, refusal } from './api-error.ts'
import type { CallLog, CallRecord } from './call-log.ts'
import { type Fault, type Faults, faultAnswer } from './faults.ts'
import type { RateLimiter } from './rate-limits.ts'
import { readRequest } from './request-reader.ts'
import { type ApiRequest, checkIds, matchPath, type Route, type RoutedRequest } from './route.ts'

interface RestApiOptions {
  readonly token: string
  readonly routes: readonly Route[]
  readonly limiter: RateLimiter
  readonly faults: Faults
  readonly log: CallLog
  readonly now: () => number
  readonly newId: () => string
}

/** What goes back over the socket. */
interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers: Readonly<Record<string, string>>
}

type Match = { readonly route: Route; readonly params: Map<string, string> }

/** The HTTP side: log, fault, authorization, limits, handler, answer, in this order. */
export class RestApi {
  readonly #options: RestApiOptions

  constructor(options: RestApiOptions) {
    this.#options = options
  }

  async handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url?.replace(/^\/api\/v(?:9|10)(?=\/)/, '') ?? '/'
    try {
      const request = await readRequest(incoming, this.#options.newId)
      const match = this.#match(request)
      const call = this.#begin(request.method, match?.route.pattern ?? request.path, path, request.body)
      await this.#respond(request, match, call, outgoing)
    } catch (error) {
      // Anything else than a refusal is a client that went away in the middle of its body.
      if (!(error instanceof ApiError)) return void incoming.socket.destroy()
      const call = this.#begin(incoming.method ?? 'GET', path, path, undefined)
      this.#finish(call, asAnswer(error), outgoing)
    }
  }

  #begin(method: string, route: string, path: string, body: unknown): CallRecord {
    return this.#options.log.begin({ at: this.#options.now(), method, route, path, body })
  }

  #finish(call: CallRecord, answer: Answer, outgoing: ServerResponse): void {
    send(outgoing, answer)
    this.#options.log.end(call, answer.status, codeOf(answer.body))
  }

  async #respond(
    request: ApiRequest,
    match: Match | undefined,
    call: CallRecord,
    outgoing: ServerResponse,
  ): Promise<void> {
    const { faults } = this.#options
    const rule = faults.take({ method: call.method, route: call.route, path: request.path })
    const fault = rule?.status
    if (fault === 'hang') await faults.hold()
    // Who gave up while the call was held has not been heard.
    if (closesBefore(fault) || outgoing.destroyed) return this.#cut(call, outgoing, fault)
    const answer = rule && typeof fault === 'number' ? asAnswer(faultAnswer(fault, rule)) : this.#answer(request, match)
    if (fault === 'hangAfter') await faults.hold()
    if (closesAfter(fault) || outgoing.destroyed) return this.#cut(call, outgoing, fault)
    this.#finish(call, answer, outgoing)
  }

  #cut(call: CallRecord, outgoing: ServerResponse, fault: Fault | undefined): void {
    if (fault === 'reset' || fault === 'resetAfter') outgoing.socket?.resetAndDestroy()
    else outgoing.socket?.destroy()
    this.#options.log.end(call, 0)
  }

  #match({ method, path }: ApiRequest): Match | undefined {
    for (const route of this.#options.routes) {
      if (route.method !== method) continue
      const params = matchPath(route.pattern, path)
      if (params) return { route, params }
    }
    return undefined
  }

  #answer(request: ApiRequest, match: Match | undefined): Answer {
    let headers: Readonly<Record<string, string>> = {}
    try {
      if (!match) throw refusal(this.#isKnownPath(request.path) ? 'methodNotAllowed' : 'notFound')
      this.#authorize(match.route, request)
      headers = this.#count(match)
      checkIds(match.params)
      return { ...match.route.handle({ ...request, params: match.params }), headers }
    } catch (error) {
      if (error instanceof ApiError) return asAnswer(error, headers)
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { status: 500, body: { message, code: 0 }, headers }
    }
  }

  #isKnownPath(path: string): boolean {
    return this.#options.routes.some((route) => matchPath(route.pattern, path))
  }

  #authorize(route: Route, request: ApiRequest): void {
    if (route.auth === 'bot' && request.authorization !== `Bot ${this.#options.token}`) throw refusal('unauthorized')
  }

  #count({ route, params }: Match): Readonly<Record<string, string>> {
    const { limiter } = this.#options
    if (route.auth === 'bot') limiter.takeGlobal()
    return route.limit === null ? {} : limiter.take({ name: route.limit, major: majorOf(params) })
  }
}

/** Limits are counted per channel, guild or webhook; everything else is one for the bot. */
function majorOf(params: RoutedRequest['params']): string {
  const token = params.get('token')
  return token ?? params.get('channelId') ?? params.get('guildId') ?? 'bot'
}

function asAnswer(error: ApiError, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: error.status, body: error.body, headers: { ...headers, ...error.headers } }
}

function closesBefore(fault: Fault | undefined): boolean {
  return fault === 'drop' || fault === 'reset'
}

function closesAfter(fault: Fault | undefined): boolean {
  return fault === 'dropAfter' || fault === 'resetAfter'
}

function codeOf(body: unknown): number | null {
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : null
  return typeof code === 'number' ? code : null
}

function send(outgoing: ServerResponse, { status, body, headers }: Answer): void {
  // A 204 that announces JSON makes clients parse nothing and fail.
  if (body === undefined) outgoing.writeHead(status, headers).end()
  else outgoing.writeHead(status, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}
