import { APIError } from 'openai'
import { type Dispatcher, fetch as undiciFetch } from 'undici'
import { z } from 'zod'
import type { ServerBusy } from '#protocol/assistant.ts'
import { cancelledError, type ModelRetry } from './model-client.ts'
import { ModelError, modelErrorFrom } from './model-error.ts'
import { readRetryAfterMs } from './retry-after.ts'

export interface HttpAttemptsOptions {
  readonly dispatcher: Dispatcher
  readonly apiKey: string
  /** The caller's. */
  readonly signal: AbortSignal
  readonly firstTokenTimeoutMs: number
  readonly silenceTimeoutMs: number
}

/** After the model's last word some servers keep the connection open; token counts come at once or never. */
const AFTER_LAST_WORD_MS = 5_000

/**
 * The HTTP requests of one call to a model, which the openai package may repeat.
 *
 * It stands between that package and the network because only here is seen when a request starts:
 * the time for the first token must not run while the package waits before the next one.
 */
export class HttpAttempts {
  /** Aborted by the caller, by a time-out and by `close`. */
  readonly signal: AbortSignal
  readonly #options: HttpAttemptsOptions
  readonly #ending = new AbortController()
  readonly #retries: ModelRetry[] = []
  #retried: PromiseWithResolvers<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #timedOut: ModelError | undefined
  #started = 0
  #isRetry = false
  #lastBytes = ''
  /** Set while the last answer was that there is too much. */
  #busy: ServerBusy | undefined

