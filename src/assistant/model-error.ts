import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { type ErrorCode, errorMessage, ParleyError } from '#domain/errors.ts'

export type ModelErrorCode = Extract<ErrorCode, `MODEL_${string}`>

/** Why a model gave no answer. The message is for the user; nothing in here holds the key. */
export class ModelError extends ParleyError {
  /** Whether asking again, with nothing changed, may work. */
  readonly retryable: boolean
  /** For the log only: the other side's words. */
  readonly detail: string
  /** When the server wants to be asked again, if it said so. */
  readonly retryAfterMs: number | undefined
  readonly #code: ModelErrorCode

  constructor(
    code: ModelErrorCode,
    detail: string,
    retryable: boolean = EXPLANATIONS[code].retryable,
    retryAfterMs?: number,
  ) {
    const { what, advice } = EXPLANATIONS[code]
    super(code, `${what} Your message was not answered and is not remembered. ${advice}`)
    this.retryable = retryable
    this.detail = detail
    this.retryAfterMs = retryAfterMs
    this.#code = code
  }

  /** The same, with the time after which the server wants to be asked again. */
  after(retryAfterMs: number | undefined): ModelError {
    if (retryAfterMs === undefined) return this
    return new ModelError(this.#code, this.detail, this.retryable, retryAfterMs)
  }
}

interface Explanation {
  readonly what: string
  readonly advice: string
  readonly retryable: boolean
}

const ASK_AGAIN = 'Please ask again in a moment.'

const EXPLANATIONS: Readonly<Record<ModelErrorCode, Explanation>> = {
  MODEL_KEY_REFUSED: {
    what: 'The model server does not accept the key this bot has for it.',
    advice: 'Whoever runs this bot has to check the key; please ask again after that.',
    retryable: false,
  },
  MODEL_UNKNOWN: {
    what: 'The model server does not have the model this bot is set to use, or its address is wrong.',
    advice: 'Whoever runs this bot has to check the name of the model and the address; please ask again after that.',
    retryable: false,
  },
  MODEL_CONTEXT_TOO_LONG: {
    what: 'Your message and the conversation before it are longer than the model can read.',
    advice: 'Please ask with a shorter message, or have the conversation forgotten and start anew.',
    retryable: false,
  },
  MODEL_RATE_LIMITED: {
    what: 'The model server gets more questions from this bot than it takes.',
    advice: 'Please ask again in a minute or two.',
    retryable: true,
  },
  MODEL_QUOTA_USED_UP: {
    what: "This bot's credit with the model server is used up.",
    advice: 'Whoever runs this bot has to add to it; please ask again after that.',
    retryable: false,
  },
  MODEL_UNREACHABLE: {
    what: 'The model server could not be reached.',
    advice: `${ASK_AGAIN} If it goes on, whoever runs this bot has to check that the server runs and its address is right.`,
    retryable: true,
  },
  MODEL_TIMED_OUT: {
    what: 'The model took too long to go on.',
    advice: ASK_AGAIN,
    retryable: true,
  },
  MODEL_CUT_OFF: {
    what: 'The connection to the model broke in the middle of the answer.',
    advice: ASK_AGAIN,
    retryable: true,
  },
  MODEL_REFUSED: {
    what: 'The model declined to answer this, or a content filter stopped it.',
    advice: 'Please put it in other words.',
    retryable: false,
  },
  MODEL_EMPTY_ANSWER: {
    what: 'The model ended without a word of answer.',
    advice: 'Please ask again, perhaps with a shorter message.',
    retryable: true,
  },
  MODEL_FAILED: {
    what: 'The model server had a failure or did not accept the question.',
    advice: `${ASK_AGAIN} If it goes on, whoever runs this bot finds the reason in its log.`,
    retryable: true,
  },
}

/**
 * Makes a ModelError of whatever a call through the openai package throws.
 *
 * Pass the key: servers repeat it in their messages, and it must not reach a log. That is also why
 * the error has no cause.
 */
export function modelErrorFrom(thrown: unknown, key: string | null = null): ModelError {
  if (thrown instanceof ModelError) return thrown
  const detail = describe(thrown, key)
  const code = connectionCode(thrown)
  if (code) return new ModelError(code, detail)
  if (!(thrown instanceof APIError)) return new ModelError('MODEL_FAILED', detail)
  const facts = factsOf(thrown)
  const rule = RULES.find(({ applies }) => applies(facts))
  if (rule) return new ModelError(rule.code, detail)
  // An error event inside a stream has no status; it is a failure of the server.
  const refused = facts.status >= 400 && facts.status < 500
  return new ModelError('MODEL_FAILED', detail, !refused)
}

function connectionCode(thrown: unknown): ModelErrorCode | undefined {
  if (thrown instanceof APIConnectionTimeoutError) return 'MODEL_TIMED_OUT'
  if (thrown instanceof APIConnectionError) return 'MODEL_UNREACHABLE'
  if (thrown instanceof APIError) return undefined
  // A stream that breaks reaches us as undici threw it: a bare TypeError.
  return thrown instanceof TypeError && thrown.message === 'terminated' ? 'MODEL_CUT_OFF' : undefined
}

interface Facts {
  /** HTTP status; 0 when it is not known. */
  readonly status: number
  readonly code: string
  readonly words: string
}

function factsOf(error: APIError): Facts {
  // Servers other than OpenAI send a number as the code; a relay puts the status of the far side there.
  const code: unknown = error.code
  const status = error.status ?? (typeof code === 'number' ? code : 0)
  return { status, code: `${typeof code === 'string' ? code : ''} ${error.type ?? ''}`, words: error.message }
}

interface Rule {
  readonly code: ModelErrorCode
  readonly applies: (facts: Facts) => boolean
}

const QUOTA = /insufficient_quota|billing_(hard_limit_reached|not_active)|insufficient (balance|credits?)/i
const CONTEXT_CODE = /context_length_exceeded|exceed_context_size/
/**
 * OpenAI, vLLM, OpenRouter and xAI; llama.cpp; its Python binding; Ollama; LM Studio; Anthropic; Google; Mistral; SGLang;
 * Hugging Face and Together. The last is what OpenAI and Groq say when one prompt is over the tokens of a minute.
 */
const CONTEXT_WORDS = [
  /(maximum|max) (context|model|prompt) length/i,
  /exceeds? (the )?(available )?context (size|length|window)/i,
  /context (size|length|window) (has been |was )?exceeded/i,
  /context length of only|greater than the context length|context the overflows/i,
  /(prompt|input) (is )?too (long|large)/i,
  /input token count .*exceeds/i,
  /too large for model with .*context/i,
  /longer than the model's context length/i,
  /`inputs` (must have less than|tokens \+)/i,
  /request too large for/i,
]
const REFUSED =
  /content_filter|content_policy|invalid_prompt|data_inspection_failed|content management policy|usage policy|input was flagged|content exists risk/i
const UNKNOWN_CODE = /model_not_found|model_not_exist/i
const UNKNOWN_WORDS = /model\b.*(not found|not exist)|(invalid|unknown) model|not a valid model/i

/** In this order: a status says less than a code, and a code less than some servers' words. */
const RULES: readonly Rule[] = [
  { code: 'MODEL_QUOTA_USED_UP', applies: ({ status, code, words }) => status === 402 || QUOTA.test(code + words) },
  {
    code: 'MODEL_CONTEXT_TOO_LONG',
    applies: ({ status, code, words }) =>
      status === 413 || CONTEXT_CODE.test(code) || CONTEXT_WORDS.some((pattern) => pattern.test(words)),
  },
  { code: 'MODEL_REFUSED', applies: ({ code, words }) => REFUSED.test(code + words) },
  {
    code: 'MODEL_UNKNOWN',
    applies: ({ status, code, words }) =>
      status === 404 || UNKNOWN_CODE.test(code) || (status >= 400 && status < 404 && UNKNOWN_WORDS.test(words)),
  },
  {
    code: 'MODEL_KEY_REFUSED',
    applies: ({ status, code, words }) =>
      status === 401 || status === 403 || /invalid_api_key/.test(code) || (status === 400 && /api key/i.test(words)),
  },
  { code: 'MODEL_RATE_LIMITED', applies: ({ status, code }) => status === 429 || /rate_limit/.test(code) },
  { code: 'MODEL_TIMED_OUT', applies: ({ status }) => status === 408 || status === 504 },
]

/** An error page of a proxy can be long; its beginning says enough. */
const DETAIL_LIMIT = 1_000

/** The words of an error and of what caused it, without the key. */
function describe(thrown: unknown, key: string | null): string {
  const words: string[] = []
  for (let error = thrown; error !== undefined && words.length < 4; ) {
    words.push(errorMessage(error))
    error = error instanceof Error ? error.cause : undefined
  }
  const all = words.filter((word) => word !== '').join(': ')
  const withoutKey = key ? all.replaceAll(key, '[key]') : all
  return withoutKey.replaceAll(/\bsk-[\w*.-]+/g, '[key]').slice(0, DETAIL_LIMIT)
}
