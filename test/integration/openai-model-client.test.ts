import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ModelEvent } from '#assistant/model-client.ts'
import type { ModelError } from '#assistant/model-error.ts'
import { OpenAiModelClient, type OpenAiModelOptions } from '#assistant/openai-model-client.ts'
import { errorCode } from '#domain/errors.ts'
import type { PromptMessage } from '#domain/prompt-window.ts'
import { contextTooLong, quotaUsedUp, rateLimited, serverFailure } from '#support/openai/script.ts'
import { type OpenAiServerHandle, startOpenAiServer } from '#support/openai/start-openai-server.ts'

const PROMPT: readonly PromptMessage[] = [
  { role: 'system', content: 'You are Parley.' },
  { role: 'user', content: 'Hello' },
]

let server: OpenAiServerHandle
const clients: OpenAiModelClient[] = []

beforeAll(async () => {
  server = await startOpenAiServer()
})

afterAll(async () => {
  await server.close()
})

afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await server.reset()
})

const CALL = { model: 'test-model', persona: null, messages: PROMPT }

function clientWith(options: Partial<OpenAiModelOptions> = {}): OpenAiModelClient {
  const client = new OpenAiModelClient({
    apiKey: 'test-key-1234',
    baseUrl: server.baseUrl,
    maxAnswerTokens: null,
    temperature: null,
    maxRetries: 2,
    firstTokenTimeoutMs: 20_000,
    silenceTimeoutMs: 20_000,
    ...options,
  })
  clients.push(client)
  return client
}

interface Outcome {
  readonly text: string
  readonly reasoning: string
  readonly events: readonly ModelEvent[]
  readonly end: ModelEvent | undefined
  readonly error: unknown
}

interface AskOptions {
  readonly model?: string
  readonly signal?: AbortSignal
  readonly onEvent?: (event: ModelEvent) => void
}

async function ask(client: OpenAiModelClient, options: AskOptions = {}): Promise<Outcome> {
  const events: ModelEvent[] = []
  let error: unknown
  try {
    const signal = options.signal ?? new AbortController().signal
    for await (const event of client.stream({ ...CALL, model: options.model ?? CALL.model, signal })) {
      events.push(event)
      options.onEvent?.(event)
    }
  } catch (thrown) {
    error = thrown
  }
  const joined = (type: 'text' | 'reasoning'): string =>
    events.map((event) => (event.type === type ? event.text : '')).join('')
  const end = events.find(({ type }) => type === 'end')
  if (end) expect(events.at(-1)).toBe(end)
  return { text: joined('text'), reasoning: joined('reasoning'), events, end, error }
}

const retries = ({ events }: Outcome): ModelEvent[] => events.filter(({ type }) => type === 'retry')

