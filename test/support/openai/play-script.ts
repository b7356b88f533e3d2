import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type AnswerScript, type ChatBody, type ErrorScript, type Script, textOf, type WireUsage } from './script.ts'

const DEFAULT_TEXT = 'One two three four five six.'

/** Does what a script says with one chat completion; rejects when the client goes away meanwhile. */
export async function playScript(
  script: Script,
  body: ChatBody,
  response: ServerResponse,
  released: Promise<void>,
): Promise<void> {
  switch (script.type) {
    case 'answer':
      return answer(script, body, response)
    case 'echo':
      return answer({ type: 'answer', text: echoOf(body, script.counting ?? true) }, body, response)
    case 'error':
      return sendError(response, script)
    case 'streamError':
      await begin(body, response, script.afterChunks)
      await send(response, { error: { message: script.message, type: 'server_error', code: script.code } })
      response.end()
      return
    case 'cut':
      await begin(body, response, script.afterChunks)
      cut(response)
      return
    case 'silent': {
      const finishReason = script.finishing ? 'stop' : null
      const rest = await begin(body, response, script.afterChunks, { text: script.text, finishReason })
      await untilReleased(response, released)
      await finish({ type: 'answer', chunks: rest }, body, response)
      return
    }
    case 'hang':
      return
    case 'hangingError':
      response.writeHead(script.status, { 'content-type': 'application/json', 'content-length': '1000' })
      response.flushHeaders()
      return
    case 'refuseStreamOptions':
      if (!body.stream_options) return answer({ type: 'answer', text: DEFAULT_TEXT }, body, response)
      return sendError(response, {
        status: 400,
        message: 'Extra inputs are not permitted, field: stream_options',
        code: null,
      })
    case 'held':
      await untilReleased(response, released)
      return answer({ type: 'answer', text: script.text ?? DEFAULT_TEXT }, body, response)
    default:
      script satisfies never
  }
}

/** Sends an error in OpenAI's shape. */
export function sendError(response: ServerResponse, error: Omit<ErrorScript, 'type'>): void {
  const { status, message = `Error ${status}`, errorType = 'invalid_request_error', param = null, code = null } = error
  response.writeHead(status, { 'content-type': 'application/json', ...error.headers })
  response.end(error.body ?? JSON.stringify({ error: { message, type: errorType, param, code } }))
}

async function answer(script: AnswerScript, body: ChatBody, response: ServerResponse): Promise<void> {
  if (body.stream !== true) return answerAtOnce(script, body, response)
  await openStream(body, response)
  await finish(script, body, response)
}

/** Opens a stream and sends the first chunks of a text; returns those not sent. */
async function begin(
  body: ChatBody,
  response: ServerResponse,
  count: number,
  { text = DEFAULT_TEXT, finishReason = null }: { text?: string | undefined; finishReason?: 'stop' | null } = {},
): Promise<string[]> {
  const chunks = words(text)
  await openStream(body, response)
  for (const content of chunks.slice(0, count)) await send(response, chunk(body, { content }, finishReason))
  return chunks.slice(count)
}

async function openStream(body: ChatBody, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  await send(response, chunk(body, { role: 'assistant', content: '', refusal: null }))
}

async function finish(script: AnswerScript, body: ChatBody, response: ServerResponse): Promise<void> {
  const deltas = deltasOf(script)
  for (const [index, delta] of deltas.entries()) {
    if (index > 0 && script.delayBetweenChunksMs) await delay(script.delayBetweenChunksMs)
    await send(response, chunk(body, delta))
  }
  if (script.finishReason !== null) await send(response, chunk(body, {}, script.finishReason ?? 'stop'))
  if (script.lingers) return
  if (body.stream_options?.include_usage) {
    await send(response, { ...envelope(body), choices: [], usage: script.usage ?? countUsage(body, deltas.length) })
  }
  response.end(script.done === false ? '' : 'data: [DONE]\n\n')
}

function answerAtOnce(script: AnswerScript, body: ChatBody, response: ServerResponse): void {
  const content = textChunks(script).join('')
  const reasoning = script.reasoning ? { [script.reasoningField ?? 'reasoning_content']: script.reasoning } : {}
  const message = { role: 'assistant', content, refusal: script.refusal ?? null, ...reasoning }
  const completion = {
    ...envelope(body),
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: null, finish_reason: script.finishReason ?? 'stop' }],
    usage: script.usage ?? countUsage(body, textChunks(script).length),
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(completion))
}

function deltasOf(script: AnswerScript): Record<string, string>[] {
  const field = script.reasoningField ?? 'reasoning_content'
  return [
    ...words(script.reasoning ?? '').map((text) => ({ [field]: text })),
    ...textChunks(script).map((content) => ({ content })),
    ...words(script.refusal ?? '').map((refusal) => ({ refusal })),
  ]
}

function textChunks(script: AnswerScript): readonly string[] {
  return script.chunks ?? words(script.text ?? '')
}

function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function echoOf(body: ChatBody, counting: boolean): string {
  const messages = body.messages ?? []
  const last = messages.findLast(({ role }) => role === 'user')
  return `echo: ${textOf(last?.content ?? '')} (${counting ? `${messages.length} messages` : 'that is all'})`
}

/** About four characters to a token, as OpenAI's own rule of thumb has it. */
function countUsage(body: ChatBody, completionTokens: number): WireUsage {
  const characters = (body.messages ?? []).reduce((sum, { content }) => sum + textOf(content).length, 0)
  const promptTokens = Math.ceil(characters / 4)
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

function envelope(body: ChatBody): Record<string, unknown> {
  return { id: 'chatcmpl-test', object: 'chat.completion.chunk', created: 0, model: body.model ?? '' }
}

function chunk(body: ChatBody, delta: object, finishReason: string | null = null): object {
  const usage = body.stream_options?.include_usage ? { usage: null } : {}
  const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason }
  return { ...envelope(body), choices: [choice], ...usage }
}

/** Resolves when the event has left for the socket, so that a cut comes after it. */
function send(response: ServerResponse, event: object): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(`data: ${JSON.stringify(event)}\n\n`, (error) => (error ? reject(error) : resolve()))
  })
}

/** Destroys the socket; the error tells this end from a client that went away. */
function cut(response: ServerResponse): void {
  response.on('error', () => {})
  response.destroy(new Error('cut by the script'))
}

async function untilReleased(response: ServerResponse, released: Promise<void>): Promise<void> {
  const gone = new AbortController()
  await Promise.race([
    released,
    once(response, 'close', { signal: gone.signal }).then(() => Promise.reject(new Error('the client went away'))),
  ]).finally(() => gone.abort())
}
