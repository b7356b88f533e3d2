import { escapeMarkdown } from 'discord.js'
import { ordinal } from '#discord/ordinal.ts'
import { failureNotice } from '#domain/notices.ts'
import type { ActiveFacts, QueueStatistics, RequestQueue } from '#protocol/queue.ts'
import { type CommandCall, type PrivateCommand, slashCommand } from './command.ts'
import { timeAgo } from './timestamps.ts'

/** `/status`: what is going on with the user's question, and in the queue. */
export function statusCommand(queue: Pick<RequestQueue, 'active' | 'stats'>): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({ name: 'status', description: 'Where your question is, and how busy Parley is.' }),
    reply: async ({ conversation, here }) => {
      const lines = [describeOwn(queue.active(conversation.userId)), describeQueue(queue.stats())]
      return { content: [...lines, ...describeConversation(await here())].join('\n') }
    },
  }
}

/** Where it goes without saying, it is not said. */
function describeConversation(here: Awaited<ReturnType<CommandCall['here']>>): string[] {
  if ('refusal' in here) return [failureNotice(here.refusal)]
  if (here.serverName === undefined) return []
  return [`**Conversation:** your direct messages belong to that of **${escapeMarkdown(here.serverName)}**.`]
}

function describeOwn(active: ActiveFacts | undefined): string {
  if (active === undefined) return '**You:** nothing of yours waits or is being answered.'
  const { position, acceptedAt, startedAt } = active
  if (position > 0) return `**You:** your question is ${ordinal(position)} in line; you asked ${timeAgo(acceptedAt)}.`
  return `**You:** your question is being answered; that began ${timeAgo(startedAt ?? acceptedAt)}.`
}

function describeQueue({ queueSize, maxQueueSize, activeRequests, slots, ...stats }: QueueStatistics): string {
  const waiting = `${queueSize} waiting (${maxQueueSize} at most)`
  const atWork = `${activeRequests} being answered (${slots.total} at the same time)`
  return [`**Queue:** ${waiting}, ${atWork}.`, ...describeTrouble(stats)].join('\n')
}

function describeTrouble({ mode, model, storage }: Pick<QueueStatistics, 'mode' | 'model' | 'storage'>): string[] {
  return [
    ...(mode === 'paused'
      ? ['⏸️ Parley is paused: questions are taken in and kept, and go on by themselves later.']
      : []),
    ...(mode === 'draining' ? ['⏸️ Parley takes no new questions at the moment; those it has are being answered.'] : []),
    ...(model.state === 'answering'
      ? []
      : ['⚠️ The model does not answer at the moment; questions wait until it does.']),
    ...(storage.available ? [] : ['⚠️ Nothing can be stored at the moment; answers may not be remembered.']),
  ]
}