describe('a stream from an OpenAI-compatible server', () => {
  test('gives the answer as it comes, and the tokens at its end', async () => {
    const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 }
    await server.script({ type: 'answer', chunks: ['Hel', 'lo ', 'there'], usage })
    const { events, error } = await ask(clientWith())
    expect(error).toBeUndefined()
    expect(events).toEqual([
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo ' },
      { type: 'text', text: 'there' },
      { type: 'end', stopReason: 'end', usage: { promptTokens: 12, completionTokens: 3 } },
    ])
  })

  test('asks with the prompt, the model, the limits and nothing that was not set', async () => {
    await ask(clientWith())
    await ask(clientWith({ maxAnswerTokens: 100, temperature: 0.5 }))
    const [plain, limited] = await server.requests()
    const common = { model: 'test-model', messages: PROMPT, stream: true, stream_options: { include_usage: true } }
    expect(plain?.body).toEqual(common)
    expect(limited?.body).toEqual({ ...common, max_tokens: 100, temperature: 0.5 })
    expect(plain?.headers.authorization).toBe('…1234')
  })

  test('asks with whole characters only, as servers refuse JSON with half of one', async () => {
    const messages: PromptMessage[] = [{ role: 'user', content: 'from a PDF: \ud83d!' }]
    const { signal } = new AbortController()
    for await (const _ of clientWith().stream({ ...CALL, messages, signal }));
    const [asked] = await server.requests()
    expect(asked?.body.messages).toEqual([{ role: 'user', content: 'from a PDF: \ufffd!' }])
  })

  test('does without a key when the server needs none', async () => {
    await using open = await startOpenAiServer({ apiKey: null, models: null })
    const { text } = await ask(clientWith({ apiKey: null, baseUrl: open.baseUrl }))
    expect(text).toBe('echo: Hello (2 messages)')
  })

  test('takes nothing from the environment and prints nothing', async () => {
    vi.stubEnv('OPENAI_API_KEY', 'key-of-the-environment')
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1/v1')
    vi.stubEnv('OPENAI_ORG_ID', 'org')
    vi.stubEnv('OPENAI_PROJECT_ID', 'project')
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-custom: yes\nauthorization: Bearer other')
    vi.stubEnv('OPENAI_LOG', 'debug')
    const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name))
    await server.script(serverFailure(), { type: 'echo' })
    const { text } = await ask(clientWith())
    expect(text).toBe('echo: Hello (2 messages)')
    const [request] = await server.requests()
    expect(Object.keys(request?.headers ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/x-custom|openai-/)]),
    )
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
  })

  test('keeps reasoning apart whichever way it is sent', async () => {
    await server.script(
      { type: 'answer', reasoning: 'Let me think.', text: 'Yes.' },
      { type: 'answer', reasoning: 'Let me think.', reasoningField: 'reasoning', text: 'Yes.' },
      { type: 'answer', chunks: ['<thi', 'nk>Let me', ' think.</th', 'ink>\n', '\nYes', '.'] },
    )
    const client = clientWith()
    for (let call = 1; call <= 3; call++) {
      const { text, reasoning } = await ask(client)
      expect({ text, reasoning }).toEqual({ text: 'Yes.', reasoning: 'Let me think.' })
    }
  })

  test('tells when the token limit ended the answer', async () => {
    await server.script({ type: 'answer', text: 'One two', finishReason: 'length' })
    expect((await ask(clientWith())).end).toMatchObject({ stopReason: 'length' })
  })

  test('tells when a content filter ended the answer', async () => {
    await server.script({ type: 'answer', text: 'One two', finishReason: 'content_filter' })
    expect(await ask(clientWith())).toMatchObject({ text: 'One two', end: { stopReason: 'filtered' } })
  })

  test.each(['error', 'abort'] as const)('takes no answer for whole that ended with %s', async (finishReason) => {
    await server.script({ type: 'answer', text: 'One two', finishReason })
    const outcome = await ask(clientWith())
    expect(outcome.end).toBeUndefined()
    expect(outcome.error).toMatchObject({ code: 'MODEL_CUT_OFF', retryable: true })
  })

  test('takes an answer whose server does not say why it stopped but that it did', async () => {
    await server.script({ type: 'answer', text: 'One two', finishReason: null })
    expect(await ask(clientWith())).toMatchObject({ text: 'One two', end: { stopReason: 'end' } })
  })

  test('ends the answer when the server only keeps the connection open after its last word', async () => {
    await server.script({ type: 'answer', text: 'One two', lingers: true })
    const outcome = await ask(clientWith({ silenceTimeoutMs: 200 }))
    expect(outcome).toMatchObject({ text: 'One two', end: { type: 'end', usage: null }, error: undefined })
    await server.waitForAborted(1)
  })
})

