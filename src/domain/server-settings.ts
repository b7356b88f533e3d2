/** What those who run a server set for everybody there. */
export interface ServerSettings {
  readonly persona: string | null
  readonly model: string | null
  /** Ids of the channels questions are answered in, their threads included; none: in each. */
  readonly channels: readonly string[]
  /** Ids of the roles whose members may ask; none: everybody. */
  readonly roles: readonly string[]
}

export const SERVER_SETTINGS = [
  'persona',
  'model',
  'channels',
  'roles',
] as const satisfies readonly (keyof ServerSettings)[]

export type ServerSetting = (typeof SERVER_SETTINGS)[number]

export const NO_SERVER_SETTINGS: ServerSettings = { persona: null, model: null, channels: [], roles: [] }

/** How many channels, and how many roles, one server can name. */
export const MOST_LISTED = 25

/** One thing somebody does to the settings of a server. */
export type SettingChange =
  | { readonly type: 'set'; readonly setting: 'persona' | 'model'; readonly value: string }
  | {
      readonly type: 'list'
      readonly setting: 'channels' | 'roles'
      readonly add: string | undefined
      readonly remove: string | undefined
    }
  | { readonly type: 'reset'; readonly settings: readonly ServerSetting[] }

/** The settings after a change; undefined when a list would become too long. */
export function changeServerSettings(settings: ServerSettings, change: SettingChange): ServerSettings | undefined {
  switch (change.type) {
    case 'set':
      return { ...settings, [change.setting]: change.value }
    case 'list': {
      const { setting, add, remove } = change
      const added = add === undefined ? settings[setting] : [...new Set([...settings[setting], add])]
      const list = added.filter((id) => id !== remove)
      return list.length > MOST_LISTED ? undefined : { ...settings, [setting]: list }
    }
    case 'reset':
      return { ...settings, ...Object.fromEntries(change.settings.map((name) => [name, NO_SERVER_SETTINGS[name]])) }
    default:
      return change satisfies never
  }
}

/** What one setting was and has become; null: nothing. */
export interface SettingDifference {
  readonly what: ServerSetting
  readonly before: string | null
  readonly after: string | null
}

/** What differs between two states of the settings. */
export function differences(before: ServerSettings, after: ServerSettings): SettingDifference[] {
  return SERVER_SETTINGS.map((what) => ({ what, before: textOf(before[what]), after: textOf(after[what]) })).filter(
    (difference) => difference.before !== difference.after,
  )
}

function textOf(value: ServerSettings[ServerSetting]): string | null {
  if (value === null || typeof value === 'string') return value
  return value.length === 0 ? null : value.join(', ')
}
