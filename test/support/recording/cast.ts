import type { Person, Stage } from './stage.ts'

/** What the scenes are played with. */
export interface Cast {
  readonly ada: Person
  readonly bob: Person
  readonly cleo: Person
  readonly owner: Person
  readonly club: { readonly guildId: string; readonly channelId: string }
}

/** A scene: its title, what to look at, and how it is played. */
export type Act = readonly [title: string, intro: string, play: (stage: Stage, cast: Cast) => Promise<void>]
