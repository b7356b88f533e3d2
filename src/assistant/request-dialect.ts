import { APIError } from 'openai'
import type { PromptMessage } from '#domain/prompt-window.ts'

/** What of a request a model takes that not all do. */
export interface RequestDialect {
  /** Whether it is asked for token counts. */
  readonly streamOptions: boolean
  readonly answerLimit: 'max_completion_tokens' | 'max_tokens'
  readonly temperature: boolean
  /** Whether it is told about its role in a message of its own. */
  readonly systemMessage: boolean
}

/** OpenAI has given up `max_tokens`; most other servers know nothing else. */
export function firstDialect(baseUrl: string | null): RequestDialect {
  return {
    streamOptions: true,
    answerLimit: baseUrl === null ? 'max_completion_tokens' : 'max_tokens',
    temperature: true,
    systemMessage: true,
  }
}

const NOT_SUPPORTED = /unsupported|not support|unknown|unrecogni[sz]ed|not permitted|not allowed|unexpected|extra/i
/** Templates of Gemma, of Mistral (newer ones take a system message, and say so); OpenAI; Google. */
const NO_SYSTEM_MESSAGE =
  /system role|role\b.*not support 'system'|only user and assistant roles|^(\d+ )?conversation roles must alternate|developer instruction is not enabled/i

/** What to send after a server refused a part of a request; undefined when that was not the trouble. */
export function adaptDialect(dialect: RequestDialect, error: unknown): RequestDialect | undefined {
  if (!(error instanceof APIError)) return undefined
  // llama.cpp takes the words of a template for a failure of its own.
  const isRefused = error.status === 400 || error.status === 422
  if (!isRefused && error.status !== 500) return undefined
  if (dialect.systemMessage && NO_SYSTEM_MESSAGE.test(error.message)) return { ...dialect, systemMessage: false }
  if (!isRefused) return undefined
  const words = `${error.param ?? ''} ${error.message}`
  if (dialect.streamOptions && words.includes('stream_options')) return { ...dialect, streamOptions: false }
  if (!NOT_SUPPORTED.test(words)) return undefined
  if (words.includes(dialect.answerLimit)) {
    const other = dialect.answerLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
    return { ...dialect, answerLimit: other }
  }
  return dialect.temperature && words.includes('temperature') ? { ...dialect, temperature: false } : undefined
}

export function isSameDialect(one: RequestDialect, other: RequestDialect): boolean {
  return (
    one.streamOptions === other.streamOptions &&
    one.answerLimit === other.answerLimit &&
    one.temperature === other.temperature &&
    one.systemMessage === other.systemMessage
  )
}

/** A prompt for a model that takes no system message: the first question begins with its words. */
export function withoutSystemMessage(messages: readonly PromptMessage[]): readonly PromptMessage[] {
  const [system, question, ...rest] = messages
  if (system?.role !== 'system' || !question) return messages
  return [{ ...question, content: `${system.content}\n\n${question.content}` }, ...rest]
}
