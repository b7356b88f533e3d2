import type { Tier } from '#domain/tier.ts'
import { HIDDEN } from './config-error.ts'
import { formatDuration } from './duration.ts'
import { isSecret, SETTING_NAMES } from './schema.ts'
import { type Settings, unitOf } from './settings.ts'
import { describeTier } from './tiers.ts'

/** One setting as it is shown to the owner. */
export interface SettingLine {
  /** As the files spell it, such as `queue.requestTimeout`. */
  readonly key: string
  /** With its unit; `(hidden)` for a secret, `(not set)` without a value. */
  readonly value: string
  /** The environment variable or the file it comes from. */
  readonly source: string
}

/** Lists every setting in force, in the order of `default.yaml`, with secrets hidden. */
export function describeSettings(settings: Settings): SettingLine[] {
  const sections = new Map<string, Readonly<Record<string, Value>>>(Object.entries(settings))
  return [...SETTING_NAMES].flatMap(([section, names]) => {
    const values = sections.get(section)
    return names.map((name) => {
      const key = `${section}.${name}`
      const value = describeValue(key, values?.[`${name}${unitOf(name)}`] ?? null, unitOf(name))
      return { key, value, source: settings.sources[key] ?? '' }
    })
  })
}

type Value = string | number | readonly (string | Tier)[] | null

function describeItem(item: string | Tier): string {
  return typeof item === 'string' ? item : describeTier(item)
}

function describeValue(key: string, value: Value, unit: ReturnType<typeof unitOf>): string {
  if (value === null) return '(not set)'
  if (typeof value === 'object') return value.length === 0 ? '(none)' : value.map(describeItem).join(', ')
  if (isSecret(key)) return HIDDEN
  if (unit === 'Ms' && typeof value === 'number') return formatDuration(value)
  return unit === 'MiB' ? `${value} MiB` : String(value)
}
