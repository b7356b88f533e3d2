import type { ExternalSettings } from './schema.ts'

/** The units that names carry in the code and not in the files: the only place where the two kinds of names meet. */
const UNITS = {
  editInterval: 'Ms',
  refusalInterval: 'Ms',
  notifyAfter: 'Ms',
  catchUpAge: 'Ms',
  maxSize: 'MiB',
  timeout: 'Ms',
  breakPause: 'Ms',
  firstTokenTimeout: 'Ms',
  silenceTimeout: 'Ms',
  offlineWordDelay: 'Ms',
  callTimeout: 'Ms',
  retention: 'Ms',
  historyCache: 'MiB',
  debounce: 'Ms',
  requestTimeout: 'Ms',
  maxWait: 'Ms',
  retryBackoff: 'Ms',
  errorRecoveryDelay: 'Ms',
  pollInterval: 'Ms',
  cancelGrace: 'Ms',
  grace: 'Ms',
  maxHeap: 'MiB',
} as const

type Units = typeof UNITS

type WithUnits<Section> = {
  readonly [Name in keyof Section & string as Name extends keyof Units ? `${Name}${Units[Name]}` : Name]: Section[Name]
}

/** Every setting in force, durations as `…Ms`; plain, deeply frozen, and safe to hand to a thread. */
export type Settings = { readonly [Section in keyof ExternalSettings]: WithUnits<ExternalSettings[Section]> } & {
  /** Where each setting comes from: a file or an environment variable, by `section.name`. */
  readonly sources: Readonly<Record<string, string>>
}

/** Gives the settings the names used in the code and freezes them. */
export function toSettings(external: ExternalSettings, sources: Readonly<Record<string, string>>): Settings {
  const sections = Object.entries(external).map(([section, values]) => [section, Object.freeze(withUnits(values))])
  // Checked by the schema; the type above describes exactly what `withUnits` does.
  return Object.freeze({ ...Object.fromEntries(sections), sources: Object.freeze({ ...sources }) }) as Settings
}

function withUnits(values: object): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${name}${unitOf(name)}`, value]))
}

/** The unit a setting's name carries in the code: `Ms`, `MiB` or nothing. */
export function unitOf(name: string): Units[keyof Units] | '' {
  return Object.entries(UNITS).find(([known]) => known === name)?.[1] ?? ''
}
