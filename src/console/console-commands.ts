import type { Writable } from 'node:stream'
import type { ConversationKey } from '#domain/conversation.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DatabaseApi, DatabaseStatistics } from '#protocol/database.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import { formatHistory, formatStatistics } from './console-format.ts'

export interface CommandContext {
  readonly queue: RequestQueue
  readonly store: Pick<DatabaseApi, 'history' | 'forget' | 'statistics'>
  readonly conversation: ConversationKey
  readonly output: Writable
  readonly notices: Writable
}

/** So many messages are listed. */
const HISTORY_LENGTH = 50

const HELP = `/stats    what the queue has done
/history  the conversation so far
/pause    take questions in and keep them, begin none
/drain    take no more questions in, answer those there are
/resume   take questions in and answer them
/forget   delete the conversation
/quit     end
`

const MODES = { '/pause': 'paused', '/drain': 'draining', '/resume': 'open' } as const

/** Runs a line that starts with a slash; tells whether the conversation goes on. */
export async function runCommand(line: string, context: CommandContext): Promise<'goOn' | 'quit'> {
  const { queue, store, conversation, output, notices } = context
  try {
    switch (line) {
      case '/quit':
        return 'quit'
      case '/help':
        output.write(HELP)
        break
      case '/stats':
        output.write(formatStatistics(queue.stats(), await statisticsOf(store)))
        break
      case '/pause':
      case '/drain':
      case '/resume':
        await queue.setMode(MODES[line])
        output.write(`The queue is ${MODES[line]}.\n`)
        break
      case '/history':
        output.write(formatHistory(await store.history(conversation, HISTORY_LENGTH)))
        break
      case '/forget':
        output.write(`Deleted ${await store.forget(conversation)} messages.\n`)
        break
      default:
        notices.write(`There is no command ${line}. These there are:\n${HELP}`)
    }
  } catch (error) {
    notices.write(`${line} did not work: ${errorMessage(error)}\n`)
  }
  return 'goOn'
}

/** Undefined when the database does not tell; the queue's own are worth reading all the same. */
async function statisticsOf(store: CommandContext['store']): Promise<DatabaseStatistics | undefined> {
  return store.statistics().catch(() => undefined)
}
