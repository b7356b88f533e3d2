import { ApplicationCommandOptionType } from 'discord.js'
import { type QuestionCommand, slashCommand } from './command.ts'

/** Discord's own limit for a text option. */
const MAX_OPTION_LENGTH = 6_000

const QUESTION = 'message'
const ATTACHMENT = 'attachment'

/** `/ask message attachment`; Discord itself tells who writes too much. */
export function askCommand(maxMessageLength: number): QuestionCommand {
  const option = {
    type: ApplicationCommandOptionType.String as const,
    name: QUESTION,
    description: 'What you want to know.',
    required: true,
    max_length: Math.min(MAX_OPTION_LENGTH, maxMessageLength),
  }
  const attachment = {
    type: ApplicationCommandOptionType.Attachment as const,
    name: ATTACHMENT,
    description: 'A picture, a text or a PDF that it is about.',
  }
  return {
    type: 'question',
    definition: slashCommand({ name: 'ask', description: 'Ask Parley something.', options: [option, attachment] }),
    files: ({ file }) => [file(ATTACHMENT)].filter((attached) => attached !== undefined),
    question: ({ option: textOf }) => textOf(QUESTION)?.trim() ?? '',
  }
}
