import { availableParallelism } from 'node:os'
import { ConfigError, type ConfigProblem, HIDDEN, showValue } from './config-error.ts'
import { type Environment, type Layers, readLayers } from './read-layers.ts'
import { createSchema, isSecret } from './schema.ts'
import { type Settings, toSettings } from './settings.ts'

/** Where settings are read from. */
export interface SettingsSources {
  /** Environment variables, such as `process.env`; an empty one counts as not set. */
  readonly env: Environment
  /** The folder of local.yaml; without it `PARLEY_CONFIG_DIR`, without that the project's own. */
  readonly configDir?: string
  /** Cores to build `pool.size` from; the machine's own by default. */
  readonly cores?: number
}

/** Reads and checks all settings; throws a `ConfigError` that names every problem at once. */
export function loadSettings({ env, configDir, cores = availableParallelism() }: SettingsSources): Settings {
  const layers = readLayers(configDir, env)
  const checked = createSchema(cores).safeParse(layers.merged)
  // Without a folder there are no values to complain about.
  const readable = layers.sources.size > 0
  const wrongValues = readable ? toProblems(checked.error?.issues ?? [], layers) : []
  const problems = [...layers.problems, ...wrongValues]
  if (problems.length > 0 || !checked.success) throw new ConfigError(problems)
  return toSettings(checked.data, Object.fromEntries(layers.sources))
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

function toProblems(issues: readonly Issue[], layers: Layers): ConfigProblem[] {
  // A value can break several rules of its setting, and one line says all of them.
  const firstOfEach = new Map(issues.map((issue) => [issue.path.join('.'), issue] as const).reverse())
  return [...firstOfEach].reverse().map(([key, { path, message }]) => ({
    key,
    expected: message,
    got: shown(key, valueAt(layers.merged, path)),
    source: layers.sources.get(key) ?? 'config/default.yaml',
  }))
}

function shown(key: string, value: unknown): string {
  if (value === undefined || value === null) return showValue(value)
  // An address with a user name in it has a password in it as well.
  const hidden = isSecret(key) || (typeof value === 'string' && /:\/\/[^/]*@/.test(value))
  return hidden ? HIDDEN : showValue(value)
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    root,
  )
}
