import {
  DiscordAPIError,
  InteractionResponseType,
  MessageFlags,
  type REST,
  RESTJSONErrorCodes,
  Routes,
} from 'discord.js'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { readDeliveryProblem } from './delivery-problem.ts'

/** Discord takes an acknowledgement for 3 seconds only, so there is no time to pause between two tries. */
const MAX_TRIES = 3

/** "Thinking…", for all to see. */
const DEFER = { type: InteractionResponseType.DeferredChannelMessageWithSource } as const

/** "Thinking…", for its user alone. */
export const DEFER_PRIVATE = {
  type: InteractionResponseType.DeferredChannelMessageWithSource,
  data: { flags: MessageFlags.Ephemeral },
} as const

/** The message a button belongs to stays as it is until the reply changes it. */
export const DEFER_UPDATE = { type: InteractionResponseType.DeferredMessageUpdate } as const

/** Tells Discord what will come of an interaction; false when Discord does not wait for it any more. */
export async function acknowledge(
  rest: REST,
  interaction: { readonly id: string; readonly token: string },
  log: Log,
  body: object = DEFER,
): Promise<boolean> {
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
