import type { ModelChoices } from '#domain/briefing.ts'
import type { Vision } from '#domain/vision.ts'

/** How a model is reached; with neither key nor base URL the offline model answers. */
export interface ModelSettings {
  readonly vision: Vision
  readonly apiKey: string | null
  readonly baseUrl: string | null
  readonly name: string
  readonly maxAnswerTokens: number | null
  readonly temperature: number | null
  readonly maxRetries: number
  readonly firstTokenTimeoutMs: number
  readonly silenceTimeoutMs: number
  readonly offlineWordDelayMs: number
}

/**
 * The id of the database thread as it is now, one element in shared memory; -1 while there is none.
 * It changes when that thread is restarted, also in the middle of a request.
 */
export type DatabaseThreadCell = Int32Array<SharedArrayBuffer>

/** Given to each pool thread as workerData. */
export interface AssistantThreadData {
  readonly model: ModelSettings
  readonly models: ModelChoices
  readonly systemPrompt: string
  /** The prompt's budget: system prompt, history and message. */
  readonly contextTokens: number
  /** Of the files of a question. */
  readonly attachments: {
    /** Characters of text, of all of them together. */
    readonly textChars: number
    /** How long reading one PDF may take. */
    readonly timeoutMs: number
  }
  /** What was generated is sent on at once, then once in this time. */
  readonly deltaIntervalMs: number
  /** On Discord an answer that needs more messages is cut, and comes as a file. */
  readonly maxMessages: number
  readonly databaseThread: DatabaseThreadCell
  readonly databaseCallTimeoutMs: number
  readonly logLevel: string
  readonly logPretty: boolean
}
