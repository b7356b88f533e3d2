import type { AssistantThreadData, DatabaseThreadCell, ModelSettings } from '#protocol/assistant-thread.ts'

export const SYSTEM_PROMPT = 'You are Parley.'
export const DATABASE_CALL_TIMEOUT_MS = 10_000

/** Settings that fail at once rather than wait or try again; without key and address. */
export const MODEL_SETTINGS: ModelSettings = {
  apiKey: null,
  baseUrl: null,
  name: 'test-model',
  vision: 'auto',
  maxAnswerTokens: null,
  temperature: null,
  maxRetries: 0,
  firstTokenTimeoutMs: 20_000,
  silenceTimeoutMs: 20_000,
  offlineWordDelayMs: 0,
}

/** What a pool thread is given. */
export function threadData(
  databaseThread: DatabaseThreadCell,
  fields: Partial<AssistantThreadData> = {},
): AssistantThreadData {
  return {
    model: MODEL_SETTINGS,
    models: { usual: 'test-model', offered: ['test-model', 'other-model'] },
    systemPrompt: SYSTEM_PROMPT,
    contextTokens: 8192,
    attachments: { textChars: 40_000, timeoutMs: 20_000 },
    deltaIntervalMs: 5,
    maxMessages: 20,
    databaseThread,
    databaseCallTimeoutMs: DATABASE_CALL_TIMEOUT_MS,
    logLevel: 'silent',
    logPretty: false,
    ...fields,
  }
}
