import type {
  Attachment,
  AutocompleteInteraction,
  ButtonInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageContextMenuCommandInteraction,
  REST,
  StringSelectMenuInteraction,
} from 'discord.js'
import { PermissionFlagsBits } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { DiscordAsker } from '#discord/access-check.ts'
import { acknowledge, DEFER_PRIVATE, DEFER_UPDATE } from '#discord/acknowledge.ts'
import type { DirectConversations } from '#discord/direct-conversations.ts'
import type { AskedRequest } from '#discord/intake.ts'
import type { ReceivedInteraction } from '#discord/interaction-target.ts'
import { rolesOf } from '#discord/member-roles.ts'
import type { OfferedFile } from '#discord/offered-file.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import { errorCode, errorMessage } from '#domain/errors.ts'
import { failureNotice } from '#domain/notices.ts'
import { DIRECT_SERVER_ID } from '#domain/request.ts'
import {
  type Command,
  type CommandCall,
  type PrivateCommand,
  type QuestionCommand,
  type Reply,
  readCustomId,
  type Whereabouts,
} from './command.ts'
import { conversationServer, mayWrite } from './conversation-place.ts'
import { showReply } from './private-reply.ts'
import { suggestChoices } from './suggest-choices.ts'
import { readTarget } from './target-message.ts'

/** A question that was asked with a command; its interaction has been acknowledged, or cannot be any more. */
export interface AskedQuestion {
  readonly request: AskedRequest
  readonly asker: DiscordAsker
  readonly interaction: Omit<ReceivedInteraction, 'applicationId' | 'botId'>
}

export interface RouterOptions {
  readonly commands: readonly Command[]
  readonly rest: REST
  readonly direct: Pick<DirectConversations, 'current'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** Tells whether an interaction is new, and remembers it. */
  readonly isNew: (interactionId: string) => boolean
  readonly ask: (asked: AskedQuestion) => Promise<void>
}

type CommandInteraction = ChatInputCommandInteraction | MessageContextMenuCommandInteraction

type PressInteraction = ButtonInteraction | StringSelectMenuInteraction

type AnyInteraction = CommandInteraction | PressInteraction

/** Brings interactions to the commands. Each is acknowledged at once, before anything that could take its time. */
export class CommandRouter {
  readonly #options: RouterOptions
  readonly #commands: ReadonlyMap<string, Command>
  readonly #working = new Set<Promise<void>>()

  constructor(options: RouterOptions) {
    this.#options = options
    this.#commands = new Map(options.commands.map((command) => [command.definition.name, command]))
  }

  /** Does what somebody asked for, if that is one of the commands or a button of one. */
  handle(interaction: Interaction): void {
    const work = this.#dispatch(interaction)
    if (!work) return
    const followed: Promise<void> = work
      .catch((error: unknown) => {
        this.#options.log.error({ error: errorMessage(error) }, 'a command could not be dealt with')
      })
      .finally(() => this.#working.delete(followed))
    this.#working.add(followed)
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#working)
  }

  #dispatch(interaction: Interaction): Promise<void> | undefined {
    if (interaction.isChatInputCommand() || interaction.isMessageContextMenuCommand()) {
      const command = this.#commands.get(interaction.commandName)
      if (!command || !this.#options.isNew(interaction.id)) return undefined
      return command.type === 'question' ? this.#ask(command, interaction) : this.#run(command, interaction)
    }
    if (interaction.isAutocomplete()) return this.#suggest(interaction)
    if (!interaction.isButton() && !interaction.isStringSelectMenu()) return undefined
    const command = this.#commands.get(readCustomId(interaction.customId).command)
    const pressed = command?.type === 'private' ? command.pressed : undefined
    return pressed && this.#options.isNew(interaction.id) ? this.#press(pressed, interaction) : undefined
  }

  /** What comes too late is of no use, so it is tried once. */
  async #suggest(interaction: AutocompleteInteraction): Promise<void> {
    const command = this.#commands.get(interaction.commandName)
    if (command?.type !== 'private' || !command.suggest) return
    const choices = await command.suggest({ userId: interaction.user.id, text: interaction.options.getFocused() })
    await suggestChoices(this.#options.rest, interaction, choices)
  }

  async #ask(command: QuestionCommand, interaction: CommandInteraction): Promise<void> {
    const { clock, rest, log, ask } = this.#options
    const { id, token, channelId } = interaction
    const receivedAt = clock.now()
    const acknowledged = await acknowledge(rest, interaction, log)
    const call = this.#readCall(interaction)
    const offered = command.files?.(call) ?? []
    const request: AskedRequest = {
      ...call.conversation,
      channelId,
      message: command.question(call),
      discordMessageId: id,
      interactionToken: token,
      ...(offered.length > 0 && { offered }),
    }
    const asker = {
      userId: interaction.user.id,
      guildId: interaction.guildId,
      channelId,
      roleIds: rolesOf(interaction.member),
    }
    await ask({ request, asker, interaction: { id, token, channelId, receivedAt, acknowledged } })
  }

