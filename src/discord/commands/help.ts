import { ApplicationCommandType } from 'discord.js'
import { type Command, type PrivateCommand, slashCommand } from './command.ts'

const DEFINITION = slashCommand({ name: 'help', description: 'What Parley can do.' })

/** `/help`: all commands, this one too. */
export function helpCommand(others: readonly Command[]): PrivateCommand {
  const lines = [...others.map(({ definition }) => definition), DEFINITION].map((definition) =>
    definition.type === ApplicationCommandType.Message
      ? `**${definition.name}** (menu of a message) · Ask Parley about that message.`
      : `**/${definition.name}**${'description' in definition ? ` · ${definition.description}` : ''}`,
  )
  const content = [
    'Write to me in a direct message, mention me in a server, or use a command. One question at a time: the next one when the answer is there.',
    '',
    ...lines,
    '',
    'What a server has set with `/settings` holds there for everybody; where it has set nothing, your own `/persona` and `/model` do.',
  ].join('\n')
  return { type: 'private', definition: DEFINITION, reply: () => ({ content }) }
}
