import type { Changes } from './changes.ts'
import { type OptionValues, optionsOf } from './command-options.ts'
import type { Command, CommandOption, Commands } from './commands.ts'
import { findButton } from './component-rules.ts'
import { type Attachment, currentRevision, type Message, type User } from './entities.ts'
import type { FileStore, SentFile } from './file-store.ts'
import type { Interaction, Interactions } from './interactions.ts'
import { type JsonObject, objectsIn } from './json.ts'
import { optionsOfMenu } from './menu-rules.ts'
import type { MessageParts } from './message-draft.ts'
import { permissionsOf } from './permissions.ts'
import { plainParts, type World } from './world.ts'

/** An interaction a test has started. */
export interface StartedInteraction {
  readonly id: string
  readonly token: string
}

export interface DmOptions {
  /** How often the same MESSAGE_CREATE is sent again right away; 0. */
  readonly replay?: number
  /** Discord's message type, for system messages; 0. */
  readonly type?: number
  readonly replyTo?: string
  readonly files?: readonly SentFile[]
}

export interface GuildMessage {
  readonly channelId: string
  readonly userId: string
  readonly content: string
  /** Puts a mention of the bot in front, unless the content has one. */
  readonly mentionsBot?: boolean
  /** Sends it as a webhook does: `webhook_id` set, the author a bot, no member. */
  readonly asWebhook?: boolean
  readonly replyTo?: string
  readonly files?: readonly SentFile[]
}

export interface CommandRun {
  readonly userId: string
  /** The direct channel with the bot when it is left out. */
  readonly channelId?: string
  readonly name: string
  /** The word after the name, of a command that has some. */
  readonly subcommand?: string
  readonly options?: OptionValues
  /** The guild has opened the command for everybody, whatever its `default_member_permissions`. */
  readonly openedForAll?: boolean
  /** Files for options that take some. */
  readonly files?: Readonly<Record<string, SentFile>>
  /** Sends it though no such command is registered, as an outdated client does. */
  readonly unregistered?: boolean
}

export interface OptionTyping {
  readonly userId: string
  readonly name: string
  readonly subcommand?: string
  /** The option that is being typed, and what is there so far. */
  readonly option: string
  readonly text: string
}

export interface MessageCommandRun {
  readonly userId: string
  readonly messageId: string
  readonly name: string
}

export interface ButtonPress {
  readonly userId: string
  readonly messageId: string
  readonly customId: string
}

export interface OptionChoice extends ButtonPress {
  readonly values: readonly string[]
}

const MESSAGE_COMMAND = 3

interface PeopleOptions {
  readonly world: World
  readonly commands: Commands
  readonly interactions: Interactions
  readonly changes: Changes
  readonly files: FileStore
}

/** Plays the users of Discord: who they are, where they meet, what they write, run and press. */
export class People {
  readonly #world: World
  readonly #commands: Commands
  readonly #interactions: Interactions
  readonly #changes: Changes
  readonly #files: FileStore

  constructor({ world, commands, interactions, changes, files }: PeopleOptions) {
    this.#world = world
    this.#commands = commands
    this.#interactions = interactions
    this.#changes = changes
    this.#files = files
  }

  addUser(user: { readonly username: string; readonly bot?: boolean }): string {
    return this.#world.addUser(user.username, user.bot).id
  }

  addGuild(name: string): string {
    return this.#world.addGuild(name).id
  }

  addGuildChannel(guildId: string, name: string): string {
    return this.#world.addGuildChannel(this.#world.guild(guildId), name).id
  }

  /** Makes a user a member of a guild. */
  addMember(guildId: string, userId: string): void {
    this.#joined(userId, guildId)
  }

  /** Lets a user, or the bot itself, leave a guild. */
  removeMember(guildId: string, userId: string): void {
    this.#world.guild(guildId).memberIds.delete(userId)
  }

