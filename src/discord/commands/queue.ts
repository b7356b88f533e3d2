import type { QueueMode, RequestQueue } from '#protocol/queue.ts'
import { type PrivateCommand, slashCommand } from './command.ts'
import { subcommand } from './subcommand.ts'

export interface QueueCommandOptions {
  readonly owners: readonly string[]
  readonly queue: Pick<RequestQueue, 'setMode' | 'stats'>
}

const MODES: ReadonlyMap<string | undefined, { readonly mode: QueueMode; readonly said: string }> = new Map([
  [
    'pause',
    {
      mode: 'paused',
      said: '⏸️ Paused: questions are taken in and kept, and none begins. What is being answered goes on to its end.',
    },
  ],
  [
    'drain',
    {
      mode: 'draining',
      said: '🚱 Draining: new questions are turned away politely, and those there are get answered.',
    },
  ],
  ['resume', { mode: 'open', said: '▶️ Open: questions are taken in and answered.' }],
])

/** `/queue`: pauses, drains or opens the queue, for the owners. */
export function queueCommand({ owners, queue }: QueueCommandOptions): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({
      name: 'queue',
      description: 'Pause, drain or open the queue; for those who run Parley.',
      options: [
        subcommand('pause', 'Take questions in and keep them; begin none until it is opened again.'),
        subcommand('drain', 'Turn new questions away and answer those there are.'),
        subcommand('resume', 'Open the queue again. A restart does so, too.'),
      ],
    }),
    reply: async ({ conversation, subcommand: word }) => {
      if (!owners.includes(conversation.userId)) return { content: 'Only those who run this bot may do that.' }
      const chosen = MODES.get(word)
      if (!chosen) return { content: 'Say what is to be done: pause, drain or resume. Nothing was changed.' }
      await queue.setMode(chosen.mode)
      const { queueSize, activeRequests } = queue.stats()
      return { content: `${chosen.said}\n${queueSize} waiting, ${activeRequests} being answered.` }
    },
  }
}
