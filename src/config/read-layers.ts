import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Load, type LoadOptions } from 'config/lib/util.js'
import { errorMessage } from '#domain/errors.ts'
import { type ConfigProblem, showValue } from './config-error.ts'
import { type Layer, parseLayer } from './parse-layer.ts'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the files and the environment say together, not validated yet. */
export interface Layers {
  /** Sections of settings, the last layer that sets one wins. */
  readonly merged: unknown
  /** The file or variable each setting comes from, by `section.name`. */
  readonly sources: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
}

const OWN_CONFIG_DIR = fileURLToPath(new URL('../../config', import.meta.url))

/** Reads default.yaml, local.yaml and the environment, in this order; without a folder `PARLEY_CONFIG_DIR` names it. */
export function readLayers(configDir: string | undefined, env: Environment): Layers {
  const { PARLEY_CONFIG_DIR: chosenDir } = env
  const dir = resolve(configDir ?? (chosenDir || OWN_CONFIG_DIR))
  if (!isFolder(dir)) {
    const source = configDir === undefined ? 'PARLEY_CONFIG_DIR' : 'the caller'
    const problem = { key: 'the configuration folder', expected: 'a folder that exists', got: showValue(dir), source }
    return { merged: {}, sources: new Map(), problems: [problem] }
  }
  const loader = new LayerLoader()
  loader.addFile(locate(dir, 'default.yaml'))
  loader.addFile(join(dir, 'local.yaml'))
  loader.refuseFile(join(dir, 'local.yml'))
  loader.addEnvironment(locate(dir, 'custom-environment-variables.yaml'), env)
  return { merged: loader.config, sources: loader.origins, problems: loader.found }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** A folder of one's own may hold local.yaml only; the rest then comes with the program. */
function locate(dir: string, file: string): string {
  return existsSync(join(dir, file)) ? join(dir, file) : join(OWN_CONFIG_DIR, file)
}

/** Merges layers with the config package and remembers who set what. */
class LayerLoader extends Load {
  readonly origins = new Map<string, string>()
  readonly found: ConfigProblem[] = []

  constructor() {
    // The package's own parser looks for `yaml` from the working directory, and only there.
    const parser = { parse: (path: string, content: string) => this.#parse(path, content) }
    // Its type describes the module that holds the parser, its code calls the parser.
    super({ nodeEnv: [], hostName: '', parser: parser as unknown as NonNullable<LoadOptions['parser']> })
  }

  addFile(path: string): void {
    this.#load(path, (sections) => {
      this.#remember(sections, () => sourceName(path))
      return sections
    })
  }

  addEnvironment(path: string, env: Environment): void {
    this.#load(path, (variables) => {
      const values: Layer['sections'] = this.substituteDeep(variables, env)
      this.#remember(values, (section, name) => String(variables[section]?.[name]))
      return values
    })
  }

  /** A file under a name that is never read would be ignored without a word. */
  refuseFile(path: string): void {
    if (!existsSync(path)) return
    const source = sourceName(path)
    this.found.push({ key: source, expected: 'the name local.yaml', got: basename(path), source })
  }

  #load(path: string, convert: (sections: Layer['sections']) => Layer['sections']): void {
    try {
      this.loadFile(path, convert)
    } catch (error) {
      const source = sourceName(path)
      const reason = /Error code is: (\w+)/.exec(errorMessage(error))?.[1] ?? 'an error'
      this.found.push({ key: source, expected: 'a file that can be read', got: reason, source })
    }
  }

  #parse(path: string, content: string): Layer['sections'] {
    const { sections, problems } = parseLayer(content, sourceName(path))
    this.found.push(...problems)
    return sections
  }

  #remember(sections: Layer['sections'], source: (section: string, name: string) => string): void {
    for (const [section, values] of Object.entries(sections)) {
      for (const name of Object.keys(values)) this.origins.set(`${section}.${name}`, source(section, name))
    }
  }
}

/** The program's own files are named as in the project, others by their full path. */
function sourceName(path: string): string {
  return dirname(path) === OWN_CONFIG_DIR ? `config/${basename(path)}` : path
}
