import type { Command, CommandOption } from './commands.ts'
import { lengthOf, objectsIn } from './json.ts'

/** What a user typed into the fields of a command. */
export type OptionValues = Readonly<Record<string, string | number | boolean>>

const SUBCOMMAND = 1
const STRING = 3
const INTEGER = 4
const BOOLEAN = 5
const NUMBER = 10

/** The options of an interaction; throws what Discord's client would not let the user send. */
export function optionsOf(
  command: Pick<Command, 'name' | 'options'> | undefined,
  values: OptionValues,
  subcommand?: string,
): unknown[] {
  const declared = command?.options ?? []
  const words = declared.filter(({ type }) => type === SUBCOMMAND)
  if (subcommand !== undefined) {
    const word = words.find(({ name }) => name === subcommand)
    if (command && !word) throw new Error(`/${command.name} has no subcommand ${subcommand}.`)
    const part = command && { name: `${command.name} ${subcommand}`, options: objectsIn(word?.options) }
    return [{ name: subcommand, type: SUBCOMMAND, options: optionsOf(part, values) }]
  }
  if (words.length > 0) throw new Error(`/${command?.name} cannot be sent without a subcommand.`)
  const missing = declared.filter(({ name, required }) => required === true && !(String(name) in values))
  if (missing.length > 0)
    throw new Error(`/${command?.name} cannot be sent without ${missing.map(({ name }) => name).join(', ')}.`)
  return Object.entries(values).map(([name, value]) => {
    const option = declared.find((candidate) => candidate.name === name)
    if (command && !option) throw new Error(`/${command.name} has no option ${name}.`)
    checkLength(option, value)
    checkChoice(option, value)
    return { name, value, type: option?.type ?? typeOf(value) }
  })
}

function checkLength(option: CommandOption | undefined, value: unknown): void {
  const maximum = option?.max_length
  if (typeof maximum === 'number' && typeof value === 'string' && lengthOf(value) > maximum) {
    throw new Error(`Option ${String(option?.name)} takes ${maximum} characters at most.`)
  }
}

function checkChoice(option: CommandOption | undefined, value: unknown): void {
  const choices = objectsIn(option?.choices)
  if (choices.length > 0 && !choices.some((choice: { readonly value?: unknown }) => choice.value === value)) {
    throw new Error(`Option ${String(option?.name)} cannot be ${String(value)}.`)
  }
}

function typeOf(value: string | number | boolean): number {
  if (typeof value === 'string') return STRING
  if (typeof value === 'boolean') return BOOLEAN
  return Number.isInteger(value) ? INTEGER : NUMBER
}
