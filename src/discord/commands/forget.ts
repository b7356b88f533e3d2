import { type APIButtonComponent, ApplicationCommandOptionType, ButtonStyle, ComponentType } from 'discord.js'
import type { ConversationKey } from '#domain/conversation.ts'
import type { ForgetScope, PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import { customId, type PrivateCommand, type Reply, slashCommand } from './command.ts'

const NAME = 'forget'
const WHAT = 'what'
const KEEP = 'keep'

const SCOPES = {
  conversation: 'this conversation',
  everything: 'everything',
} as const

type Scope = keyof typeof SCOPES

export interface ForgetOptions {
  readonly records: Pick<PersonalRecordsApi, 'forget'>
  readonly queue: Pick<RequestQueue, 'active' | 'cancel' | 'stats'>
}

/** `/forget`: deletes what is stored of the user, once that was confirmed. */
export function forgetCommand(options: ForgetOptions): PrivateCommand {
  const choices = Object.entries(SCOPES).map(([value, name]) => ({ name, value }))
  const option = {
    type: ApplicationCommandOptionType.String as const,
    name: WHAT,
    description: 'What is to be deleted; this conversation unless you say otherwise.',
    choices,
  }
  return {
    type: 'private',
    definition: slashCommand({ name: NAME, description: 'Delete what Parley remembers of you.', options: [option] }),
    reply: ({ option: textOf }) => confirmation(readScope(textOf(WHAT)) ?? 'conversation'),
    pressed: ({ conversation, words: [choice] }) => {
      const scope = readScope(choice)
      return scope === undefined ? { content: 'Nothing was deleted.' } : forget(options, scope, conversation)
    },
  }
}

function confirmation(scope: Scope): Reply {
  const what =
    scope === 'everything'
      ? 'all your conversations with Parley, here and everywhere else, and what you have chosen (persona, model and the like)'
      : 'the conversation you have with Parley here'
  const content = `This deletes ${what}, and cancels a question of it that is not answered yet. It cannot be undone.`
  const stays =
    scope === 'everything'
      ? ' Changes you made to the settings of a server stay noted with your id: they are the server’s.'
      : ''
  const buttons = [button('Delete', ButtonStyle.Danger, scope), button('Keep', ButtonStyle.Secondary, KEEP)]
  return { content: `${content}${stays}`, buttons }
}

function button(label: string, style: ButtonStyle.Danger | ButtonStyle.Secondary, choice: string): APIButtonComponent {
  return { type: ComponentType.Button, style, label, custom_id: customId(NAME, choice) }
}

function readScope(value: string | undefined): Scope | undefined {
  return value === 'conversation' || value === 'everything' ? value : undefined
}

async function forget({ records, queue }: ForgetOptions, scope: Scope, here: ConversationKey): Promise<Reply> {
  const wanted = { userId: here.userId, serverId: scope === 'everything' ? null : here.serverId }
  await cancelWithin(queue, wanted)
  // Answers that are still to be stored would come back after everything else is gone.
  if (queue.stats().storage.pendingWrites > 0) {
    return { content: 'Nothing was deleted: Parley has yet to store something. Please try again in a few minutes.' }
  }
  const messages = await records.forget(wanted)
  const amount = messages === 1 ? '1 message is' : `${messages} messages are`
  return { content: `Forgotten: ${amount} deleted.` }
}

async function cancelWithin(queue: ForgetOptions['queue'], { userId, serverId }: ForgetScope): Promise<void> {
  const active = queue.active(userId)
  if (active && (serverId === null || serverId === active.serverId)) await queue.cancel(active.requestId)
}
