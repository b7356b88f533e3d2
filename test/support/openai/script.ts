import type { IncomingHttpHeaders } from 'node:http'

/** Tokens as OpenAI's wire format names them. */
export interface WireUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

/** A full answer, streamed or in one piece as the request asks. */
export interface AnswerScript {
  readonly type: 'answer'
  /** Sent a word at a time; `chunks` says exactly how instead. */
  readonly text?: string
  readonly chunks?: readonly string[]
  readonly delayBetweenChunksMs?: number
  /** Sent a word at a time before the text. */
  readonly reasoning?: string
  /** Where the reasoning goes; `reasoning_content` unless told. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning'
  /** Sent as `refusal` deltas after the text. */
  readonly refusal?: string
  /** `stop` unless told; null sends none. */
  readonly finishReason?: 'stop' | 'length' | 'content_filter' | 'error' | 'abort' | null
  /** Counted from the texts unless told. */
  readonly usage?: WireUsage
  /** False leaves out the closing `[DONE]`. */
  readonly done?: boolean
  /** Keeps the connection open after the last word, without counts and without an end. */
  readonly lingers?: boolean
}

/** An HTTP error in OpenAI's shape, or with a body of your own. */
export interface ErrorScript {
  readonly type: 'error'
  readonly status: number
  readonly code?: string | null
  readonly message?: string
  readonly errorType?: string
  readonly param?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** The whole body, in place of OpenAI's shape. */
  readonly body?: string
}

/** What the server does with one chat completion. */
export type Script =
  | AnswerScript
  | ErrorScript
  /** Answers `echo: <last user message> (<n> messages)`; all messages of the prompt are counted. */
  | { readonly type: 'echo' /** False leaves the number of messages out. */; readonly counting?: boolean }
  /** Sends so many chunks of text, then an error event in the stream. */
  | { readonly type: 'streamError'; readonly afterChunks: number; readonly code: string; readonly message: string }
  /** Sends so many chunks of text, then destroys the socket. */
  | { readonly type: 'cut'; readonly afterChunks: number }
  /** Sends so many chunks of text, then nothing until released; then the rest. */
  | {
      readonly type: 'silent'
      readonly afterChunks: number
      readonly text?: string
      /** The first chunks say that nothing follows, each of them, as those of some relays to Gemini do. */
      readonly finishing?: boolean
    }
  /** Sends no headers, ever. */
  | { readonly type: 'hang' }
  /** Sends the headers of an error and never its body. */
  | { readonly type: 'hangingError'; readonly status: number }
  /** Refuses a request that has `stream_options`; answers the one without. */
  | { readonly type: 'refuseStreamOptions' }
  /** Waits until released, then answers. */
  | { readonly type: 'held'; readonly text?: string }

/** Text, or a picture as a data URL. */
export type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }

/** What a message says, its pictures left out. */
export function textOf(content: string | readonly ChatPart[]): string {
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** A chat completion's body, as far as the server looks at it. */
export interface ChatBody {
  readonly model?: string
  readonly messages?: readonly { readonly role: string; readonly content: string | readonly ChatPart[] }[]
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly [field: string]: unknown
}

/** One chat completion the server was asked for, in the order of arrival. */
export interface RecordedRequest {
  /** `authorization` cut to its last four characters. */
  readonly headers: IncomingHttpHeaders
  readonly body: ChatBody
  /** The client went away before the response was complete. */
  readonly aborted: boolean
}

export interface ServerStatistics {
  /** Chat completions that arrived, refused ones included. */
  readonly requests: number
  /** Those whose response is not complete. */
  readonly open: number
  readonly mostOpen: number
  readonly answered: number
  readonly refused: number
  readonly aborted: number
}

export interface OpenAiServerOptions {
  /** The key clients must send; null takes any. Default `test-key-1234`. */
  readonly apiKey?: string | null
  /** The models that exist; null takes any. Default `['test-model']`. */
  readonly models?: readonly string[] | null
  /** What is done when no script is left. Default `echo`. */
  readonly defaultScript?: Script
  /** Chat completions it works on at the same time; further ones are refused with 429. Default: any number. */
  readonly mostAtOnce?: number
  /** How many requests are remembered, the newest. Default 10,000. */
  readonly recordLimit?: number
}

/** 429 as OpenAI sends it when too many requests came. */
export function rateLimited(retryAfterSeconds?: number): ErrorScript {
  return {
    type: 'error',
    status: 429,
    code: 'rate_limit_exceeded',
    errorType: 'requests',
    message: 'Rate limit reached for test-model on requests per min (RPM): Limit 3, Used 3, Requested 1.',
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  }
}

/** 429 as OpenAI sends it when the account has no credit. */
export function quotaUsedUp(): ErrorScript {
  return {
    type: 'error',
    status: 429,
    code: 'insufficient_quota',
    errorType: 'insufficient_quota',
    message: 'You exceeded your current quota, please check your plan and billing details.',
  }
}

/** 400 as OpenAI sends it for a prompt that is too long. */
export function contextTooLong(): ErrorScript {
  return {
    type: 'error',
    status: 400,
    code: 'context_length_exceeded',
    param: 'messages',
    message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
  }
}

/** 500, or another failure of the server itself. */
export function serverFailure(status: 500 | 502 | 503 = 500): ErrorScript {
  return {
    type: 'error',
    status,
    errorType: 'server_error',
    message: 'The server had an error while processing your request.',
    headers: { 'retry-after-ms': '1' },
  }
}
