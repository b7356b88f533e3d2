import { DiscordAPIError, InteractionResponseType, type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { readDeliveryProblem } from './delivery-problem.ts'

/** Discord takes an acknowledgement for 3 seconds only, so there is no time to pause between two tries. */
const MAX_TRIES = 3

type Acknowledgement =
  | InteractionResponseType.DeferredChannelMessageWithSource
  | InteractionResponseType.DeferredMessageUpdate

/**
 * Tells Discord that an answer to an interaction will come ("thinking…"), or that a pressed button was noticed; false
 * when Discord does not wait for one.
 */
export async function acknowledge(
  rest: REST,
  interaction: { readonly id: string; readonly token: string },
  log: Log,
  type: Acknowledgement = InteractionResponseType.DeferredChannelMessageWithSource,
): Promise<boolean> {
  const body = { type }
  for (let tries = 1; ; tries++) {
    try {
      await rest.post(Routes.interactionCallback(interaction.id, interaction.token), { body, auth: false })
      return true
    } catch (error) {
      // An earlier try has arrived though its answer did not.
      if (isAcknowledged(error)) return true
      if (tries < MAX_TRIES && readDeliveryProblem(error).type === 'passing') continue
      log.warn(
        { error: errorMessage(error) },
        'an interaction could not be acknowledged; its answer goes to the channel',
      )
      return false
    }
  }
}

function isAcknowledged(error: unknown): boolean {
  return error instanceof DiscordAPIError && error.code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged
}
