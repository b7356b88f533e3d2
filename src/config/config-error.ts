import { ParleyError } from '#domain/errors.ts'

/** One thing that is wrong in the configuration. */
export interface ConfigProblem {
  /** The setting, such as `pool.size`, or the file when it cannot be read. */
  readonly key: string
  readonly expected: string
  /** What was found instead, ready to be shown: secrets are already hidden. */
  readonly got: string
  /** The environment variable or the file it came from. */
  readonly source: string
}

/** The configuration cannot be used; carries every problem found, not only the first. Code CONFIG_INVALID. */
export class ConfigError extends ParleyError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(
      'CONFIG_INVALID',
      `The configuration cannot be used; correct this and start again:\n${formatProblems(problems)}`,
    )
    this.problems = problems
  }
}

/** Writes one line per problem. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems
    .map(({ key, expected, got, source }) => `${key}: expected ${expected}, got ${got} (from ${source})`)
    .join('\n')
}

/** What stands in the place of a secret wherever settings are shown. */
export const HIDDEN = '(hidden)'

const LONGEST_SHOWN = 60

/** Shows a value on one line: texts in quotes and cut when long, lists and groups by name only. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** Names the kind of a value without showing any of it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a group of settings'
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`
}

/** Shows a key of unknown origin on one line. */
export function showKey(key: string): string {
  return shorten(key).replace(/\p{Cc}/gu, ' ')
}

function shorten(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
}
