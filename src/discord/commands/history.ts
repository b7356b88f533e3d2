import { type APIButtonComponent, ButtonStyle, ComponentType, escapeMarkdown } from 'discord.js'
import type { HistoryCursor, HistoryPage, PersonalRecordsApi, StoredMessage } from '#protocol/personal-records.ts'
import { beginningOf } from './beginning-of.ts'
import { customId, type Here, type PrivateCommand, type Reply, refused, slashCommand } from './command.ts'
import { dateAndTime } from './timestamps.ts'

const NAME = 'history'
/** Three turns; each message is shown by its beginning, so that all of them fit. */
const PAGE_MESSAGES = 6
const SHOWN_CHARACTERS = 260

/** `/history`: the conversation of this place, page by page. */
export function historyCommand(records: Pick<PersonalRecordsApi, 'historyPage'>): PrivateCommand {
  const show = async (here: Here, cursor: HistoryCursor): Promise<Reply> =>
    replyOf(here, await records.historyPage(here, cursor, PAGE_MESSAGES))
  return {
    type: 'private',
    definition: slashCommand({ name: NAME, description: 'What you and Parley have said here.' }),
    reply: async (call) => {
      const here = await call.here()
      return 'refusal' in here ? refused(here) : show(here, { type: 'newest' })
    },
    pressed: async ({ words, ...whereabouts }) => {
      const here = await whereabouts.here()
      return 'refusal' in here ? refused(here) : show(here, readCursor(words, here))
    },
  }
}

function replyOf(here: Here, page: HistoryPage): Reply {
  const { messages, hasOlder, hasNewer } = page
  const [oldest, newest] = [messages[0], messages.at(-1)]
  const title = here.serverName === undefined ? [] : [`-# Conversation of ${escapeMarkdown(here.serverName)}`]
  if (!oldest || !newest) return { content: [...title, 'Nothing of this conversation is stored.'].join('\n') }
  const buttons = [
    ...(hasOlder ? [button('◀ Older', 'before', oldest, here)] : []),
    ...(hasNewer ? [button('Newer ▶', 'after', newest, here)] : []),
  ]
  return { content: [...title, ...messages.map(describe)].join('\n'), buttons }
}

function button(
  label: string,
  direction: 'before' | 'after',
  { id }: StoredMessage,
  { serverId }: Here,
): APIButtonComponent {
  const custom_id = customId(NAME, direction, String(id), serverId)
  return { type: ComponentType.Button, style: ButtonStyle.Secondary, label, custom_id }
}

/** A page of another conversation than the one that was chosen since is of no use here. */
function readCursor([direction, id, serverId]: readonly string[], here: Here): HistoryCursor {
  const messageId = Number(id)
  const isOfHere = serverId === here.serverId && Number.isSafeInteger(messageId)
  const isKnown = isOfHere && (direction === 'before' || direction === 'after')
  return isKnown ? { type: direction, messageId } : { type: 'newest' }
}

function describe({ role, content, timestamp }: StoredMessage): string {
  return `**${role === 'user' ? 'You' : 'Parley'}** · ${dateAndTime(timestamp)}\n> ${beginningOf(content, SHOWN_CHARACTERS)}`
}
