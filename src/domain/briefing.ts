/** The models that answers can be asked of. */
export interface ModelChoices {
  /** Used by whoever has chosen nothing. */
  readonly usual: string
  /** What people may choose, the usual one among them. */
  readonly offered: readonly string[]
}

/** What somebody has chosen; null: nothing. */
export interface Choice {
  readonly persona: string | null
  readonly model: string | null
}

export const NO_CHOICE: Choice = { persona: null, model: null }

/** What was chosen for one conversation. */
export interface Choices {
  /** By its user, for all of their conversations. */
  readonly own: Choice
  /** By those who run the server it belongs to, for everybody there. */
  readonly server: Choice
}

export const NO_CHOICES: Choices = { own: NO_CHOICE, server: NO_CHOICE }

/** What applies to one request. */
export interface Briefing {
  readonly model: string
  readonly modelFrom: keyof Choices | 'usual'
  readonly persona: string | null
  readonly personaFrom: keyof Choices | 'usual'
  /** A chosen model that would have applied and is not offered any more. */
  readonly withdrawn: string | null
}

/** The models of the settings: with none listed the usual one is all there is to choose. */
export function modelChoices({ name, allowed }: { name: string; allowed: readonly string[] }): ModelChoices {
  return { usual: name, offered: [...new Set([name, ...allowed])] }
}

/**
 * Decides which model answers a request, and in which persona. What a server has set holds there for everybody; where it
 * has set nothing, each person's own choice does, then the settings. A model that is not offered is passed over.
 */
export function decideBriefing(models: ModelChoices, choices: Choices): Briefing {
  const personaFrom = RANKS.find((from) => choices[from].persona !== null) ?? 'usual'
  const wished = RANKS.filter((from) => choices[from].model !== null)
  const modelFrom = wished.find((from) => isOffered(models, choices[from].model)) ?? 'usual'
  const [first] = wished
  return {
    model: modelFrom === 'usual' ? models.usual : (choices[modelFrom].model ?? models.usual),
    modelFrom,
    persona: personaFrom === 'usual' ? null : choices[personaFrom].persona,
    personaFrom,
    withdrawn: first === undefined || first === modelFrom ? null : choices[first].model,
  }
}

export function isOffered({ offered }: ModelChoices, model: string | null): boolean {
  return model !== null && offered.includes(model)
}

/** Who is asked first. */
const RANKS = ['server', 'own'] as const satisfies readonly (keyof Choices)[]
