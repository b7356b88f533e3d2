import { type APIButtonComponent, ApplicationCommandOptionType, ButtonStyle, ComponentType } from 'discord.js'
import { isOffered, type ModelChoices } from '#domain/briefing.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import type { Preferences } from '#domain/preferences.ts'
import { customId, type PrivateCommand, type Reply, slashCommand } from './command.ts'
import { briefingHere, type OwnChoiceOptions } from './own-choice.ts'

const NAME = 'model'
const MODEL = 'name'
const USUAL = 'usual'
/** Discord's own limit for a choice. */
const LONGEST_CHOICE = 100
const LISTED_CHARACTERS = 1_500

/** `/model`: which of the offered models answers the user. */
export function modelCommand(options: OwnChoiceOptions): PrivateCommand {
  const { records, models } = options
  const show = (here: ConversationKey, own: Preferences) => showModel(options, here, own)
  return {
    type: 'private',
    definition: slashCommand({
      name: NAME,
      description: 'Which model answers you.',
      options: [modelOption(models, 'The model; without it you see what there is.', false)],
    }),
    reply: async ({ conversation, option }) => {
      const { userId } = conversation
      const model = option(MODEL)
      if (model === undefined) return show(conversation, await records.preferences(userId))
      if (!isOffered(models, model)) return { content: notOffered(models) }
      return show(conversation, await records.changePreferences(userId, { model }))
    },
    pressed: async ({ conversation }) =>
      show(conversation, await records.changePreferences(conversation.userId, { model: null })),
  }
}

/** A model to choose, for `/model` and `/settings`. */
export function modelOption({ offered }: ModelChoices, description: string, required: boolean) {
  const choices = offered.filter((name) => name.length <= LONGEST_CHOICE).map((name) => ({ name, value: name }))
  return { type: ApplicationCommandOptionType.String as const, name: MODEL, description, required, choices }
}

export function notOffered(models: ModelChoices): string {
  return `That model is not offered. Nothing was changed; you can choose from ${listOf(models)}.`
}

async function showModel(options: OwnChoiceOptions, here: ConversationKey, own: Preferences): Promise<Reply> {
  const { model, modelFrom } = await briefingHere(options, here, own)
  const { models } = options
  const lines = [
    `Your questions here are answered by \`${model}\`, from the next one on${REASONS[modelFrom]}.`,
    own.model === null
      ? 'You have chosen none yourself.'
      : `You have chosen \`${own.model}\`${gone(models, own.model)}.`,
    models.offered.length === 1 ? 'It is the only one there is.' : `You can choose from ${listOf(models)}.`,
  ]
  return { content: lines.join('\n'), buttons: own.model === null ? [] : [USUAL_BUTTON] }
}

const REASONS = {
  server: ', because this server has set it for everybody',
  own: '',
  usual: '',
} as const

const USUAL_BUTTON: APIButtonComponent = {
  type: ComponentType.Button,
  style: ButtonStyle.Secondary,
  label: 'Use the usual one',
  custom_id: customId(NAME, USUAL),
}

function gone(models: ModelChoices, model: string): string {
  return isOffered(models, model) ? '' : ', which is not offered any more'
}

/** As many as fit beside what else a reply says; the option itself shows all of them. */
function listOf({ offered, usual }: ModelChoices): string {
  const names = offered.map((name) => `\`${name}\`${name === usual ? ' (the usual one)' : ''}`)
  const listed = [...names]
  while (listed.join(', ').length > LISTED_CHARACTERS) listed.pop()
  const more = names.length - listed.length
  return `${listed.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
