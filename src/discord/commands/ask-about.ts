import { ApplicationCommandType } from 'discord.js'
import { EVERYWHERE, type QuestionCommand, type TargetMessage } from './command.ts'

/** "Ask about this" in the menu of a message. */
export const askAboutCommand: QuestionCommand = {
  type: 'question',
  definition: { type: ApplicationCommandType.Message, name: 'Ask about this', ...EVERYWHERE },
  question: ({ target }) => (target === undefined ? '' : questionAbout(target)),
}

/** Without a text there is no question either, and the queue says so. */
function questionAbout({ author, text }: TargetMessage): string {
  if (text.trim() === '') return ''
  const quoted = text.trim().replaceAll('\n', '\n> ')
  return `This is a message by ${author}:\n\n> ${quoted}\n\nAnswer it if it asks something, otherwise explain it.`
}
