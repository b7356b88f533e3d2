import {
  type APIButtonComponent,
  type APISelectMenuOption,
  type APIStringSelectComponent,
  ButtonStyle,
  ComponentType,
  escapeMarkdown,
} from 'discord.js'
import type { DirectConversations } from '#discord/direct-conversations.ts'
import type { KnownServer } from '#discord/shared-servers.ts'
import { failureNotice } from '#domain/notices.ts'
import { DIRECT_SERVER_ID } from '#domain/request.ts'
import { customId, type PrivateCommand, type Reply, slashCommand, type Whereabouts } from './command.ts'

const NAME = 'server'

/** What a press does: choose from the menu, or this server. */
const CHOOSE = 'choose'

/** Discord takes 25 options, and one of them is the user's own conversation. */
const LISTED_SERVERS = 24

type Direct = Pick<DirectConversations, 'current' | 'choices' | 'choose'>

/** `/server`: which server's conversation the user's direct messages belong to. */
export function serverCommand(direct: Direct): PrivateCommand {
  const description = 'Which conversation you are in; in direct messages you can choose.'
  return {
    type: 'private',
    definition: slashCommand({ name: NAME, description }),
    reply: (call) => replyAt(direct, call),
    pressed: ({ words: [action, server], values: [chosen = server], ...where }) =>
      action === CHOOSE && chosen !== undefined ? choose(direct, where, chosen) : replyAt(direct, where),
  }
}

function replyAt(direct: Direct, where: Whereabouts): Reply | Promise<Reply> {
  if (where.guildId !== null) return { content: IN_SERVER, buttons: [useButton(where.guildId)] }
  if (!isDirect(where)) return { content: IN_GROUP }
  return menuOf(direct, where.conversation.userId)
}

function isDirect({ conversation }: Whereabouts): boolean {
  return conversation.serverId === DIRECT_SERVER_ID
}

/** Nobody needs to be in the menu to be chosen, so whoever shares many servers can choose any of them in that server. */
async function choose(direct: Direct, where: Whereabouts, chosen: string): Promise<Reply> {
  const { userId } = where.conversation
  const serverId = chosen === DIRECT_SERVER_ID ? null : chosen
  if (!(await direct.choose(userId, serverId))) return { content: NOT_SHARED }
  return isDirect(where) ? menuOf(direct, userId) : { content: CHOSEN_HERE }
}

async function menuOf(direct: Direct, userId: string): Promise<Reply> {
  const current = await direct.current(userId)
  const servers = await direct.choices(userId)
  const chosen = 'refusal' in current ? undefined : current.server
  const lines = [
    ...('refusal' in current ? [failureNotice(current.refusal)] : []),
    `Your direct messages belong to ${nameOf(chosen)}.`,
    ...hintsOn(servers),
  ]
  return { content: lines.join('\n'), ...(servers.length > 0 && { menu: menuFor(servers, chosen) }) }
}

function nameOf(server: KnownServer | undefined): string {
  return server ? `the conversation of **${escapeMarkdown(server.name)}**` : '**your own conversation**'
}

function hintsOn(servers: readonly KnownServer[]): string[] {
  if (servers.length === 0) return ['You share no server with Parley that you could choose instead.']
  const once = 'To ask one question elsewhere, write the name of the server in front: `[name] your question`.'
  const others = `Only ${LISTED_SERVERS} servers fit into the menu; to choose another one, use \`/${NAME}\` in it.`
  return servers.length > LISTED_SERVERS ? [once, others] : [once]
}

function menuFor(servers: readonly KnownServer[], chosen: KnownServer | undefined): APIStringSelectComponent {
  const own = { label: 'My own conversation', value: DIRECT_SERVER_ID, default: chosen === undefined }
  const isChosen = ({ id }: KnownServer) => id === chosen?.id
  const listed = [...servers.filter(isChosen), ...servers.filter((server) => !isChosen(server))]
  const others = listed.slice(0, LISTED_SERVERS).map((server) => optionFor(server, servers, chosen))
  const custom_id = customId(NAME, CHOOSE)
  return { type: ComponentType.StringSelect, custom_id, options: [own, ...others] }
}

/** Servers of the same name are told apart by their ids. */
function optionFor(
  { id, name }: KnownServer,
  servers: readonly KnownServer[],
  chosen: KnownServer | undefined,
): APISelectMenuOption {
  const isDouble = servers.filter((server) => server.name === name).length > 1
  return { label: name, value: id, default: id === chosen?.id, ...(isDouble && { description: `id ${id}` }) }
}

function useButton(guildId: string): APIButtonComponent {
  const label = 'Use it in my direct messages'
  const custom_id = customId(NAME, CHOOSE, guildId)
  return { type: ComponentType.Button, style: ButtonStyle.Secondary, label, custom_id }
}

const IN_SERVER =
  'What you ask here belongs to the conversation that you have with Parley in this server. Press the button to have your direct messages belong to it, too.'

const IN_GROUP = 'What you ask here belongs to the conversation that you have with Parley in this group.'

const CHOSEN_HERE =
  'From now on your direct messages belong to the conversation that you have with Parley in this server.'

const NOT_SHARED = 'You and Parley are not both in that server. Nothing was changed.'
