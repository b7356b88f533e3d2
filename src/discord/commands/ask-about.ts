import { ApplicationCommandType } from 'discord.js'
import { EVERYWHERE, type QuestionCommand, type TargetMessage } from './command.ts'

/** "Ask about this" in the menu of a message. */
export const askAboutCommand: QuestionCommand = {
  type: 'question',
  definition: { type: ApplicationCommandType.Message, name: 'Ask about this', ...EVERYWHERE },
  files: ({ target }) => target?.files ?? [],
  question: ({ target }) => (target === undefined ? '' : questionAbout(target)),
}

/** Without a text the question is what came with it; without that, too, there is none, and the queue says so. */
function questionAbout({ author, text }: TargetMessage): string {
  if (text.trim() === '') return ''
  const quoted = text.trim().replaceAll('\n', '\n> ')
  return `This is a message by ${author}:\n\n> ${quoted}\n\nAnswer it if it asks something, otherwise explain it.`
}
