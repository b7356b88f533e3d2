import { type REST, Routes } from 'discord.js'
import { readDeliveryProblem } from '#discord/delivery-problem.ts'
import { NO_MENTIONS } from '#discord/reply-target.ts'
import { type Reply, rowsOf } from './command.ts'

const MAX_TRIES = 3

/** Fills the reply to an acknowledged interaction, or the message whose button was pressed. Trying again does no harm. */
export async function showReply(
  rest: REST,
  interaction: { readonly applicationId: string; readonly token: string },
  { content, embeds = [], files = [], ...components }: Reply,
): Promise<void> {
  const route = Routes.webhookMessage(interaction.applicationId, interaction.token)
  const body = { content, components: rowsOf(components), embeds, allowed_mentions: NO_MENTIONS }
  for (let tries = 1; ; tries++) {
    try {
      await rest.patch(route, { body, files: [...files], auth: false })
      return
    } catch (error) {
      if (tries >= MAX_TRIES || readDeliveryProblem(error).type !== 'passing') throw error
    }
  }
}
