import { ApplicationCommandType, type REST, type RESTPostAPIApplicationCommandsJSONBody, Routes } from 'discord.js'
import { z } from 'zod'

const numbers = z
  .array(z.number())
  .nullish()
  .transform((list) => list?.toSorted((a, b) => a - b))

const option = z.object({
  type: z.number(),
  name: z.string(),
  description: z.string(),
  required: z.boolean().default(false),
  autocomplete: z.boolean().default(false),
  max_length: z.number().optional(),
  choices: z.array(z.object({ name: z.string(), value: z.union([z.string(), z.number()]) })).default([]),
  channel_types: numbers,
})

/** The fields that make a registered command the same as ours; Discord adds others. */
const registeredCommand = z.object({
  type: z.number().default(ApplicationCommandType.ChatInput),
  name: z.string(),
  description: z.string().default(''),
  integration_types: numbers,
  contexts: numbers,
  default_member_permissions: z
    .string()
    .nullish()
    .transform((permissions) => permissions ?? null),
  options: z.array(option.extend({ options: z.array(option).default([]) })).default([]),
})

/** Discord tells them in an order of its own. */
const registeredCommands = z
  .array(registeredCommand)
  .transform((commands) => commands.toSorted((a, b) => a.type - b.type || (a.name < b.name ? -1 : 1)))

/** Registers the commands with Discord unless it has exactly these; tells whether it did. */
export async function registerCommands(
  rest: REST,
  applicationId: string,
  commands: readonly RESTPostAPIApplicationCommandsJSONBody[],
): Promise<boolean> {
  const route = Routes.applicationCommands(applicationId)
  const registered = registeredCommands.safeParse(await rest.get(route))
  const ours = registeredCommands.parse(commands)
  if (registered.success && JSON.stringify(registered.data) === JSON.stringify(ours)) return false
  await rest.put(route, { body: commands })
  return true
}
