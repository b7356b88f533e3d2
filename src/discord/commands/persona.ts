import { ApplicationCommandOptionType } from 'discord.js'
import type { ConversationKey } from '#domain/conversation.ts'
import { LONGEST_PERSONA, readPersona } from '#domain/persona.ts'
import type { Preferences } from '#domain/preferences.ts'
import { beginningOf } from './beginning-of.ts'
import { type PrivateCommand, type Reply, slashCommand } from './command.ts'
import { briefingHere, type OwnChoiceOptions } from './own-choice.ts'
import { subcommand } from './subcommand.ts'

const TEXT = 'text'
const SHOWN_CHARACTERS = 1_200

/** The text of a persona, for `/persona` and `/settings`. */
export const PERSONA_OPTION = {
  type: ApplicationCommandOptionType.String as const,
  name: TEXT,
  description: 'Such as: You are a patient teacher who explains with examples from cooking.',
  required: true,
  max_length: LONGEST_PERSONA,
}

export const PERSONA_UNUSABLE = `A persona needs some text, of at most ${LONGEST_PERSONA} characters. Nothing was changed.`

const DEFINITION = slashCommand({
  name: 'persona',
  description: 'How Parley is to talk to you.',
  options: [
    subcommand('set', 'Say how Parley is to talk to you.', [PERSONA_OPTION]),
    subcommand('show', 'What you have set, and what holds here.'),
    subcommand('reset', 'Let Parley talk as usual.'),
  ],
})

/** `/persona set | show | reset`: a persona for all of the user's conversations. */
export function personaCommand(options: OwnChoiceOptions): PrivateCommand {
  const { records } = options
  return {
    type: 'private',
    definition: DEFINITION,
    reply: async ({ conversation, subcommand: action, option }) => {
      const { userId } = conversation
      if (action === 'reset') {
        return show(options, conversation, await records.changePreferences(userId, { persona: null }))
      }
      if (action !== 'set') return show(options, conversation, await records.preferences(userId))
      const persona = readPersona(option(TEXT) ?? '')
      if (persona === undefined) return { content: PERSONA_UNUSABLE }
      return show(options, conversation, await records.changePreferences(userId, { persona }))
    },
  }
}

async function show(options: OwnChoiceOptions, here: ConversationKey, own: Preferences): Promise<Reply> {
  const { personaFrom } = await briefingHere(options, here, own)
  const set =
    own.persona === null
      ? 'You have set no persona: Parley talks to you as usual.'
      : `Your persona, from your next question on:\n> ${beginningOf(own.persona, SHOWN_CHARACTERS)}`
  const instead = personaFrom === 'server' ? ['In this server, its own persona holds for everybody instead.'] : []
  return { content: [set, ...instead].join('\n') }
}
