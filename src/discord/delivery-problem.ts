import { DiscordAPIError, HTTPError, RESTJSONErrorCodes } from 'discord.js'
import { errorMessage } from '#domain/errors.ts'
import { InteractionEnded } from './reply-target.ts'

/** What to do about a message that Discord did not take. */
export type DeliveryProblem =
  /** The message is no longer there or can no longer be edited: send a new one. */
  | { readonly type: 'messageGone' }
  /** It will not work however often it is tried. */
  | { readonly type: 'impossible'; readonly reason: string }
  /** Nor will this, though another may well be shown: a filter refuses its words, a file is too large, it is one too many. */
  | { readonly type: 'unfit'; readonly reason: string }
  /** It will not work until somebody has put something right: a new token, a proxy that lets through. */
  | { readonly type: 'blocked'; readonly reason: string }
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
    return { type: typeOf(error.status, error.code), reason: `${error.code}: ${reason}` }
  }
  if (error instanceof HTTPError && !isPassing(error.status)) return { type: 'blocked', reason }
  return { type: 'passing', reason }
}

/** Only a refusal with a code of its own speaks of this message; without, of all that the bot does. */
function typeOf(status: number, code: string | number): Exclude<DeliveryProblem['type'], 'messageGone'> {
  if (isPassing(status)) return 'passing'
  if (code === 0 || status === UNAUTHORIZED) return 'blocked'
  return UNFIT.includes(status) || code === NO_FOLLOW_UPS ? 'unfit' : 'impossible'
}

const UNAUTHORIZED = 401

/** A bad request, and one that is too large. */
const UNFIT = [400, 413]

/** Where people have brought the bot along, an interaction has five follow-ups; its first message can still be changed. */
const NO_FOLLOW_UPS = RESTJSONErrorCodes.ThisInteractionHasHitTheMaximumNumberOfFollowUpMessages

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}
