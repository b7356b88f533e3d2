import type { TerminalStatus } from '#domain/request.ts'
import type { ForgetScope } from '#protocol/personal-records.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import { type PrivateCommand, slashCommand } from './command.ts'

/** `/cancel`: ends the user's question, wherever it was asked, or what may still become one. */
export function cancelCommand(
  queue: Pick<RequestQueue, 'active' | 'cancel'>,
  withdraw: (scope: ForgetScope) => boolean,
): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({ name: 'cancel', description: 'Cancel your question that waits or is being answered.' }),
    reply: async ({ conversation: { userId } }) => {
      const active = queue.active(userId)
      if (active) return { content: describe(await queue.cancel(active.requestId)) }
      return { content: describe(withdraw({ userId, serverId: null }) ? 'CANCELLED' : undefined) }
    },
  }
}

function describe(status: TerminalStatus | undefined): string {
  switch (status) {
    case 'CANCELLED':
      return '🛑 Your question is cancelled. You can ask the next one.'
    case 'COMPLETED':
      return 'That was too late: your question has just been answered.'
    case 'FAILED':
      return 'There was nothing left to cancel: your question has just ended without an answer.'
    case undefined:
      return 'You have no question that waits or is being answered.'
    default:
      return status satisfies never
  }
}
