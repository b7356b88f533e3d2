import { InteractionResponseType, type REST, Routes } from 'discord.js'
import type { Suggestion } from './command.ts'

/** Discord's own limit. */
const MOST_CHOICES = 25

/** Shows what an option that is being typed could become. */
export async function suggestChoices(
  rest: REST,
  { id, token }: { readonly id: string; readonly token: string },
  choices: readonly Suggestion[],
): Promise<void> {
  const type = InteractionResponseType.ApplicationCommandAutocompleteResult
  const body = { type, data: { choices: choices.slice(0, MOST_CHOICES) } }
  await rest.post(Routes.interactionCallback(id, token), { body, auth: false })
}
