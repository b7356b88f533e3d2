import type { HistoryMessage } from '#domain/conversation.ts'
import { type FittedFiles, fitFiles, type PromptFiles } from '#domain/prompt-files.ts'
import { buildPromptWindow, fixedTokensOf, type PromptParts, type PromptWindow } from '#domain/prompt-window.ts'
import { byteCount, type TokenCounter } from './token-counter.ts'

export interface QuestionParts {
  readonly systemPrompt: string
  readonly history: readonly HistoryMessage[]
  readonly message: string
  readonly files: PromptFiles
  readonly budgetTokens: number
}

/** A prompt, and what of the question's files did not fit it. */
export interface QuestionPrompt extends Omit<FittedFiles, 'files'> {
  readonly window: PromptWindow
}

/** Chooses what the model gets to see. Files come before history; nothing is counted exactly that fits anyway. */
export async function buildQuestionPrompt(
  parts: QuestionParts,
  loadTokenCounter: () => Promise<TokenCounter>,
): Promise<QuestionPrompt> {
  const roomy = promptOf(parts, byteCount)
  return isWhole(roomy) ? roomy : promptOf(parts, await loadTokenCounter())
}

function promptOf({ files, ...parts }: QuestionParts, countTokens: TokenCounter): QuestionPrompt {
  const bare: PromptParts = { ...parts, countTokens }
  if (files.texts.length + files.images.length === 0) return { window: buildPromptWindow(bare), ...ALL_FIT }
  const { files: fitting, ...left } = fitFiles(files, parts.budgetTokens - fixedTokensOf(bare), countTokens)
  return { window: buildPromptWindow({ ...bare, files: fitting }), ...left }
}

const ALL_FIT = { shortened: [], omitted: [] }

function isWhole({ window, shortened, omitted }: QuestionPrompt): boolean {
  return window.fits && window.trimmedMessages === 0 && shortened.length + omitted.length === 0
}
