import { invalidForm, refusal } from './api-error.ts'
import { FormErrors } from './form-errors.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'

const MAX_COMMANDS = 100
const MAX_OPTIONS = 25
const MAX_CHOICES = 25
const CHAT_INPUT = 1
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u

/** Where a command or interaction is used: a server, the direct messages with the bot, other private channels. */
export const CONTEXT = { guild: 0, botDm: 1, privateChannel: 2 } as const

interface CommandForm {
  readonly name?: unknown
  readonly type?: unknown
  readonly description?: unknown
  readonly options?: unknown
  readonly contexts?: unknown
  readonly dm_permission?: unknown
  readonly default_member_permissions?: unknown
}

/** A parameter of a command. */
export interface CommandOption {
  readonly name?: unknown
  readonly type?: unknown
  readonly required?: unknown
  readonly description?: unknown
  readonly max_length?: unknown
  readonly choices?: unknown
  readonly autocomplete?: unknown
  /** Of a subcommand. */
  readonly options?: unknown
}

/** A registered command as Discord shows it. */
export interface Command extends JsonObject {
  readonly id: string
  readonly application_id: string
  readonly guild_id?: string
  readonly name: string
  readonly type: number
  readonly description: string
  readonly options: readonly CommandOption[]
  readonly contexts: readonly number[] | null
  readonly default_member_permissions: string | null
}

/** The slash commands of the application, global ones and those of guilds. */
export class Commands {
  readonly #applicationId: string
  readonly #newId: () => string
  #commands: Command[] = []

  constructor(applicationId: string, newId: () => string) {
    this.#applicationId = applicationId
    this.#newId = newId
  }

  list(guildId?: string): Command[] {
    return this.#commands.filter((command) => command.guild_id === guildId)
  }

  get(id: string, guildId?: string): Command {
    const command = this.list(guildId).find((candidate) => candidate.id === id)
    if (!command) throw refusal('unknownCommand')
    return command
  }

  /** Replaces all commands of a scope; same names keep their ids. */
  replaceAll(forms: unknown, guildId?: string): Command[] {
    if (!Array.isArray(forms))
      throw invalidForm({ _errors: [{ code: 'LIST_TYPE_CONVERT', message: 'Expected a list.' }] })
    const errors = new FormErrors()
    if (forms.length > MAX_COMMANDS) errors.add('commands', 'MAX_COMMANDS', `At most ${MAX_COMMANDS} commands.`)
    for (const [index, form] of forms.entries()) checkCommand(isObject(form) ? form : {}, `${index}.`, errors)
    checkNames(objectsIn(forms), errors)
    errors.check()
    const made = objectsIn(forms).map((form) => this.#make(form, guildId))
    this.#commands = [...this.#commands.filter((command) => command.guild_id !== guildId), ...made]
    return made
  }

  /** Adds a command, or replaces the one of the same name. */
  upsert(form: JsonObject, guildId?: string): Command {
    const errors = new FormErrors()
    checkCommand(form, '', errors)
    errors.check()
    const made = this.#make(form, guildId)
    this.#commands = [...this.#commands.filter((command) => command.id !== made.id), made]
    return made
  }

  delete(id: string, guildId?: string): void {
    const command = this.get(id, guildId)
    this.#commands = this.#commands.filter((candidate) => candidate !== command)
  }

  /** The command a user finds under a name in a place. */
  find(name: string, guildId: string | null): Command | undefined {
    const context = guildId === null ? CONTEXT.botDm : CONTEXT.guild
    return this.#commands.find(
      (command) =>
        command.name === name &&
        (command.guild_id === undefined || command.guild_id === guildId) &&
        (command.contexts === null || command.contexts.includes(context)),
    )
  }

  #make(form: JsonObject, guildId?: string): Command {
    const { name, type, description, options, contexts, dm_permission }: CommandForm = form
    const { default_member_permissions: permissions }: CommandForm = form
    const same = this.list(guildId).find((command) => command.name === name && command.type === (type ?? CHAT_INPUT))
    const places = Array.isArray(contexts) ? contexts.filter((context) => typeof context === 'number') : null
    return {
      nsfw: false,
      integration_types: [0],
      ...form,
      id: same?.id ?? this.#newId(),
      application_id: this.#applicationId,
      version: this.#newId(),
      name: String(name),
      type: typeof type === 'number' ? type : CHAT_INPUT,
      default_member_permissions: typeof permissions === 'string' ? permissions : null,
      description: typeof description === 'string' ? description : '',
      options: objectsIn(options),
      contexts: places ?? (dm_permission === false ? [CONTEXT.guild] : null),
      ...(guildId === undefined ? {} : { guild_id: guildId }),
    }
  }
}

function checkCommand(form: CommandForm, prefix: string, errors: FormErrors): void {
  const isChatInput = form.type === undefined || form.type === CHAT_INPUT
  checkName(form.name, `${prefix}name`, isChatInput, errors)
  errors.text(`${prefix}description`, form.description, 100, isChatInput ? 1 : 0)
  const permissions = form.default_member_permissions
  const isGiven = permissions !== undefined && permissions !== null
  if (isGiven && !(typeof permissions === 'string' && /^\d+$/.test(permissions))) {
    errors.add(`${prefix}default_member_permissions`, 'BASE_TYPE_BAD_INT', 'Value is not a bit set.')
  }
  checkOptions(form.options, prefix, errors)
}

function checkOptions(options: unknown, prefix: string, errors: FormErrors): void {
  errors.list(`${prefix}options`, options, MAX_OPTIONS)
  let optionalSeen = false
  for (const [index, option] of objectsIn(options).entries()) {
    const { name, description, type, required, choices, options: parts }: CommandOption = option
    checkOptions(parts, `${prefix}options.${index}.`, errors)
    checkChoices(choices, `${prefix}options.${index}.choices`, errors)
    checkName(name, `${prefix}options.${index}.name`, true, errors)
    errors.text(`${prefix}options.${index}.description`, description, 100, 1)
    if (typeof type !== 'number')
      errors.add(`${prefix}options.${index}.type`, 'BASE_TYPE_REQUIRED', 'This field is required')
    if (required === true && optionalSeen) {
      errors.add(
        `${prefix}options.${index}`,
        'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
        'Required options must be placed before non-required options',
      )
    }
    optionalSeen ||= required !== true
  }
}

function checkChoices(choices: unknown, path: string, errors: FormErrors): void {
  errors.list(path, choices, MAX_CHOICES)
  for (const [index, { name, value }] of objectsIn(choices).entries()) {
    errors.text(`${path}.${index}.name`, name, 100, 1)
    if (typeof value !== 'number') errors.text(`${path}.${index}.value`, value, 100)
  }
}

function checkName(name: unknown, path: string, isChatInput: boolean, errors: FormErrors): void {
  errors.text(path, name, 32, 1)
  if (isChatInput && typeof name === 'string' && (!NAME.test(name) || name !== name.toLowerCase())) {
    errors.add(path, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid')
  }
}

function checkNames(forms: readonly CommandForm[], errors: FormErrors): void {
  const seen = new Set<string>()
  for (const [index, { name, type }] of forms.entries()) {
    const key = JSON.stringify([type ?? CHAT_INPUT, name])
    if (seen.has(key))
      errors.add(`${index}`, 'APPLICATION_COMMANDS_DUPLICATE_NAME', 'Application command names must be unique')
    seen.add(key)
  }
}
