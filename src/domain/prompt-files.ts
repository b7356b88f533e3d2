/** The text of a file. */
export interface PromptText {
  readonly name: string
  readonly text: string
}

/** A picture for a model that can see. */
export interface PromptImage {
  readonly name: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** What a model is given of the files of a message. */
export interface PromptFiles {
  readonly texts: readonly PromptText[]
  readonly images: readonly PromptImage[]
}

export const NO_FILES: PromptFiles = { texts: [], images: [] }

export interface FittedFiles {
  readonly files: PromptFiles
  /** Files of which only the beginning is left. */
  readonly shortened: readonly string[]
  /** Files of which nothing is left. */
  readonly omitted: readonly string[]
}

/** About what a picture costs that is looked at closely; each model counts in its own way. */
const TOKENS_PER_IMAGE = 1_000

/** Each step leaves out a little more than the last count asked for, as tokens are of different lengths. */
const CAUTION = 0.95

/** Less of a file than this says nothing. */
const SHORTEST_TEXT = 40

/** A file as a prompt shows it: its name, and its text in a fence that nothing inside can close. */
export function fileBlock({ name, text }: PromptText): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 2)
  const fence = '`'.repeat(longest + 1)
  return `${name}:\n${fence}\n${text}\n${fence}`
}

/** What stands in a prompt for a message and its files, besides the pictures. */
export function withFileTexts(content: string, { texts }: PromptFiles): string {
  return [content, ...texts.map(fileBlock)].filter((part) => part !== '').join('\n\n')
}

/** What the files add to a prompt. */
export function tokensOfFiles({ texts, images }: PromptFiles, countTokens: (text: string) => number): number {
  const ofTexts = texts.reduce((sum, text) => sum + tokensOf(text, countTokens), 0)
  return ofTexts + images.length * TOKENS_PER_IMAGE
}

/** Leaves of the files what fits a budget: pictures first, as they cannot be cut, then the texts in their order. */
export function fitFiles(
  { texts, images }: PromptFiles,
  budgetTokens: number,
  countTokens: (text: string) => number,
): FittedFiles {
  const seen = Math.min(images.length, Math.max(0, Math.floor(budgetTokens / TOKENS_PER_IMAGE)))
  let left = budgetTokens - seen * TOKENS_PER_IMAGE
  const fitting: PromptText[] = []
  const shortened: string[] = []
  const omitted = images.slice(seen).map(({ name }) => name)
  for (const whole of texts) {
    const text = textThatFits(whole, left, countTokens)
    if (text === undefined) {
      omitted.push(whole.name)
      continue
    }
    if (text !== whole) shortened.push(whole.name)
    fitting.push(text)
    left -= tokensOf(text, countTokens)
  }
  return { files: { texts: fitting, images: images.slice(0, seen) }, shortened, omitted }
}

/** The file itself, or as much of its beginning as fits. */
function textThatFits(
  file: PromptText,
  budgetTokens: number,
  countTokens: (text: string) => number,
): PromptText | undefined {
  let fitting = file
  for (;;) {
    const tokens = tokensOf(fitting, countTokens)
    if (tokens <= budgetTokens) return fitting
    const length = Math.floor(fitting.text.length * Math.max(0, budgetTokens / tokens) * CAUTION)
    if (length < SHORTEST_TEXT) return undefined
    fitting = { ...file, text: beginningOf(file.text, length) }
  }
}

/** The first characters of a text, none of them halved. */
export function beginningOf(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}

function tokensOf(text: PromptText, countTokens: (text: string) => number): number {
  return countTokens(`\n\n${fileBlock(text)}`)
}
