import { OpenAI } from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import { Agent } from 'undici'
import { AnswerReader } from './answer-reader.ts'
import { chatMessage } from './chat-message.ts'
import { HttpAttempts } from './http-attempts.ts'
import { readModelChunk } from './model-chunk.ts'
import { type ClosableModelClient, cancelledError, type ModelCall, type ModelEvent } from './model-client.ts'
import {
  adaptDialect,
  firstDialect,
  isSameDialect,
  type RequestDialect,
  withoutSystemMessage,
} from './request-dialect.ts'

export interface OpenAiModelOptions {
  /** Null when the server needs none. */
  readonly apiKey: string | null
  /** With its version part, such as `http://127.0.0.1:11434/v1`; null is OpenAI's own. */
  readonly baseUrl: string | null
  /** Null leaves it to the server. */
  readonly maxAnswerTokens: number | null
  /** Null leaves it to the server. */
  readonly temperature: number | null
  /** How often a call is repeated after 408, 409, 429, 5xx and failed connections. */
  readonly maxRetries: number
  /** From the start of an HTTP request to the first token of text or reasoning. */
  readonly firstTokenTimeoutMs: number
  /** Between two tokens. */
  readonly silenceTimeoutMs: number
}

/** Servers without keys ignore it; the openai package does not start without one. */
const NO_KEY = 'no-key'

/** The longest a timer can be set to: the times that count are ours. */
const OUT_OF_THE_WAY_MS = 2 ** 31 - 1

type Chunks = AsyncIterable<ChatCompletionChunk>

/** Asks any OpenAI-compatible server through the openai package. One per thread: it holds the connections. */
export class OpenAiModelClient implements ClosableModelClient {
  readonly #options: OpenAiModelOptions
  readonly #agent: Agent
  /** What each model has turned out to take; the models are those of the settings. */
  readonly #dialects = new Map<string, RequestDialect>()

  constructor(options: OpenAiModelOptions) {
    this.#options = options
    // undici's own time-outs would end a model that thinks for long. A connection per answer, as
    // answers that share one would all end with it.
    this.#agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false })
  }

  nameOf(model: string): string {
    return model
  }

  async *stream(call: ModelCall): AsyncGenerator<ModelEvent, void, undefined> {
    if (call.signal.aborted) throw cancelledError()
    const attempts = this.#attemptsFor(call)
    try {
      const opening = this.#open(call, attempts)
      yield* retriesUntil(opening, attempts)
      yield* readAnswer(await opening, attempts)
    } catch (error) {
      throw attempts.explain(error)
    } finally {
      attempts.close()
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #attemptsFor({ signal }: ModelCall): HttpAttempts {
    const { apiKey, firstTokenTimeoutMs, silenceTimeoutMs } = this.#options
    const dispatcher = this.#agent
    return new HttpAttempts({ dispatcher, apiKey: apiKey || NO_KEY, signal, firstTokenTimeoutMs, silenceTimeoutMs })
  }

  /** Opens the stream; a model that refuses a part it can do without is asked again without it. */
  async #open(call: ModelCall, attempts: HttpAttempts): Promise<Chunks> {
    const client = this.#clientFor(attempts)
    const tried: RequestDialect[] = []
    let dialect = this.#dialects.get(call.model) ?? firstDialect(this.#options.baseUrl)
    for (;;) {
      tried.push(dialect)
      try {
        attempts.startAnew()
        const chunks = await client.chat.completions.create(this.#request(call, dialect), {
          signal: attempts.signal,
        })
        this.#dialects.set(call.model, dialect)
        return chunks
      } catch (error) {
        const next = adaptDialect(dialect, error)
        if (!next || tried.some((other) => isSameDialect(other, next))) throw error
        dialect = next
      }
    }
  }

  /** A client per call, for its `fetch`; everything it would read from the environment is given. */
  #clientFor(attempts: HttpAttempts): OpenAI {
    return new OpenAI({
      apiKey: this.#options.apiKey || NO_KEY,
      baseURL: this.#options.baseUrl,
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      logLevel: 'off',
      maxRetries: this.#options.maxRetries,
      timeout: OUT_OF_THE_WAY_MS,
      fetch: attempts.fetch,
    })
  }

  #request({ model, messages }: ModelCall, dialect: RequestDialect): ChatCompletionCreateParamsStreaming {
    const { maxAnswerTokens, temperature } = this.#options
    return {
      model,
      messages: (dialect.systemMessage ? messages : withoutSystemMessage(messages)).map(chatMessage),
      stream: true,
      ...(dialect.streamOptions ? { stream_options: { include_usage: true } } : {}),
      ...(maxAnswerTokens === null ? {} : { [dialect.answerLimit]: maxAnswerTokens }),
      ...(temperature === null || !dialect.temperature ? {} : { temperature }),
    }
  }
}

async function* retriesUntil(opening: Promise<unknown>, attempts: HttpAttempts): AsyncGenerator<ModelEvent> {
  const settled = opening.then(
    () => undefined,
    () => undefined,
  )
  for (;;) {
    const retry = await Promise.race([attempts.nextRetry(), settled])
    if (retry === undefined) return
    yield { type: 'retry', ...retry }
  }
}

async function* readAnswer(chunks: Chunks, attempts: HttpAttempts): AsyncGenerator<ModelEvent> {
  const answer = new AnswerReader()
  try {
    for await (const chunk of chunks) {
      const read = readModelChunk(chunk)
      const hasToken = read.content !== '' || read.reasoning !== '' || read.refusal !== ''
      // The time a slow reader of ours takes is not the model's.
      if (hasToken) attempts.waitForNothing()
      yield* answer.take(read)
      // Some relays call each of their tokens the last one.
      if (hasToken) attempts.waitForToken()
      else if (answer.finished) attempts.waitForEnd()
    }
  } catch (error) {
    // Nothing of the answer is missing once the model has said why it stopped.
    if (!answer.finished) throw error
  }
  attempts.throwIfCancelled()
  if (!answer.finished) attempts.throwIfTimedOut()
  yield* answer.end(attempts.sawEndMark)
}
