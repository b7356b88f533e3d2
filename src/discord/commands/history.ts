import { type APIButtonComponent, ButtonStyle, ComponentType } from 'discord.js'
import type { ConversationKey } from '#domain/conversation.ts'
import type { HistoryCursor, HistoryPage, PersonalRecordsApi, StoredMessage } from '#protocol/personal-records.ts'
import { beginningOf } from './beginning-of.ts'
import { customId, type PrivateCommand, type Reply, slashCommand } from './command.ts'
import { dateAndTime } from './timestamps.ts'

const NAME = 'history'
/** Three turns; each message is shown by its beginning, so that all of them fit. */
const PAGE_MESSAGES = 6
const SHOWN_CHARACTERS = 260

/** `/history`: the conversation of this place, page by page. */
export function historyCommand(records: Pick<PersonalRecordsApi, 'historyPage'>): PrivateCommand {
  const show = async (conversation: ConversationKey, cursor: HistoryCursor): Promise<Reply> =>
    replyOf(await records.historyPage(conversation, cursor, PAGE_MESSAGES))
  return {
    type: 'private',
    definition: slashCommand({ name: NAME, description: 'What you and Parley have said here.' }),
    reply: ({ conversation }) => show(conversation, { type: 'newest' }),
    pressed: ({ conversation, words }) => show(conversation, readCursor(words)),
  }
}

function replyOf(page: HistoryPage): Reply {
  const { messages, hasOlder, hasNewer } = page
  const [oldest, newest] = [messages[0], messages.at(-1)]
  if (!oldest || !newest) return { content: 'Nothing of this conversation is stored.' }
  const buttons = [
    ...(hasOlder ? [button('◀ Older', 'before', oldest)] : []),
    ...(hasNewer ? [button('Newer ▶', 'after', newest)] : []),
  ]
  return { content: messages.map(describe).join('\n'), buttons }
}

function button(label: string, direction: 'before' | 'after', { id }: StoredMessage): APIButtonComponent {
  const custom_id = customId(NAME, direction, String(id))
  return { type: ComponentType.Button, style: ButtonStyle.Secondary, label, custom_id }
}

function readCursor([direction, id]: readonly string[]): HistoryCursor {
  const messageId = Number(id)
  const isKnown = (direction === 'before' || direction === 'after') && Number.isSafeInteger(messageId)
  return isKnown ? { type: direction, messageId } : { type: 'newest' }
}

function describe({ role, content, timestamp }: StoredMessage): string {
  return `**${role === 'user' ? 'You' : 'Parley'}** · ${dateAndTime(timestamp)}\n> ${beginningOf(content, SHOWN_CHARACTERS)}`
}
