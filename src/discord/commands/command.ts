import {
  type APIActionRowComponent,
  type APIButtonComponent,
  type APIEmbed,
  type APIStringSelectComponent,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RawFile,
  type RESTPostAPIApplicationCommandsJSONBody,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js'
import type { OfferedFile } from '#discord/offered-file.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import { failureNotice } from '#domain/notices.ts'
import type { GateRefusal } from '#protocol/queue.ts'

/** The conversation that what is asked in a place belongs to. */
export interface Here extends ConversationKey {
  /** In a direct conversation that belongs to a server's: the server's name. */
  readonly serverName: string | undefined
}

/** Where somebody used a command or a button of one. */
export interface Whereabouts {
  /** The conversation of the place itself: in a direct one that of its own, whatever was chosen. */
  readonly conversation: ConversationKey
  /** The server it is in; null in direct conversations and groups. */
  readonly guildId: string | null
  readonly channelId: string
  /** Whether its user may manage that server; false elsewhere. */
  readonly mayManageServer: boolean
  /** The conversation that what is asked there belongs to: in a direct one the one that was chosen. Never rejects. */
  readonly here: () => Promise<Here | { readonly refusal: GateRefusal }>
}

/** What a command that somebody ran tells. */
export interface CommandCall extends Whereabouts {
  /** Of its user, in the server. */
  readonly roleIds: readonly string[]
  /** Whether the bot may write there without having been asked. */
  readonly botMayWrite: boolean
  /** The word after the command's name, of a command that has some. */
  readonly subcommand: string | undefined
  /** A text option, or the id a channel or role option stands for; undefined when it was left out. */
  readonly option: (name: string) => string | undefined
  /** The file of an option; undefined when it was left out. */
  readonly file: (name: string) => OfferedFile | undefined
  /** Of a command on a message: that message. */
  readonly target: TargetMessage | undefined
  /** Whether its user may manage the server it was run in; false elsewhere. */
  readonly mayManageServer: boolean
}

export interface TargetMessage {
  readonly author: string
  readonly text: string
  /** What came with it; left out when that was nothing. */
  readonly files?: readonly OfferedFile[]
}

/** A button of a command's reply that its user pressed, or a menu of it from which something was chosen. */
interface Press extends Whereabouts {
  /** What `customId` was made of, the command's name left out. */
  readonly words: readonly string[]
  /** What was chosen from the menu. */
  readonly values: readonly string[]
}

/** What only the user of a command gets to see. */
export interface Reply {
  readonly content: string
  readonly buttons?: readonly APIButtonComponent[]
  readonly embeds?: readonly APIEmbed[]
  readonly menu?: APIStringSelectComponent
  readonly files?: readonly RawFile[]
}

/** A command that asks the model something; its answer is there for all to see. */
export interface QuestionCommand {
  readonly type: 'question'
  readonly definition: RESTPostAPIApplicationCommandsJSONBody
  readonly question: (call: CommandCall) => string
  /** What the question is about; none when it is left out. */
  readonly files?: (call: CommandCall) => readonly OfferedFile[]
}

/** Something to choose while an option is being typed. */
export interface Suggestion {
  readonly name: string
  readonly value: string
}

/** An option that is being typed. */
interface Typing {
  readonly userId: string
  /** What is there so far. */
  readonly text: string
}

/** A command whose reply is for its user alone. */
export interface PrivateCommand {
  readonly type: 'private'
  readonly definition: RESTPostAPIApplicationCommandsJSONBody
  readonly reply: (call: CommandCall) => Reply | Promise<Reply>
  /** What an option with `autocomplete` could become; of more than 25 the first are shown. */
  readonly suggest?: (typing: Typing) => readonly Suggestion[] | Promise<readonly Suggestion[]>
  /** The reply after one of its buttons was pressed. */
  readonly pressed?: (press: Press) => Reply | Promise<Reply>
}

export type Command = QuestionCommand | PrivateCommand

/** For servers and people to install, and to use wherever there is a text field. */
export const EVERYWHERE = {
  integration_types: [ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall],
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM, InteractionContextType.PrivateChannel],
}

type SlashFields = Pick<RESTPostAPIChatInputApplicationCommandsJSONBody, 'name' | 'description' | 'options'>

export function slashCommand(fields: SlashFields): RESTPostAPIChatInputApplicationCommandsJSONBody {
  return { type: ApplicationCommandType.ChatInput, ...fields, ...EVERYWHERE }
}

type ComponentRow = APIActionRowComponent<APIButtonComponent | APIStringSelectComponent>

const SEPARATOR = ':'

/** What tells which button was pressed: a command's name and words without colons, 100 characters at most. */
export function customId(command: string, ...words: readonly string[]): string {
  return [command, ...words].join(SEPARATOR)
}

/** Takes apart what `customId` has put together. */
export function readCustomId(id: string): { readonly command: string; readonly words: readonly string[] } {
  const [command = '', ...words] = id.split(SEPARATOR)
  return { command, words }
}

/** What somebody reads who may not see the conversation they are in. */
export function refused({ refusal }: { readonly refusal: GateRefusal }): Reply {
  return { content: failureNotice(refusal) }
}

/** The rows of what can be pressed or chosen below a reply. */
export function rowsOf({ buttons = [], menu }: Pick<Reply, 'buttons' | 'menu'>): ComponentRow[] {
  const rows = [menu === undefined ? [] : [menu], [...buttons]]
  return rows.filter((components) => components.length > 0).map((components) => ({ type: 1, components }))
}
