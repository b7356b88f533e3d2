import {
  type APIButtonComponent,
  type APIEmbed,
  ApplicationCommandOptionType,
  ApplicationIntegrationType,
  ButtonStyle,
  ChannelType,
  ComponentType,
  InteractionContextType,
  PermissionFlagsBits,
} from 'discord.js'
import type { ServerSettingsBook } from '#discord/server-settings-book.ts'
import { isOffered, type ModelChoices } from '#domain/briefing.ts'
import { readPersona } from '#domain/persona.ts'
import {
  MOST_LISTED,
  SERVER_SETTINGS,
  type ServerSetting,
  type ServerSettings,
  type SettingChange,
} from '#domain/server-settings.ts'
import type { AuditEntry, ServerRecordsApi } from '#protocol/server-records.ts'
import { beginningOf } from './beginning-of.ts'
import { type CommandCall, customId, type PrivateCommand, type Reply, slashCommand } from './command.ts'
import { modelOption, notOffered } from './model.ts'
import { PERSONA_OPTION, PERSONA_UNUSABLE } from './persona.ts'
import { subcommand } from './subcommand.ts'
import { timeAgo } from './timestamps.ts'

const NAME = 'settings'
const EVERYTHING = 'everything'
const KEEP = 'keep'
const SHOWN_CHANGES = 10
const SHOWN_PERSONA = 300
const SHOWN_VALUE = 60
const SHOWN_IDS = 3

/** Where people write; what holds in a channel holds in its threads. */
const CHANNEL_TYPES = [
  ChannelType.GuildText,
  ChannelType.GuildVoice,
  ChannelType.GuildAnnouncement,
  ChannelType.GuildStageVoice,
  ChannelType.GuildForum,
  ChannelType.GuildMedia,
] as const

export interface SettingsOptions {
  readonly records: Pick<ServerRecordsApi, 'serverAudit'>
  readonly serverSettings: ServerSettingsBook
  readonly models: ModelChoices
}

const NOT_ALLOWED =
  'The settings of a server are for those who may manage it, and only in the server itself. Nothing was changed.'

/** `/settings`: what those who manage a server set for everybody there. */
export function settingsCommand(options: SettingsOptions): PrivateCommand {
  return {
    type: 'private',
    definition: definitionFor(options.models),
    // Discord hides the command from others, unless the server has said otherwise, and its buttons from nobody.
    reply: (call) => (call.mayManageServer ? answer(options, call) : { content: NOT_ALLOWED }),
    pressed: async ({ conversation: { serverId, userId }, words: [choice], mayManageServer }) => {
      if (!mayManageServer) return { content: NOT_ALLOWED }
      const settings = namesOf(choice)
      if (settings.length === 0) return { content: 'Nothing was changed.' }
      return apply(options, serverId, userId, { type: 'reset', settings })
    },
  }
}

function definitionFor(models: ModelChoices) {
  const what = {
    type: ApplicationCommandOptionType.String as const,
    name: 'what',
    description: 'What is to be reset.',
    required: true,
    choices: [...SERVER_SETTINGS, EVERYTHING].map((value) => ({ name: value, value })),
  }
  const definition = slashCommand({
    name: NAME,
    description: 'What holds for everybody in this server; for those who may manage it.',
    options: [
      subcommand('show', 'What is set, and who changed it last.'),
      subcommand('persona', 'How Parley is to talk in this server.', [PERSONA_OPTION]),
      subcommand('model', 'Which model answers in this server.', [modelOption(models, 'The model.', true)]),
      subcommand('channels', 'In which channels Parley may be asked; all unless you name some.', [
        channelOption('add', 'A channel it may be asked in, threads included.'),
        channelOption('remove', 'A channel to take off the list.'),
      ]),
      subcommand('roles', 'Which roles may ask; everybody unless you name some.', [
        roleOption('add', 'A role that may ask.'),
        roleOption('remove', 'A role to take off the list.'),
      ]),
      subcommand('reset', 'Go back to how it is without settings.', [what]),
    ],
  })
  return {
    ...definition,
    integration_types: [ApplicationIntegrationType.GuildInstall],
    contexts: [InteractionContextType.Guild],
    default_member_permissions: String(PermissionFlagsBits.ManageGuild),
  }
}

function channelOption(name: string, description: string) {
  return { type: ApplicationCommandOptionType.Channel as const, name, description, channel_types: [...CHANNEL_TYPES] }
}

function roleOption(name: string, description: string) {
  return { type: ApplicationCommandOptionType.Role as const, name, description }
}