  /** Gives a member a role of their own; returns its id. */
  giveRole(guildId: string, userId: string): string {
    const roleId = this.#world.newId()
    const { roles } = this.#world.guild(guildId)
    roles.set(this.#joined(userId, guildId).id, [...(roles.get(userId) ?? []), roleId])
    return roleId
  }

  /** Lets a member manage the guild. */
  addManager(guildId: string, userId: string): void {
    this.#world.guild(guildId).managerIds.add(this.#joined(userId, guildId).id)
  }

  /** Starts a public thread in a channel of a guild. */
  addThread(channelId: string, name: string): string {
    const parent = this.#guildChannel(channelId)
    return this.#world.addGuildChannel(this.#world.guild(parent.guildId), name, parent.id).id
  }

  /** The channel id of a user's direct messages with the bot. */
  openDm(userId: string): string {
    return this.#world.openDm(this.#world.user(userId)).id
  }

  /** Writes to the bot; returns the message id. */
  sendDm(userId: string, content: string, options: DmOptions = {}): string {
    const author = this.#world.user(userId)
    const { replay = 0, type, replyTo, files } = options
    const channel = this.#world.openDm(author)
    const message = this.#world.createMessage({
      channel,
      author,
      parts: this.#partsOf(content, files),
      referenceId: replyTo ?? null,
      ...(type === undefined ? {} : { type }),
    })
    for (let sent = 0; sent < replay; sent++) this.#world.replayMessage(message)
    return message.id
  }

  /** Writes in a server; returns the message id. */
  sendGuildMessage(sent: GuildMessage): string {
    const channel = this.#guildChannel(sent.channelId)
    const author = this.#joined(sent.userId, channel.guildId)
    const mention = `<@${this.#world.botUser.id}>`
    const content = sent.mentionsBot && !sent.content.includes(mention) ? `${mention} ${sent.content}` : sent.content
    return this.#world.createMessage({
      channel,
      author: sent.asWebhook ? { ...author, bot: true } : author,
      parts: this.#partsOf(content, sent.files),
      referenceId: sent.replyTo ?? null,
      webhookId: sent.asWebhook ? this.#world.newId() : null,
    }).id
  }

  /** Sends the MESSAGE_CREATE of a message again, as the gateway sometimes does. */
  replayMessage(messageId: string): void {
    this.#world.replayMessage(this.#anyMessage(messageId))
  }

  /** Edits a person's message. */
  editUserMessage(messageId: string, content: string): void {
    this.#world.editMessage(this.#anyMessage(messageId), plainParts(content))
  }

  /** Deletes any message, as its author or a moderator does. */
  deleteMessage(messageId: string): void {
    this.#world.deleteMessage(this.#anyMessage(messageId))
  }

  /** Runs a slash command as a user. Throws when the user could not have done so. */
  runCommand(run: CommandRun): StartedInteraction {
    const channelId = run.channelId ?? this.openDm(run.userId)
    const channel = this.#world.channel(channelId)
    const guildId = channel.kind === 'guild' ? channel.guildId : null
    const command = run.unregistered ? undefined : this.#commands.find(run.name, guildId)
    if (!command && !run.unregistered) throw new Error(`No command /${run.name} is registered for this place.`)
    this.#checkMayRun(command, run, guildId)
    const files = this.#attach(run.files)
    const ids = Object.fromEntries(Object.entries(files).map(([option, { id }]) => [option, id]))
    const options = optionsOf(command, { ...run.options, ...ids }, run.subcommand)
    const resolved = { attachments: Object.fromEntries(Object.values(files).map((file) => [file.id, file])) }
    const data = { id: command?.id ?? this.#world.newId(), name: run.name, type: 1, options, resolved }
    const user = guildId === null ? this.#world.user(run.userId) : this.#joined(run.userId, guildId)
    return this.#start({ type: 2, user, channel, data, commandName: run.name, source: null })
  }

  /** Types an option of a command in direct messages. Throws when it suggests nothing. */
  typeOption({ userId, name, subcommand, option, text }: OptionTyping): StartedInteraction {
    const command = this.#commands.find(name, null)
    const words: readonly CommandOption[] = command?.options ?? []
    const part = words.find((word) => word.name === subcommand)
    const declared: readonly CommandOption[] = part ? objectsIn(part.options) : words
    const known = declared.find((candidate) => candidate.name === option)
    if (known?.autocomplete !== true) throw new Error(`/${name} suggests nothing for ${option}.`)
    const typed = [{ name: option, type: 3, value: text, focused: true }]
    const options = part ? [{ name: subcommand, type: 1, options: typed }] : typed
    const data = { id: command?.id ?? '', name, type: 1, options }
    const channel = this.#world.channel(this.openDm(userId))
    return this.#start({ type: 4, user: this.#world.user(userId), channel, data, commandName: name, source: null })
  }

  /** Runs a command of a message's menu as a user. Throws when the user could not have done so. */
  runMessageCommand({ userId, messageId, name }: MessageCommandRun): StartedInteraction {
    const { channel } = this.#anyMessage(messageId)
    const guildId = channel.kind === 'guild' ? channel.guildId : null
    const command = this.#commands.find(name, guildId)
    if (command?.type !== MESSAGE_COMMAND) throw new Error(`No command ${name} is registered for messages here.`)
    const user = guildId === null ? this.#world.user(userId) : this.#joined(userId, guildId)
    const data = { id: command.id, name, type: MESSAGE_COMMAND, target_id: messageId }
    return this.#start({ type: 2, user, channel, data, commandName: name, source: null })
  }

  /** Presses a button of a message as a user. Throws when there is no such button to press. */
  pressButton({ userId, messageId, customId }: ButtonPress): StartedInteraction {
    const source = this.#anyMessage(messageId)
    const button = findButton(currentRevision(source).components, customId)
    if (!button) throw new Error(`Message ${messageId} has no button ${customId} that can be pressed.`)
    return this.#useComponent(source, userId, { component_type: 2, custom_id: customId, id: 1 })
  }

  /** Chooses options of a message's select menu as a user. Throws when the menu does not offer them. */
  chooseOptions({ userId, messageId, customId, values }: OptionChoice): StartedInteraction {
    const source = this.#anyMessage(messageId)
    const offered = optionsOfMenu(currentRevision(source).components, customId)
    if (!offered || values.some((value) => !offered.includes(value))) {
      throw new Error(`Message ${messageId} has no menu ${customId} that offers ${values.join(', ')}.`)
    }
    return this.#useComponent(source, userId, { component_type: 3, custom_id: customId, id: 1, values })
  }

  /** Sends the INTERACTION_CREATE of an interaction again. */
  replayInteraction(token: string): void {
    this.#changes.announce({ type: 'interactionCreated', interaction: this.#interactions.get(token) })
  }

  #useComponent(source: Message, userId: string, data: JsonObject): StartedInteraction {
    const user = this.#world.user(userId)
    return this.#start({ type: 3, user, channel: source.channel, data, commandName: null, source })
  }

  #start(wanted: Omit<Parameters<Interactions['add']>[0], 'id'>): StartedInteraction {
    const interaction: Interaction = this.#interactions.add({ id: this.#world.newId(), ...wanted })
    this.#changes.announce({ type: 'interactionCreated', interaction })
    return { id: interaction.id, token: interaction.token }
  }

  /** Discord's client does not show a command to members without the permissions it asks for. */
  #checkMayRun(command: Command | undefined, { userId, name, openedForAll }: CommandRun, guildId: string | null): void {
    const asked = command?.default_member_permissions ?? null
    if (asked === null || openedForAll === true || guildId === null) return
    const has = BigInt(permissionsOf(this.#world.guild(guildId), userId))
    if ((BigInt(asked) & has) !== BigInt(asked)) throw new Error(`/${name} is not shown to user ${userId}.`)
  }

  /** The files of a command's options, by option. */
  #attach(files: CommandRun['files'] = {}): Record<string, Attachment> {
    const attached = Object.entries(files).map(([option, file]) => [option, this.#files.add(file, this.#world.newId())])
    return Object.fromEntries(attached)
  }

  #partsOf(content: string, files: readonly SentFile[] = []): MessageParts {
    const attachments = files.map((file) => this.#files.add(file, this.#world.newId()))
    return { ...plainParts(content), attachments }
  }

  #guildChannel(channelId: string) {
    const channel = this.#world.channel(channelId)
    if (channel.kind !== 'guild') throw new Error(`Channel ${channelId} belongs to no guild.`)
    return channel
  }

  /** A user, who becomes a member of the guild if need be. */
  #joined(userId: string, guildId: string): User {
    const user = this.#world.user(userId)
    this.#world.guild(guildId).memberIds.add(user.id)
    return user
  }

  #anyMessage(messageId: string): Message {
    const message = this.#world.findMessage(messageId)
    if (!message) throw new Error(`There is no message ${messageId}.`)
    return message
  }
}
