import type { DiscordOptions } from '#discord/discord-options.ts'
import type { CommandRun } from './discord/people.ts'
import { startWithUser, WAIT_MS } from './discord-room.ts'
import { newDatabase } from './stored-database.ts'

/** A user who can run every command, on a database of its own. */
export async function startWithCommands(options: Partial<DiscordOptions> = {}) {
  const database = newDatabase()
  const room = await startWithUser({}, { records: database.api, ...options })
  const { server, userId } = room
  const answerTo = async (channelId: string, interactionId: string) => {
    const messages = await server.messages(channelId)
    const message = messages.find((candidate) => candidate.interactionId === interactionId)
    if (!message) throw new Error(`Nothing answers interaction ${interactionId}.`)
    return message
  }
  const edited = async (count: number) => {
    const route = '/webhooks/:id/:token/messages/:message'
    await room.clock.passUntil(server.waitFor({ type: 'calls', method: 'PATCH', route, status: 200, count }, WAIT_MS))
  }
  let replies = 0
  /** Runs a command; resolves with its reply once that is shown. */
  const run = async (
    name: string,
    values: Record<string, string> = {},
    channelId = room.channelId,
    more: Partial<CommandRun> = {},
  ) => {
    // As it is typed: the command's name, and perhaps another word.
    const [command = '', subcommand] = name.split(' ')
    const words = subcommand === undefined ? {} : { subcommand }
    const { id } = await server.runCommand({ userId, name: command, ...words, options: values, channelId, ...more })
    await edited(++replies)
    return answerTo(channelId, id)
  }
  /** Presses a button of a reply; resolves with the reply as it is then. */
  const press = async (reply: Awaited<ReturnType<typeof run>>, label: string) => {
    await server.pressButton({ userId, messageId: reply.id, customId: customIdOf(reply.components, label) })
    await edited(++replies)
    return answerTo(reply.channelId, reply.interactionId ?? '')
  }
  /** Chooses from the menu of a reply; resolves with the reply as it is then. */
  const choose = async (reply: Awaited<ReturnType<typeof run>>, value: string) => {
    const customId = menuOf(reply.components)?.custom_id ?? ''
    await server.chooseOptions({ userId, messageId: reply.id, customId, values: [value] })
    await edited(++replies)
    return answerTo(reply.channelId, reply.interactionId ?? '')
  }
  return { ...room, database, run, press, choose }
}

/** The labels of a message's buttons. */
export function labelsOf(components: readonly unknown[]): string[] {
  return buttonsOf(components).map(({ label }) => label)
}

/** The select menu of a message; undefined when it has none. */
export function menuOf(components: readonly unknown[]): Menu | undefined {
  // The server has checked that they are rows of buttons or of one menu.
  const rows = components as readonly { readonly components: readonly (Partial<Menu> & { custom_id: string })[] }[]
  const found = rows.flatMap((row) => row.components).find(({ options }) => options !== undefined)
  return found && { ...found, options: found.options ?? [] }
}

interface Menu {
  readonly custom_id: string
  readonly options: readonly { readonly label: string; readonly value: string; readonly default?: boolean }[]
}

function customIdOf(components: readonly unknown[], label: string): string {
  const button = buttonsOf(components).find((candidate) => candidate.label === label)
  if (!button) throw new Error(`There is no button ${label}.`)
  return button.custom_id
}

interface Button {
  readonly label: string
  readonly custom_id: string
}

function buttonsOf(rows: readonly unknown[]): readonly Button[] {
  // The server has checked that they are rows of buttons.
  return rows.flatMap((row) => (row as { readonly components: readonly Button[] }).components)
}
