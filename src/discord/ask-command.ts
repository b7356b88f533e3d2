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
const MAX_QUESTION_LENGTH = 6_000

/** `/ask message`: works in direct conversations and in servers the bot is in. */
export const ASK_COMMAND = {
  type: ApplicationCommandType.ChatInput,
  name: 'ask',
  description: 'Ask Parley something.',
  integration_types: [ApplicationIntegrationType.GuildInstall],
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: 'message',
      description: 'What you want to know.',
      required: true,
      max_length: MAX_QUESTION_LENGTH,
    },
  ],
} satisfies RESTPostAPIChatInputApplicationCommandsJSONBody

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
export async function registerCommands(rest: REST, applicationId: string): Promise<boolean> {
  const route = Routes.applicationCommands(applicationId)
  const registered = registeredCommands.safeParse(await rest.get(route))
  const ours = registeredCommands.parse([ASK_COMMAND])
  if (registered.success && JSON.stringify(registered.data) === JSON.stringify(ours)) return false
  await rest.put(route, { body: [ASK_COMMAND] })
  return true
}
