import { ApplicationCommandOptionType } from 'discord.js'
import { REASONING_DISPLAYS, type ReasoningDisplay } from '#domain/preferences.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import { type PrivateCommand, slashCommand } from './command.ts'

const SHOW = 'show'

const WORDS = {
  hidden: 'is not shown to you; you see for how long the model thinks',
  spoiler: 'is shown to you behind a spoiler, which you can open',
  file: 'comes to you as a file with the answer',
} as const satisfies Record<ReasoningDisplay, string>

/** `/reasoning`: how the user gets to see what a model thinks before it answers. */
export function reasoningCommand(
  records: Pick<PersonalRecordsApi, 'preferences' | 'changePreferences'>,
): PrivateCommand {
  const option = {
    type: ApplicationCommandOptionType.String as const,
    name: SHOW,
    description: 'How you want to see it; without this you see what is set.',
    choices: REASONING_DISPLAYS.map((value) => ({ name: value, value })),
  }
  return {
    type: 'private',
    definition: slashCommand({
      name: 'reasoning',
      description: 'Whether you see what a model thinks before it answers.',
      options: [option],
    }),
    reply: async ({ conversation: { userId }, option: textOf }) => {
      const wanted = textOf(SHOW)
      const display = REASONING_DISPLAYS.find((known) => known === wanted)
      const { reasoning } =
        display === undefined
          ? await records.preferences(userId)
          : await records.changePreferences(userId, { reasoning: display })
      return { content: `What a model thinks before it answers ${WORDS[reasoning]}.` }
    },
  }
}