describe('a parameter the server refuses', () => {
  test('is left out from then on, when it is the request for token counts', async () => {
    await server.script({ type: 'refuseStreamOptions' })
    const client = clientWith()
    const first = await ask(client)
    expect(first).toMatchObject({ text: 'One two three four five six.', end: { usage: null }, error: undefined })
    expect(retries(first)).toEqual([])
    await ask(client)
    const asked = (await server.requests()).map(({ body }) => 'stream_options' in body)
    expect(asked).toEqual([true, false, false])
  })

  test('is understood in the words of vLLM as well', async () => {
    const body = JSON.stringify({
      object: 'error',
      message:
        "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]",
      code: 400,
    })
    await server.script({ type: 'error', status: 400, body })
    expect((await ask(clientWith())).text).toBe('echo: Hello (2 messages)')
  })

  test('is sent under its other name, when it is the token limit', async () => {
    const param = 'max_tokens'
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
    await server.script({ type: 'error', status: 400, code: 'unsupported_parameter', param, message })
    expect((await ask(clientWith({ maxAnswerTokens: 50 }))).error).toBeUndefined()
    const [, second] = await server.requests()
    expect(second?.body).toMatchObject({ max_completion_tokens: 50 })
    expect(second?.body).not.toHaveProperty('max_tokens')
  })

  test('is left out, when it is the temperature', async () => {
    const message = "Unsupported value: 'temperature' does not support 0.5 with this model."
    await server.script({ type: 'error', status: 400, code: 'unsupported_value', param: 'temperature', message })
    expect((await ask(clientWith({ temperature: 0.5 }))).error).toBeUndefined()
    const asked = (await server.requests()).map(({ body }) => 'temperature' in body)
    expect(asked).toEqual([true, false])
  })

  test('is sent again to another model, which may take it', async () => {
    await using relay = await startOpenAiServer({ models: null })
    const client = clientWith({ temperature: 0.5, baseUrl: relay.baseUrl })
    const message = "Unsupported value: 'temperature' does not support 0.5 with this model."
    await relay.script({ type: 'error', status: 400, code: 'unsupported_value', param: 'temperature', message })
    for (const model of ['thinker', 'talker', 'thinker']) await ask(client, { model })
    const asked = (await relay.requests()).map(({ body }) => [body.model, 'temperature' in body])
    expect(asked).toEqual([
      ['thinker', true],
      ['thinker', false],
      ['talker', true],
      ['thinker', false],
    ])
  })

  test.each([
    ['a template of Gemma', 400, 'System role not supported'],
    ['a template of Mistral', 400, 'Conversation roles must alternate user/assistant/user/assistant/...'],
    ['llama.cpp', 500, 'Jinja Exception: System role not supported'],
    ['OpenAI', 400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."],
    ['Google', 400, 'Developer instruction is not enabled for models/gemma-3-27b-it'],
  ] as const)(
    'is told with the first question, when it is the role of the model: %s',
    async (_name, status, message) => {
      await server.script({ type: 'error', status, message })
      const client = clientWith({ maxRetries: 0 })
      const outcome = await ask(client)
      expect(outcome).toMatchObject({ text: expect.stringContaining('Hello'), error: undefined })
      await ask(client)
      const [, ...asked] = await server.requests()
      const told = [{ role: 'user', content: 'You are Parley.\n\nHello' }]
      expect(asked.map(({ body }) => body.messages)).toEqual([told, told])
    },
  )

  test('is not tried for ever', async () => {
    const message = 'Unsupported parameters: max_tokens, max_completion_tokens'
    await server.setDefault({ type: 'error', status: 400, message })
    expect(errorCode((await ask(clientWith({ maxAnswerTokens: 50 }))).error)).toBe('MODEL_FAILED')
    expect(await server.requests()).toHaveLength(2)
  })
})

describe('a call that fails', () => {
  test('names a refused key and never shows it', async () => {
    const { error } = await ask(clientWith({ apiKey: 'my-wrong-key' }))
    expect(error).toMatchObject({ code: 'MODEL_KEY_REFUSED', retryable: false })
    expect(JSON.stringify([error, String(error), (error as ModelError).detail])).not.toContain('my-wrong-key')
  })

  test.each([
    ['an unknown model', { type: 'error', status: 404, code: 'model_not_found' }, 'MODEL_UNKNOWN'],
    ['a prompt that is too long', contextTooLong(), 'MODEL_CONTEXT_TOO_LONG'],
    ['used up credit', quotaUsedUp(), 'MODEL_QUOTA_USED_UP'],
    [
      'a context that ran full',
      { type: 'error', status: 500, message: 'Context size has been exceeded.' },
      'MODEL_CONTEXT_TOO_LONG',
    ],
  ] as const)('is not repeated for %s', async (_name, script, code) => {
    await server.setDefault(script)
    const outcome = await ask(clientWith())
    expect(errorCode(outcome.error)).toBe(code)
    expect(retries(outcome)).toEqual([])
    expect(await server.requests()).toHaveLength(1)
  })

  test('names a model the server does not have', async () => {
    expect(errorCode((await ask(clientWith(), { model: 'no-such-model' })).error)).toBe('MODEL_UNKNOWN')
  })

  test('is repeated after a rate limit, and says so before the answer', async () => {
    await server.script(rateLimited(0), rateLimited(0), { type: 'echo' })
    const outcome = await ask(clientWith())
    expect(outcome.text).toBe('echo: Hello (2 messages)')
    expect(outcome.events.slice(0, 2)).toEqual([
      { type: 'retry', call: 2, busy: { retryAfterMs: 0 } },
      { type: 'retry', call: 3, busy: { retryAfterMs: 0 } },
    ])
  })

  test('waits as long as the server asks without counting it as the model being slow', async () => {
    await server.script(rateLimited(2), { type: 'echo' })
    const outcome = await ask(clientWith({ firstTokenTimeoutMs: 1_500 }))
    expect(outcome.error).toBeUndefined()
    expect(retries(outcome)).toEqual([{ type: 'retry', call: 2, busy: { retryAfterMs: 2000 } }])
  })

  test('is given up after the last repetition', async () => {
    await server.setDefault(serverFailure())
    const outcome = await ask(clientWith())
    expect(errorCode(outcome.error)).toBe('MODEL_FAILED')
    expect(retries(outcome)).toHaveLength(2)
    expect(await server.requests()).toHaveLength(3)
  })

  test('is a rate limit when the repetitions meet nothing else', async () => {
    await server.setDefault(rateLimited(0))
    expect(errorCode((await ask(clientWith({ maxRetries: 1 }))).error)).toBe('MODEL_RATE_LIMITED')
  })

  test('says with a rate limit when the server wants to be asked again, if the last refusal said so', async () => {
    await server.script(rateLimited(0), rateLimited(7), rateLimited(3), rateLimited())
    const client = clientWith({ maxRetries: 1 })
    expect((await ask(client)).error).toMatchObject({ code: 'MODEL_RATE_LIMITED', retryAfterMs: 7000 })
    expect((await ask(clientWith({ maxRetries: 0 }))).error).toMatchObject({ retryAfterMs: 3000 })
    expect((await ask(clientWith({ maxRetries: 0 }))).error).toMatchObject({ retryAfterMs: undefined })
  })

  test('is no rate limit any more when the repetition meets another failure', async () => {
    await server.script(rateLimited(0), serverFailure())
    const outcome = await ask(clientWith({ maxRetries: 1 }))
    expect(outcome.error).toMatchObject({ code: 'MODEL_FAILED', retryAfterMs: undefined })
  })

  test('gives what came before the connection broke, then says that it broke', async () => {
    await server.script({ type: 'cut', afterChunks: 2 })
    const outcome = await ask(clientWith())
    expect(outcome).toMatchObject({ text: 'One two', end: undefined })
    expect(errorCode(outcome.error)).toBe('MODEL_CUT_OFF')
  })

  test('takes a stream that ends cleanly without a last word as broken', async () => {
    await server.script({ type: 'answer', text: 'One two', finishReason: null, done: false })
    expect(errorCode((await ask(clientWith())).error)).toBe('MODEL_CUT_OFF')
  })

  test('names an error that comes inside the stream', async () => {
    await server.script({ type: 'streamError', afterChunks: 1, code: 'rate_limit_exceeded', message: 'slow down' })
    expect(errorCode((await ask(clientWith())).error)).toBe('MODEL_RATE_LIMITED')
  })

  test.each([
    ['a content filter', { type: 'answer', text: '', finishReason: 'content_filter' }, 'MODEL_REFUSED'],
    ['a refusal', { type: 'answer', text: '', refusal: "I can't help with that." }, 'MODEL_REFUSED'],
    ['an answer without text', { type: 'answer', text: '' }, 'MODEL_EMPTY_ANSWER'],
    [
      'an answer of reasoning only',
      { type: 'answer', reasoning: 'Hm', text: '\n', finishReason: 'length' },
      'MODEL_EMPTY_ANSWER',
    ],
  ] as const)('tells %s from an answer', async (_name, script, code) => {
    await server.script(script)
    const outcome = await ask(clientWith())
    expect(errorCode(outcome.error)).toBe(code)
    expect(outcome.end).toBeUndefined()
  })

  test.each([
    ['the page of something else', '<!DOCTYPE html><title>Open WebUI</title>', 'MODEL_UNKNOWN', 1],
    ['an error', '{"error":"Unexpected endpoint or method. (POST /chat/completions)"}', 'MODEL_FAILED', 1],
    [
      'the error of the far side',
      '{"error":{"message":"Provider returned error","code":429}}',
      'MODEL_RATE_LIMITED',
      2,
    ],
  ] as const)('names what stands in the place of a stream: %s', async (_name, body, code, calls) => {
    await server.setDefault({ type: 'error', status: 200, body, headers: { 'retry-after-ms': '1' } })
    const { error } = await ask(clientWith({ maxRetries: 1 }))
    expect(error).toMatchObject({ code, detail: expect.stringMatching(/Open WebUI|Unexpected endpoint|Provider/) })
    expect(await server.requests()).toHaveLength(calls)
  })

  test('says that nothing listens at the address', async () => {
    const outcome = await ask(clientWith({ baseUrl: `http://127.0.0.1:${await freePort()}/v1`, maxRetries: 0 }))
    expect(outcome.error).toMatchObject({ code: 'MODEL_UNREACHABLE', detail: expect.stringContaining('ECONNREFUSED') })
  })
})

describe('a model that keeps silent', () => {
  test.each([
    ['before the headers', { type: 'hang' }],
    ['after the headers', { type: 'silent', afterChunks: 0 }],
    ['in the middle of an error', { type: 'hangingError', status: 500 }],
  ] as const)('is given up when no first token comes: %s', async (_name, script) => {
    await server.setDefault(script)
    const outcome = await ask(clientWith({ firstTokenTimeoutMs: 200 }))
    expect(errorCode(outcome.error)).toBe('MODEL_TIMED_OUT')
    await server.waitForAborted(1)
    expect(await server.requests()).toHaveLength(1)
  })

  test('has its time for the first token anew in every HTTP request', async () => {
    await server.script(rateLimited(0), { type: 'hang' })
    const outcome = await ask(clientWith({ firstTokenTimeoutMs: 300 }))
    expect(errorCode(outcome.error)).toBe('MODEL_TIMED_OUT')
    expect(retries(outcome)).toHaveLength(1)
  })

  test('is given up when no next token comes', async () => {
    await server.script({ type: 'silent', afterChunks: 2 })
    const outcome = await ask(clientWith({ silenceTimeoutMs: 300 }))
    expect(outcome.text).toBe('One two')
    expect(errorCode(outcome.error)).toBe('MODEL_TIMED_OUT')
    await server.waitForAborted(1)
  })

  test('has its time for the next token also when each one is said to be the last', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    await server.script({ type: 'silent', afterChunks: 1, finishing: true })
    const events = clientWith().stream({ ...CALL, signal: new AbortController().signal })
    let text = ''
    for await (const event of events) {
      if (event.type !== 'text') continue
      text += event.text
      if (event.text !== 'One') continue
      setImmediate(() => {
        vi.advanceTimersByTime(10_000)
        void server.release()
      })
    }
    expect(text).toBe('One two three four five six.')
  })

  test('is not taken for silent while we ourselves are slow to read', async () => {
    const { signal } = new AbortController()
    await server.script({ type: 'silent', afterChunks: 1 })
    const events = clientWith({ silenceTimeoutMs: 400 }).stream({ ...CALL, signal })
    expect(await events.next()).toMatchObject({ value: { type: 'text', text: 'One' } })
    await server.script({ type: 'answer', text: 'This takes a while.', delayBetweenChunksMs: 250 })
    await ask(clientWith())
    await server.release()
    const rest: ModelEvent[] = []
    for await (const event of events) rest.push(event)
    expect(rest.at(-1)).toMatchObject({ type: 'end' })
  })
})

