import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type REST,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  Routes,
} from 'discord.js'
import { z } from 'zod'

/** Discord's own limit for a text option. */
const MAX_OPTION_LENGTH = 6_000

export const ASK = 'ask'
export const QUESTION = 'message'

/** `/ask message`: works in direct conversations and in servers; Discord itself tells who writes too much. */
export function askCommand(maxMessageLength: number): RESTPostAPIChatInputApplicationCommandsJSONBody {
  return {
    type: ApplicationCommandType.ChatInput,
    name: ASK,
    description: 'Ask Parley something.',
    integration_types: [ApplicationIntegrationType.GuildInstall],
    contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
    options: [
      {
        type: ApplicationCommandOptionType.String,
        name: QUESTION,
        description: 'What you want to know.',
        required: true,
        max_length: Math.min(MAX_OPTION_LENGTH, maxMessageLength),
      },
    ],
  }
}

/** The fields that make a registered command the same as ours; Discord adds others. */
const registeredCommands = z.array(
  z.object({
    type: z.number().default(ApplicationCommandType.ChatInput),
    name: z.string(),
    description: z.string(),
    integration_types: z.array(z.number()).nullish(),
    contexts: z.array(z.number()).nullish(),
    options: z
      .array(
        z.object({
          type: z.number(),
          name: z.string(),
          description: z.string(),
          required: z.boolean().optional(),
          max_length: z.number().optional(),
        }),
      )
      .optional(),
  }),
)

/** Registers the commands with Discord unless it has exactly these; tells whether it did. */
export async function registerCommands(
  rest: REST,
  applicationId: string,
  commands: readonly RESTPostAPIChatInputApplicationCommandsJSONBody[],
): Promise<boolean> {
  const route = Routes.applicationCommands(applicationId)
  const registered = registeredCommands.safeParse(await rest.get(route))
  const ours = registeredCommands.parse(commands)
  if (registered.success && JSON.stringify(registered.data) === JSON.stringify(ours)) return false
  await rest.put(route, { body: commands })
  return true
}
