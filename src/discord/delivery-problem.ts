import { DiscordAPIError, HTTPError, RESTJSONErrorCodes } from 'discord.js'
import { errorMessage } from '#domain/errors.ts'
import { InteractionEnded } from './reply-target.ts'

/** What to do about a message that Discord did not take. */
export type DeliveryProblem =
  /** The message is no longer there or can no longer be edited: send a new one. */
  | { readonly type: 'messageGone' }
  /** It will not work however often it is tried. */
  | { readonly type: 'impossible'; readonly reason: string }
  /** Try again later. */
  | { readonly type: 'passing'; readonly reason: string }

/** A new message brings an archived thread back, an edit does not. */
const GONE: readonly (string | number)[] = [
  RESTJSONErrorCodes.UnknownMessage,
  RESTJSONErrorCodes.InvalidActionOnArchivedThread,
]

/** Reads an error of Discord's API (codes: discord.com/developers/docs/topics/opcodes-and-status-codes). */
export function readDeliveryProblem(error: unknown): DeliveryProblem {
  if (error instanceof InteractionEnded) return { type: 'messageGone' }
  const reason = errorMessage(error)
  if (error instanceof DiscordAPIError) {
    if (GONE.includes(error.code)) return { type: 'messageGone' }
    return { type: isPassing(error.status) ? 'passing' : 'impossible', reason: `${error.code}: ${reason}` }
  }
  if (error instanceof HTTPError && !isPassing(error.status)) return { type: 'impossible', reason }
  return { type: 'passing', reason }
}

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}
