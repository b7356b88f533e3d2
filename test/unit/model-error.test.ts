import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import { describe, expect, test } from 'vitest'
import { ModelError, type ModelErrorCode, modelErrorFrom } from '#assistant/model-error.ts'
import { ERROR_CODES, errorCode } from '#domain/errors.ts'

function httpError(status: number, error: object | string): APIError {
  return typeof error === 'string'
    ? APIError.generate(status, undefined, error, new Headers())
    : APIError.generate(status, { error }, undefined, new Headers())
}

const streamError = (error: object): APIError => new APIError(undefined, error, undefined, new Headers())
const message = (words: string): object => ({ message: words })

type Row = [string, unknown, ModelErrorCode, retryable: boolean]

const ROWS: Row[] = [
  [
    'a key that is refused',
    httpError(401, { message: 'Incorrect API key', code: 'invalid_api_key' }),
    'MODEL_KEY_REFUSED',
    false,
  ],
  ['a key without permission', httpError(403, message('Country not supported')), 'MODEL_KEY_REFUSED', false],
  [
    'a key Google refuses',
    httpError(400, message('API key not valid. Please pass a valid API key.')),
    'MODEL_KEY_REFUSED',
    false,
  ],
  [
    'an unknown model',
    httpError(404, { message: 'The model `x` does not exist', code: 'model_not_found' }),
    'MODEL_UNKNOWN',
    false,
  ],
  [
    'a model the project may not use',
    httpError(403, { message: 'no access', code: 'model_not_found' }),
    'MODEL_UNKNOWN',
    false,
  ],
  [
    'a model Ollama has not pulled',
    httpError(404, message('model "x" not found, try pulling it first')),
    'MODEL_UNKNOWN',
    false,
  ],
  [
    'a model name OpenRouter does not know',
    httpError(400, message('x/y is not a valid model ID')),
    'MODEL_UNKNOWN',
    false,
  ],
  ['a wrong address', httpError(404, '<html>Not Found</html>'), 'MODEL_UNKNOWN', false],
  [
    'a long prompt at OpenAI',
    httpError(400, { message: 'too long', code: 'context_length_exceeded' }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at vLLM',
    httpError(400, {
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
      code: 400,
    }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at older vLLM',
    httpError(400, message('The decoder prompt (length 5000) is longer than the maximum model length of 4096.')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at llama.cpp',
    httpError(400, {
      message: 'request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it',
      type: 'exceed_context_size_error',
      code: 400,
    }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a context that ran full at llama.cpp',
    httpError(500, { message: 'Context size has been exceeded.', type: 'server_error', code: 500 }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    "a long prompt at llama.cpp's Python binding",
    httpError(500, message('Requested tokens (2285) exceed context window of 2048')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Ollama',
    httpError(400, message('prompt too long; exceeded max context length by 12 tokens')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long input at Ollama',
    httpError(500, message('the input length exceeds the context length')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at LM Studio',
    httpError(
      400,
      message(
        'Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens',
      ),
    ),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Anthropic',
    httpError(400, message('prompt is too long: 208310 tokens > 200000 maximum')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Google',
    httpError(400, message('The input token count (9000) exceeds the maximum number of tokens allowed (8192).')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Mistral',
    httpError(400, message('Prompt contains 40000 tokens, too large for model with 32768 maximum context length')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a prompt longer than a minute allows at Groq',
    httpError(413, {
      message:
        'Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.',
      type: 'tokens',
      code: 'rate_limit_exceeded',
    }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a prompt longer than a minute allows at OpenAI',
    httpError(429, {
      message: 'Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12000.',
      type: 'tokens',
      code: 'rate_limit_exceeded',
    }),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  ['a request that is too large for a proxy', httpError(413, '<html>413'), 'MODEL_CONTEXT_TOO_LONG', false],
  [
    'a long prompt at SGLang',
    httpError(400, message("The input (5000 tokens) is longer than the model's context length (4096 tokens).")),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at xAI',
    httpError(400, message("This model's maximum prompt length is 131072 but the request contains 537812 tokens.")),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Hugging Face',
    httpError(422, message('Input validation error: `inputs` must have less than 4096 tokens. Given: 5000')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'a long prompt at Together',
    httpError(422, message('Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000')),
    'MODEL_CONTEXT_TOO_LONG',
    false,
  ],
  [
    'too many requests',
    httpError(429, { message: 'Rate limit reached', code: 'rate_limit_exceeded' }),
    'MODEL_RATE_LIMITED',
    true,
  ],
  [
    'a rate limit inside the stream',
    streamError({ message: 'slow down', code: 'rate_limit_exceeded' }),
    'MODEL_RATE_LIMITED',
    true,
  ],
  [
    'a rate limit a relay passes on inside the stream',
    streamError({ message: 'slow down', code: 429 }),
    'MODEL_RATE_LIMITED',
    true,
  ],
  [
    'credit that is used up',
    httpError(429, { message: 'You exceeded your current quota', code: 'insufficient_quota' }),
    'MODEL_QUOTA_USED_UP',
    false,
  ],
  ['a balance of nothing', httpError(402, message('Insufficient Balance')), 'MODEL_QUOTA_USED_UP', false],
  [
    'a content filter',
    httpError(400, { message: 'The response was filtered', code: 'content_filter' }),
    'MODEL_REFUSED',
    false,
  ],
  ['a prompt that was flagged', httpError(400, { message: 'flagged', code: 'invalid_prompt' }), 'MODEL_REFUSED', false],
  [
    'a prompt that OpenRouter flagged',
    httpError(403, message('Your chosen model requires moderation and your input was flagged.')),
    'MODEL_REFUSED',
    false,
  ],
  ['a prompt that DeepSeek declined', httpError(400, message('Content Exists Risk')), 'MODEL_REFUSED', false],
  [
    'a prompt that Qwen declined',
    httpError(400, { message: 'Input data may contain inappropriate content.', code: 'data_inspection_failed' }),
    'MODEL_REFUSED',
    false,
  ],
  ['a failing server', httpError(500, message('The server had an error')), 'MODEL_FAILED', true],
  ['a server that is overloaded', httpError(503, 'overloaded'), 'MODEL_FAILED', true],
  ['a failure inside the stream', streamError({ message: 'boom', code: 'server_error' }), 'MODEL_FAILED', true],
  ['a request the server does not take', httpError(400, message('messages must alternate')), 'MODEL_FAILED', false],
  ['a gateway that gave up waiting', httpError(504, 'gateway timeout'), 'MODEL_TIMED_OUT', true],
  ['a request that took too long', httpError(408, 'timeout'), 'MODEL_TIMED_OUT', true],
  ['a connection that could not be made in time', new APIConnectionTimeoutError(), 'MODEL_TIMED_OUT', true],
  [
    'a server that is not there',
    new APIConnectionError({ cause: new Error('connect ECONNREFUSED 127.0.0.1:1') }),
    'MODEL_UNREACHABLE',
    true,
  ],
  [
    'a stream that broke',
    new TypeError('terminated', { cause: new Error('other side closed') }),
    'MODEL_CUT_OFF',
    true,
  ],
  ['an unreadable stream', new SyntaxError('Error reading response'), 'MODEL_FAILED', true],
  ['something that is no error', 'boom', 'MODEL_FAILED', true],
]

describe('a model error', () => {
  test.each(ROWS)('names %s', (_name, thrown, code, retryable) => {
    const error = modelErrorFrom(thrown)
    expect(error).toBeInstanceOf(ModelError)
    expect({ code: errorCode(error), retryable: error.retryable }).toEqual({ code, retryable })
  })

  test('passes on what is a model error already', () => {
    const error = new ModelError('MODEL_CUT_OFF', 'because')
    expect(modelErrorFrom(error)).toBe(error)
  })

  test.each(ERROR_CODES.filter((code) => code.startsWith('MODEL_')))(
    'says for %s what happened, that it does not count and what to do',
    (code) => {
      const error = new ModelError(code as ModelErrorCode, 'secret words of the server')
      expect(error.message).toMatch(/^[A-Z].*\. Your message was not answered and is not remembered\. [A-Z].*\.$/)
      expect(error.message).not.toContain('secret words')
    },
  )

  test('keeps the words of the other side and of the cause for the log', () => {
    const cause = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') })
    expect(modelErrorFrom(new APIConnectionError({ cause })).detail).toBe(
      'Connection error.: fetch failed: connect ECONNREFUSED 127.0.0.1:1',
    )
  })

  test('never holds the key, not even when the server repeats it', () => {
    const thrown = httpError(401, message('Wrong key my-own-key, and sk-abcdef123456 is no better'))
    const error = modelErrorFrom(thrown, 'my-own-key')
    expect(error.detail).toBe('401 Wrong key [key], and [key] is no better')
    expect(`${error.message} ${error.stack}`).not.toMatch(/my-own-key|sk-abcdef/)
    expect(error.cause).toBeUndefined()
  })

  test('keeps only the beginning of a long error page', () => {
    expect(modelErrorFrom(httpError(500, 'x'.repeat(5_000))).detail).toHaveLength(1_000)
  })
})