  async #run({ reply }: PrivateCommand, interaction: CommandInteraction): Promise<void> {
    const { rest, log } = this.#options
    if (!(await acknowledge(rest, interaction, log, DEFER_PRIVATE))) return
    await this.#show(interaction, () => reply(this.#readCall(interaction)))
  }

  /** What was not acknowledged is not done: its user is told by Discord that it failed, and presses again. */
  async #press(pressed: NonNullable<PrivateCommand['pressed']>, interaction: PressInteraction): Promise<void> {
    const { rest, log } = this.#options
    if (!(await acknowledge(rest, interaction, log, DEFER_UPDATE))) return
    const { words } = readCustomId(interaction.customId)
    const values = interaction.isStringSelectMenu() ? interaction.values : []
    await this.#show(interaction, () => pressed({ ...this.#whereabouts(interaction), words, values }))
  }

  /** A command that fails says so. */
  async #show(interaction: AnyInteraction, work: () => Reply | Promise<Reply>): Promise<void> {
    const { rest, log } = this.#options
    try {
      await showReply(rest, interaction, await work())
    } catch (error) {
      const code = errorCode(error)
      log.error({ code, interactionId: interaction.id, error: errorMessage(error) }, 'a command failed')
      const content = failureNotice({ message: FAILED, code: code ?? 'COMMAND_FAILED' })
      await showReply(rest, interaction, { content })
    }
  }

  #readCall(interaction: CommandInteraction): CommandCall {
    const roleIds = rolesOf(interaction.member)
    const whereabouts = { ...this.#whereabouts(interaction), roleIds, botMayWrite: mayWrite(interaction) }
    if (interaction.isChatInputCommand()) {
      const { options } = interaction
      const option = (name: string) => textOf(options.get(name)?.value)
      const file = (name: string) => offeredFile(options.getAttachment(name))
      return { ...whereabouts, subcommand: options.getSubcommand(false) ?? undefined, option, file, target: undefined }
    }
    const target = readTarget(interaction.targetMessage)
    return { ...whereabouts, subcommand: undefined, option: () => undefined, file: () => undefined, target }
  }

  #whereabouts(interaction: AnyInteraction): Whereabouts {
    const conversation = { userId: interaction.user.id, serverId: conversationServer(interaction) }
    const { guildId, memberPermissions } = interaction
    const isManager = memberPermissions?.has(PermissionFlagsBits.ManageGuild) ?? false
    return {
      conversation,
      guildId,
      channelId: interaction.channelId,
      mayManageServer: guildId !== null && isManager,
      here: () => this.#here(conversation),
    }
  }

  async #here(conversation: ConversationKey): ReturnType<Whereabouts['here']> {
    if (conversation.serverId !== DIRECT_SERVER_ID) return { ...conversation, serverName: undefined }
    const current = await this.#options.direct.current(conversation.userId)
    if ('refusal' in current) return current
    const { server } = current
    return { ...conversation, serverName: server?.name, ...(server && { serverId: server.id }) }
  }
}

const FAILED = 'That did not work just now. Please try it again in a minute.'

function textOf(value: string | number | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function offeredFile(attachment: Attachment | null): OfferedFile | undefined {
  return attachment ? { name: attachment.name, sizeBytes: attachment.size, url: attachment.url } : undefined
}
