/** How much people see of what a model thinks before it answers. */
export const REASONING_DISPLAYS = ['hidden', 'spoiler', 'file'] as const

export type ReasoningDisplay = (typeof REASONING_DISPLAYS)[number]

/** What one person has chosen for all of their conversations; null: as it is set for everybody. */
export interface Preferences {
  /** Told to the model in front of the conversation. */
  readonly persona: string | null
  readonly model: string | null
  readonly reasoning: ReasoningDisplay
  /** The server whose conversation their direct messages belong to; null: one of their own. */
  readonly directServerId: string | null
  /** Of the IANA database: where the times they name are read; null while they have not said. */
  readonly timeZone: string | null
}

export const NO_PREFERENCES: Preferences = {
  persona: null,
  model: null,
  reasoning: 'hidden',
  directServerId: null,
  timeZone: null,
}
