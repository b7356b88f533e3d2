import {
  type APIButtonComponent,
  ApplicationCommandOptionType,
  ButtonStyle,
  ComponentType,
  escapeMarkdown,
} from 'discord.js'
import type { ForgetScope, PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { RequestQueue } from '#protocol/queue.ts'
import { customId, type Here, type PrivateCommand, type Reply, refused, slashCommand } from './command.ts'

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
  /** Takes back what waits for more to become a question. */
  readonly withdraw: (scope: ForgetScope) => boolean
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
    reply: async ({ here, option: textOf }) => {
      if (readScope(textOf(WHAT)) === 'everything') return confirmation('everything', EVERYTHING)
      const conversation = await here()
      if ('refusal' in conversation) return refused(conversation)
      return confirmation('conversation', nameOf(conversation), conversation.serverId)
    },
    pressed: async ({ conversation: { userId }, here, words: [choice, serverId] }) => {
      const scope = readScope(choice)
      if (scope === undefined) return { content: 'Nothing was deleted.' }
      if (scope === 'everything') return forget(options, { userId, serverId: null })
      const conversation = await here()
      if ('refusal' in conversation) return refused(conversation)
      // What was confirmed is another conversation than the one that was chosen since.
      if (conversation.serverId !== serverId) return { content: CHANGED }
      return forget(options, { userId, serverId })
    },
  }
}

const EVERYTHING =
  'all your conversations with Parley, here and everywhere else, what you have scheduled, and what you have chosen (persona, model and the like)'

const STAYS = ' Changes you made to the settings of a server stay noted with your id: they are the server’s.'

const CHANGED =
  'Nothing was deleted: your direct messages belong to another conversation by now. Please use /forget again.'

function nameOf({ serverName }: Here): string {
  if (serverName === undefined) return 'the conversation you have with Parley here'
  return `the conversation you have with Parley in **${escapeMarkdown(serverName)}**`
}

function confirmation(scope: Scope, what: string, ...words: readonly string[]): Reply {
  const content = `This deletes ${what}, and cancels what is asked in it and not answered yet, reminders too. It cannot be undone.`
  const buttons = [button('Delete', ButtonStyle.Danger, scope, ...words), button('Keep', ButtonStyle.Secondary, KEEP)]
  return { content: `${content}${scope === 'everything' ? STAYS : ''}`, buttons }
}

function button(
  label: string,
  style: ButtonStyle.Danger | ButtonStyle.Secondary,
  ...words: readonly string[]
): APIButtonComponent {
  return { type: ComponentType.Button, style, label, custom_id: customId(NAME, ...words) }
}

function readScope(value: string | undefined): Scope | undefined {
  return value === 'conversation' || value === 'everything' ? value : undefined
}

async function forget({ records, queue, withdraw }: ForgetOptions, wanted: ForgetScope): Promise<Reply> {
  withdraw(wanted)
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
