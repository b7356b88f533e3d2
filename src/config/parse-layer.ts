import { LineCounter, parseDocument } from 'yaml'
import { type ConfigProblem, kindOf, showKey } from './config-error.ts'
import { nearestName } from './nearest-name.ts'
import { SETTING_KEYS, SETTING_NAMES } from './schema.ts'

/** The known settings of one file, and what is wrong with the rest of it. */
export interface Layer {
  readonly sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly problems: readonly ConfigProblem[]
}

type Section = Record<string, unknown>

/** Reads a YAML file of settings. Unknown keys and broken YAML become problems, and values are not checked yet. */
export function parseLayer(content: string, source: string): Layer {
  const root = readYaml(content, source)
  if ('problems' in root) return { sections: {}, problems: root.problems }
  if (!isGroup(root.value)) {
    const problem = { key: source, expected: `sections (${sectionList()})`, got: kindOf(root.value), source }
    return { sections: {}, problems: [problem] }
  }
  const sections: Record<string, Section> = {}
  const problems: ConfigProblem[] = []
  for (const [name, value] of Object.entries(root.value)) {
    const section = readSection(name, value, source, problems)
    if (section) sections[name] = section
  }
  return { sections, problems }
}

function readYaml(content: string, source: string): { value: unknown } | { problems: ConfigProblem[] } {
  const lineCounter = new LineCounter()
  // prettyErrors would quote the line at fault, and a line can hold a secret.
  const document = parseDocument(content, { lineCounter, prettyErrors: false })
  const problems = document.errors.map((error) => {
    const line = lineCounter.linePos(error.pos[0]).line
    return yamlProblem(source, error.code.toLowerCase().replaceAll('_', ' '), `${source}, line ${line}`)
  })
  if (problems.length > 0) return { problems }
  try {
    return { value: document.toJS() ?? {} }
  } catch {
    return { problems: [yamlProblem(source, 'an alias that cannot be resolved', source)] }
  }
}

function yamlProblem(key: string, mistake: string, source: string): ConfigProblem {
  return { key, expected: 'valid YAML', got: `a mistake (${mistake})`, source }
}

function readSection(section: string, value: unknown, source: string, problems: ConfigProblem[]): Section | undefined {
  const names = SETTING_NAMES.get(section)
  if (!names) {
    problems.push(unknownKey(section, isGroup(value) ? [...SETTING_NAMES.keys()] : SETTING_KEYS, source))
    return undefined
  }
  // A section whose every line is commented out reads as null and sets nothing.
  if (value === null) return undefined
  if (!isGroup(value)) {
    problems.push({ key: section, expected: `settings below it (${names.join(', ')})`, got: kindOf(value), source })
    return undefined
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) problems.push(unknownKey(`${section}.${name}`, SETTING_KEYS, source))
  }
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)))
}

/** The value of an unknown key is not shown: it may be a misspelt secret. */
function unknownKey(key: string, known: readonly string[], source: string): ConfigProblem {
  const meant = nearestName(key, known)
  const expected = meant ? `a known setting, perhaps ${meant}` : 'a known setting'
  return { key: showKey(key), expected, got: 'an unknown one', source }
}

function sectionList(): string {
  return [...SETTING_NAMES.keys()].join(', ')
}

function isGroup(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
