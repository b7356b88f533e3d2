import { APIError } from 'openai'

/** Which optional parameters a server takes. */
export interface RequestDialect {
  /** Whether it is asked for token counts. */
  readonly streamOptions: boolean
  readonly answerLimit: 'max_completion_tokens' | 'max_tokens'
  readonly temperature: boolean
}

/** OpenAI has given up `max_tokens`; most other servers know nothing else. */
export function firstDialect(baseUrl: string | null): RequestDialect {
  return {
    streamOptions: true,
    answerLimit: baseUrl === null ? 'max_completion_tokens' : 'max_tokens',
    temperature: true,
  }
}

const NOT_SUPPORTED = /unsupported|not support|unknown|unrecogni[sz]ed|not permitted|not allowed|unexpected|extra/i

/** What to send after a server refused a parameter; undefined when that was not the trouble. */
export function adaptDialect(dialect: RequestDialect, error: unknown): RequestDialect | undefined {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return undefined
  const words = `${error.param ?? ''} ${error.message}`
  if (dialect.streamOptions && words.includes('stream_options')) return { ...dialect, streamOptions: false }
  if (!NOT_SUPPORTED.test(words)) return undefined
  if (words.includes(dialect.answerLimit)) {
    const other = dialect.answerLimit === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
    return { ...dialect, answerLimit: other }
  }
  return dialect.temperature && words.includes('temperature') ? { ...dialect, temperature: false } : undefined
}
