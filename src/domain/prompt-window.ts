import type { HistoryMessage, Role } from './conversation.ts'
import { type PromptFiles, tokensOfFiles } from './prompt-files.ts'

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: Role | 'system'
  readonly content: string
  /** What came with it; left out when that was nothing. */
  readonly files?: PromptFiles
}

export interface PromptParts {
  readonly systemPrompt: string
  /** Oldest first. */
  readonly history: readonly HistoryMessage[]
  readonly message: string
  /** What came with the message, cut to what fits. */
  readonly files?: PromptFiles
  readonly budgetTokens: number
  readonly countTokens: (text: string) => number
}

export type PromptWindow =
  | { readonly fits: true; readonly messages: readonly PromptMessage[]; readonly trimmedMessages: number }
  /** The system prompt and the message alone are over the budget. */
  | { readonly fits: false; readonly neededTokens: number }

/** What chat templates add around each message, as OpenAI counts it for its own models. */
const TOKENS_PER_MESSAGE = 4

/**
 * Chooses what the model gets to see: the system prompt, the newest history that fits, the message.
 *
 * The history is cut only before a user message, so no answer stands without its question.
 */
export function buildPromptWindow(parts: PromptParts): PromptWindow {
  const count = parts.countTokens
  const system: PromptMessage[] = parts.systemPrompt === '' ? [] : [{ role: 'system', content: parts.systemPrompt }]
  const { files } = parts
  const message: PromptMessage = { role: 'user', content: parts.message, ...(files && { files }) }
  const fixedTokens = fixedTokensOf(parts) + (files ? tokensOfFiles(files, count) : 0)
  if (fixedTokens > parts.budgetTokens) return { fits: false, neededTokens: fixedTokens }

  const start = firstThatFits(parts.history, parts.budgetTokens - fixedTokens, count)
  const history = parts.history.slice(start).map(({ role, content }) => ({ role, content }))
  return { fits: true, messages: [...system, ...history, message], trimmedMessages: start }
}

/** What the system prompt and the message take, whatever else there is. */
export function fixedTokensOf({ systemPrompt, message, countTokens }: PromptParts): number {
  const texts = systemPrompt === '' ? [message] : [systemPrompt, message]
  return texts.reduce((sum, text) => sum + countTokens(text) + TOKENS_PER_MESSAGE, 0)
}

function firstThatFits(
  history: readonly HistoryMessage[],
  budgetTokens: number,
  count: (text: string) => number,
): number {
  let left = budgetTokens
  let start = history.length
  for (let index = history.length - 1; index >= 0; index--) {
    const message = history[index]
    if (!message) break
    left -= count(message.content) + TOKENS_PER_MESSAGE
    if (left < 0) break
    if (message.role === 'user') start = index
  }
  return start
}