describe('a call that is cancelled', () => {
  test('ends with an AbortError and closes the connection in the middle of the answer', async () => {
    await server.script({ type: 'silent', afterChunks: 2 })
    const controller = new AbortController()
    const outcome = await ask(clientWith(), {
      signal: controller.signal,
      onEvent: (event) => event.type === 'text' && event.text === ' two' && controller.abort(),
    })
    expect(outcome).toMatchObject({ text: 'One two', error: { name: 'AbortError' } })
    const [request] = await server.waitForAborted(1)
    expect(request?.aborted).toBe(true)
  })

  test.each([
    ['before the headers', { type: 'hang' }],
    ['while it waits before a repetition', rateLimited(60)],
  ] as const)('ends with an AbortError %s', async (_name, script) => {
    await server.setDefault(script)
    const controller = new AbortController()
    const asked = ask(clientWith(), { signal: controller.signal })
    await server.waitForRequests(1)
    controller.abort(new Error('reason of the caller'))
    expect((await asked).error).toMatchObject({ name: 'AbortError' })
  })

  test('asks nothing when it was cancelled before it began', async () => {
    const { error } = await ask(clientWith(), { signal: AbortSignal.abort() })
    expect(error).toMatchObject({ name: 'AbortError' })
    expect(await server.requests()).toEqual([])
  })

  test('closes the connection when its reader leaves early', async () => {
    await server.script({ type: 'silent', afterChunks: 2 })
    for await (const event of clientWith().stream({ ...CALL, signal: new AbortController().signal })) {
      if (event.type === 'text') break
    }
    await server.waitForAborted(1)
  })
})

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
