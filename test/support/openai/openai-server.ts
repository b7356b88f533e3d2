import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { playScript, sendError } from './play-script.ts'
import {
  type ChatBody,
  type OpenAiServerOptions,
  type RecordedRequest,
  rateLimited,
  type Script,
  type ServerStatistics,
} from './script.ts'

/** A chat completion in progress, or kept for inspection. */
interface Exchange {
  readonly headers: RecordedRequest['headers']
  readonly body: ChatBody
  readonly release: () => void
  /** The counts it belongs to; after a reset these are of no interest any more. */
  readonly counts: Counts
  aborted: boolean
}

type Counts = { -readonly [name in keyof ServerStatistics]: number }

interface Waiter {
  readonly reached: () => boolean
  readonly resolve: () => void
}

/** A server that speaks OpenAI's chat completions and does with each request what a script says. */
export class OpenAiServer {
  readonly #server: Server
  readonly #apiKey: string | null
  readonly #models: readonly string[] | null
  readonly #recordLimit: number
  readonly #mostAtOnce: number
  readonly #waiters = new Set<Waiter>()
  readonly #firstDefault: Script
  #queue: Script[] = []
  #default: Script
  #exchanges: Exchange[] = []
  #counts = noCounts()
  #closing = false

  constructor(options: OpenAiServerOptions = {}) {
    this.#apiKey = options.apiKey === undefined ? 'test-key-1234' : options.apiKey
    this.#models = options.models === undefined ? ['test-model'] : options.models
    this.#firstDefault = options.defaultScript ?? { type: 'echo' }
    this.#default = this.#firstDefault
    this.#mostAtOnce = options.mostAtOnce ?? Number.POSITIVE_INFINITY
    this.#recordLimit = options.recordLimit ?? 10_000
    this.#server = createServer((request, response) => void this.#handle(request, response))
    this.#server.keepAliveTimeout = 60_000
  }

  /** Starts on a free port of 127.0.0.1; resolves with the base URL, `/v1` included. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  /** Adds scripts for the next requests, one each. */
  script(...scripts: Script[]): void {
    this.#queue.push(...scripts)
  }

  setDefault(script: Script): void {
    this.#default = script
  }

  requests(): RecordedRequest[] {
    return this.#exchanges.map(({ headers, body, aborted }) => ({ headers, body, aborted }))
  }

  /** Resolves once so many chat completions have arrived since the start. */
  async waitForRequests(count: number): Promise<RecordedRequest[]> {
    await this.#until(() => this.#counts.requests >= count)
    return this.requests()
  }

  /** Resolves once so many clients have gone away before their response was complete. */
  async waitForAborted(count: number): Promise<RecordedRequest[]> {
    await this.#until(() => this.#counts.aborted >= count)
    return this.requests()
  }

  /** Lets every silent and held request that is open go on. */
  release(): void {
    for (const exchange of this.#exchanges) exchange.release()
  }

  /** Forgets scripts, requests and counts; what is still open counts no more. */
  reset(): void {
    this.#queue = []
    this.#default = this.#firstDefault
    this.#exchanges = []
    this.#counts = noCounts()
  }

  stats(): ServerStatistics {
    return { ...this.#counts }
  }

  /** Ends every connection and stops listening. */
  async close(): Promise<void> {
    this.#closing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response)
    } catch {
      // The connection is gone in the middle of a request or a response; nobody is left to tell.
      response.destroy()
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://server').pathname
    if (path === '/v1/models' && request.method === 'GET') {
      if (this.#refuseKey(request, response)) return
      sendModels(response, this.#models ?? [])
    } else if (path === '/v1/chat/completions' && request.method === 'POST') {
      await this.#complete(request, response)
    } else {
      const message = `Invalid URL (${request.method} ${path})`
      sendError(response, { status: 404, message, errorType: 'invalid_request_error', code: null })
    }
  }

  async #complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    const released = Promise.withResolvers<void>()
    this.#record(request, response, body, released.resolve)
    if (this.#refuse(request, response, body)) {
      this.#counts.refused += 1
      return
    }
    await playScript(this.#nextScript(body), body, response, released.promise)
  }

  #record(request: IncomingMessage, response: ServerResponse, body: ChatBody, release: () => void): void {
    const counts = this.#counts
    const exchange: Exchange = { headers: redacted(request.headers), body, release, counts, aborted: false }
    this.#exchanges.push(exchange)
    if (this.#exchanges.length > this.#recordLimit) this.#exchanges.shift()
    counts.requests += 1
    counts.open += 1
    counts.mostOpen = Math.max(counts.mostOpen, counts.open)
    response.on('close', () => this.#ended(exchange, response))
    this.#wake()
  }

  #ended(exchange: Exchange, response: ServerResponse): void {
    exchange.counts.open -= 1
    // A response that a script cut carries an error.
    exchange.aborted = !response.writableFinished && !response.errored && !this.#closing
    if (response.writableFinished) exchange.counts.answered += 1
    if (exchange.aborted) exchange.counts.aborted += 1
    this.#wake()
  }

  #refuse(request: IncomingMessage, response: ServerResponse, body: ChatBody): boolean {
    if (this.#refuseKey(request, response)) return true
    if (this.#counts.open > this.#mostAtOnce) {
      sendError(response, rateLimited())
      return true
    }
    if (this.#models === null || this.#models.includes(body.model ?? '')) return false
    const message = `The model \`${body.model}\` does not exist or you do not have access to it.`
    sendError(response, { status: 404, message, errorType: 'invalid_request_error', code: 'model_not_found' })
    return true
  }

  #refuseKey(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#apiKey === null || request.headers.authorization === `Bearer ${this.#apiKey}`) return false
    const message = `Incorrect API key provided: ${request.headers.authorization?.replace('Bearer ', '') ?? ''}.`
    sendError(response, { status: 401, message, errorType: 'invalid_request_error', code: 'invalid_api_key' })
    return true
  }

  #nextScript(body: ChatBody): Script {
    const script = this.#queue.shift() ?? this.#default
    // The request that comes again without the option is the one that gets this script's answer.
    if (script.type === 'refuseStreamOptions' && body.stream_options) this.#queue.unshift(script)
    return script
  }

  #until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.add({ reached, resolve }))
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.reached()) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}

function noCounts(): Counts {
  return { requests: 0, open: 0, mostOpen: 0, answered: 0, refused: 0, aborted: 0 }
}

async function readBody(request: IncomingMessage): Promise<ChatBody> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as ChatBody
}

function redacted(headers: IncomingMessage['headers']): RecordedRequest['headers'] {
  const { authorization } = headers
  return authorization === undefined ? headers : { ...headers, authorization: `…${authorization.slice(-4)}` }
}

function sendModels(response: ServerResponse, models: readonly string[]): void {
  const list = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'parley-tests' }))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', data: list }))
}