  constructor(options: HttpAttemptsOptions) {
    this.#options = options
    this.signal = AbortSignal.any([options.signal, this.#ending.signal])
  }

  /** Whether the server has sent the mark after which nothing follows. */
  get sawEndMark(): boolean {
    return /data: ?\[DONE\]\s*$/.test(this.#lastBytes)
  }

  /** What the openai package is to call instead of `fetch`. */
  readonly fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    this.#startAttempt()
    try {
      const response = await undiciFetch(url instanceof Request ? url.url : url, this.#requestInit(init))
      const { status, ok, body } = response
      const headers = [...response.headers]
      const reader = ok ? body?.getReader() : undefined
      const first = await reader?.read()
      if (reader && !isDocument(first?.value)) return new Response(this.#watched(reader, first), { status, headers })
      // Read here, while the time for the first token still runs.
      const refusal = await (reader ? new Response(this.#watched(reader, first)) : response).text()
      this.waitForNothing()
      return this.#refused(ok ? statusOfDocument(refusal) : status, refusal, headers)
    } catch (error) {
      this.waitForNothing()
      throw error
    }
  }

  /** Says that the next request is not a repetition but another one. */
  startAnew(): void {
    this.#isRetry = false
  }

  /** Resolves with the next request that repeats one. */
  async nextRetry(): Promise<ModelRetry> {
    while (this.#retries.length === 0) {
      this.#retried ??= Promise.withResolvers()
      await this.#retried.promise
    }
    return this.#retries.shift() ?? { call: this.#started }
  }

  /** Restarts the time until the next token. */
  waitForToken(): void {
    this.#wait(this.#options.silenceTimeoutMs, 'between two tokens')
  }

  /** Starts the short time for what may come after the last word. */
  waitForEnd(): void {
    this.#wait(Math.min(AFTER_LAST_WORD_MS, this.#options.silenceTimeoutMs), 'after the last token')
  }

  waitForNothing(): void {
    clearTimeout(this.#timer)
  }

  /** Throws when the caller cancelled: the openai package ends its loop quietly. */
  throwIfCancelled(): void {
    if (this.#options.signal.aborted) throw cancelledError()
  }

  throwIfTimedOut(): void {
    if (this.#timedOut) throw this.#timedOut
  }

  /** What to tell the caller about anything thrown meanwhile. */
  explain(error: unknown): Error {
    if (this.#options.signal.aborted) return cancelledError()
    return this.#timedOut ?? modelErrorFrom(error, this.#options.apiKey).after(this.#busy?.retryAfterMs)
  }

  /** Ends the request that is open, if any. */
  close(): void {
    this.waitForNothing()
    this.#ending.abort()
  }

  #startAttempt(): void {
    this.#started += 1
    this.#lastBytes = ''
    this.#wait(this.#options.firstTokenTimeoutMs, 'before the first token')
    if (this.#isRetry) {
      this.#retries.push({ call: this.#started, ...(this.#busy && { busy: this.#busy }) })
      this.#retried?.resolve()
      this.#retried = undefined
    }
    this.#busy = undefined
    this.#isRetry = true
  }

  /** An error response, told to the openai package so that it understands it. */
  #refused(status: number, body: string, headers: [string, string][]): Response {
    const { response, problem } = refusedResponse(status, body, headers)
    if (problem.code === 'MODEL_RATE_LIMITED') {
      const retryAfterMs = readRetryAfterMs(response.headers, Date.now())
      this.#busy = { ...(retryAfterMs !== undefined && { retryAfterMs }) }
    }
    return response
  }

  #wait(timeoutMs: number, where: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timedOut = new ModelError('MODEL_TIMED_OUT', `nothing came for ${timeoutMs} ms ${where}`)
      this.#ending.abort()
    }, timeoutMs)
  }

  /** Only headers of ours go out: the package adds whatever `OPENAI_CUSTOM_HEADERS` holds. */
  #requestInit(init: RequestInit | undefined): Parameters<typeof undiciFetch>[1] {
    return {
      method: init?.method ?? 'POST',
      body: typeof init?.body === 'string' ? init.body : null,
      signal: init?.signal ?? this.signal,
      dispatcher: this.#options.dispatcher,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${this.#options.apiKey}`,
        'content-type': 'application/json',
        'user-agent': 'Parley',
      },
    }
  }

  /** Passes a body on, with what was read of it already, and remembers its last bytes. */
  #watched(reader: BodyReader, first: BodyChunk | undefined): ReadableStream<Uint8Array> {
    let next = first
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { value } = next ?? (await reader.read())
          next = undefined
          if (!value) return controller.close()
          this.#lastBytes = (this.#lastBytes + Buffer.from(value.subarray(-32)).toString('latin1')).slice(-32)
          controller.enqueue(value)
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }
}

/** Without a value at the end. */
interface BodyChunk {
  readonly value?: Uint8Array | undefined
}

interface BodyReader {
  read(): Promise<BodyChunk>
  cancel(reason?: unknown): Promise<void>
}

/**
 * Tells whether a body begins as no stream of events does, but as JSON or a page: some servers say 200 to what they do
 * not know, and relays to an error of the far side. What they call it is worth nothing.
 */
function isDocument(beginning: Uint8Array | undefined): boolean {
  return /^\s*[{[<]/.test(new TextDecoder().decode(beginning?.subarray(0, 64)))
}

/** The status that should have come with it. */
function statusOfDocument(body: string): number {
  const error = errorDocument.safeParse(parseJson(body)).data?.error
  if (error === undefined) return 404
  return typeof error === 'object' && error.code ? error.code : 400
}

const errorDocument = z.object({
  error: z.object({ code: z.int().min(400).max(599).optional().catch(undefined) }).or(z.string()),
})

/**
 * An error response the openai package understands: it keeps the words only of `error` objects, and
 * repeats a request that can never work, such as one without credit.
 */
function refusedResponse(
  status: number,
  body: string,
  headers: [string, string][],
): { readonly response: Response; readonly problem: ModelError } {
  const parsed = parseJson(body)
  const known = parsed === undefined || (typeof parsed === 'object' && parsed !== null && 'error' in parsed)
  const shown = known ? body : JSON.stringify({ error: { message: body } })
  const error = APIError.generate(status, known ? Object(parsed) : { error: { message: body } }, body, new Headers())
  const response = new Response(shown, { status, headers })
  const problem = modelErrorFrom(error)
  if (!problem.retryable) response.headers.set('x-should-retry', 'false')
  return { response, problem }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