async function answer(options: SettingsOptions, call: CommandCall): Promise<Reply> {
  const { serverId, userId } = call.conversation
  const word = call.subcommand ?? 'show'
  switch (word) {
    case 'persona': {
      const value = readPersona(call.option('text') ?? '')
      if (value === undefined) return { content: PERSONA_UNUSABLE }
      return apply(options, serverId, userId, { type: 'set', setting: 'persona', value })
    }
    case 'model': {
      const value = call.option('name') ?? ''
      if (!isOffered(options.models, value)) return { content: notOffered(options.models) }
      return apply(options, serverId, userId, { type: 'set', setting: 'model', value })
    }
    case 'channels':
    case 'roles':
      return changeList(options, call, word)
    case 'reset':
      return confirmation(call.option('what'))
    default:
      return overview(options, serverId)
  }
}

async function changeList(
  options: SettingsOptions,
  { conversation: { serverId, userId }, option }: CommandCall,
  setting: 'channels' | 'roles',
): Promise<Reply> {
  const [add, remove] = [option('add'), option('remove')]
  if (add === undefined && remove === undefined) {
    return { content: `Say which of the ${setting} to add or to remove. Nothing was changed.` }
  }
  // Nobody carries the role of everybody, so it would let in nobody.
  if (setting === 'roles' && add === serverId) {
    return { content: 'Everybody may ask while no role is named: reset the roles for that. Nothing was changed.' }
  }
  return apply(options, serverId, userId, { type: 'list', setting, add, remove })
}

async function apply(
  options: SettingsOptions,
  serverId: string,
  userId: string,
  change: SettingChange,
): Promise<Reply> {
  const { type, settings } = await options.serverSettings.change(serverId, userId, change)
  if (type === 'full') {
    return { content: `A server can name ${MOST_LISTED} at most. Nothing was changed; remove one first.` }
  }
  const said = type === 'changed' ? 'Changed; it holds from the next question on.' : 'It was like that already.'
  return { content: [said, ...describe(settings, options.models)].join('\n') }
}

function namesOf(choice: string | undefined): readonly ServerSetting[] {
  return choice === EVERYTHING ? SERVER_SETTINGS : SERVER_SETTINGS.filter((name) => name === choice)
}

function confirmation(choice: string | undefined): Reply {
  const settings = namesOf(choice)
  if (settings.length === 0) return { content: 'Say what is to be reset. Nothing was changed.' }
  const buttons = [button('Reset', ButtonStyle.Danger, choice ?? KEEP), button('Keep', ButtonStyle.Secondary, KEEP)]
  return { content: `This resets what is set for this server: ${settings.join(', ')}.`, buttons }
}

function button(label: string, style: ButtonStyle.Danger | ButtonStyle.Secondary, choice: string): APIButtonComponent {
  return { type: ComponentType.Button, style, label, custom_id: customId(NAME, choice) }
}

async function overview({ records, serverSettings, models }: SettingsOptions, serverId: string): Promise<Reply> {
  const settings = await serverSettings.of(serverId)
  const changes = await records.serverAudit(serverId, SHOWN_CHANGES)
  const content = ['**What is set for this server:**', ...describe(settings, models), HOLDS].join('\n')
  return { content, embeds: changes.length === 0 ? [] : [audit(changes)] }
}

const HOLDS =
  '-# It holds for everybody here. Where nothing is set, each person’s own `/persona` and `/model` do. Who runs this bot can keep out more people and channels.'

function describe({ persona, model, channels, roles }: ServerSettings, models: ModelChoices): string[] {
  const withdrawn = model !== null && !isOffered(models, model) ? ', which is not offered any more' : ''
  return [
    `**Persona:** ${persona === null ? 'none' : beginningOf(persona, SHOWN_PERSONA)}`,
    `**Model:** ${model === null ? 'as each person has chosen' : `\`${model}\`${withdrawn}`}`,
    `**Channels:** ${channels.length === 0 ? 'all' : channels.map((id) => MENTIONS.channels(id)).join(' ')}`,
    `**Roles that may ask:** ${roles.length === 0 ? 'everybody' : roles.map((id) => MENTIONS.roles(id)).join(' ')}`,
  ]
}

const MENTIONS = {
  channels: (id: string) => `<#${id}>`,
  roles: (id: string) => `<@&${id}>`,
} as const

function audit(changes: readonly AuditEntry[]): APIEmbed {
  const lines = changes.map(
    ({ userId, at, what, before, after }) =>
      `${timeAgo(at)} <@${userId}> · ${what}: ${shown(what, before)} → ${shown(what, after)}`,
  )
  return { title: 'Last changes', description: lines.join('\n') }
}

function shown(what: ServerSetting, value: string | null): string {
  if (value === null) return 'nothing'
  if (what === 'persona' || what === 'model') return `“${beginningOf(value, SHOWN_VALUE)}”`
  const ids = value.split(', ')
  const more = ids.length > SHOWN_IDS ? ` and ${ids.length - SHOWN_IDS} more` : ''
  return `${ids.slice(0, SHOWN_IDS).map(MENTIONS[what]).join(' ')}${more}`
}
