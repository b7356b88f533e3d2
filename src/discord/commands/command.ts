import {
  type APIActionRowComponent,
  type APIButtonComponent,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RawFile,
  type RESTPostAPIApplicationCommandsJSONBody,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js'
import type { OfferedFile } from '#discord/offered-file.ts'
import type { ConversationKey } from '#domain/conversation.ts'

/** What a command that somebody ran tells. */
export interface CommandCall {
  /** The conversation of the place it was run in. */
  readonly conversation: ConversationKey
  /** A text option; undefined when it was left out. */
  readonly option: (name: string) => string | undefined
  /** The file of an option; undefined when it was left out. */
  readonly file: (name: string) => OfferedFile | undefined
  /** Of a command on a message: that message. */
  readonly target: TargetMessage | undefined
}

export interface TargetMessage {
  readonly author: string
  readonly text: string
  /** What came with it; left out when that was nothing. */
  readonly files?: readonly OfferedFile[]
}

/** A button of a command's reply that its user pressed. */
interface Press {
  readonly conversation: ConversationKey
  /** What `customId` was made of, the command's name left out. */
  readonly words: readonly string[]
}

/** What only the user of a command gets to see. */
export interface Reply {
  readonly content: string
  readonly buttons?: readonly APIButtonComponent[]
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

/** A command whose reply is for its user alone. */
export interface PrivateCommand {
  readonly type: 'private'
  readonly definition: RESTPostAPIApplicationCommandsJSONBody
  readonly reply: (call: CommandCall) => Reply | Promise<Reply>
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

/** A row of buttons; none when there are no buttons. */
export function rowOf(buttons: readonly APIButtonComponent[] = []): APIActionRowComponent<APIButtonComponent>[] {
  return buttons.length === 0 ? [] : [{ type: 1, components: [...buttons] }]
}
