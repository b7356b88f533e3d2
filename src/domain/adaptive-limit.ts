/**
 * How many questions a model server gets at the same time, learned from its refusals: the limit shrinks by a part when
 * the server says that it is too much, and grows by one for each round of answers. So it settles just below what the
 * server takes.
 */
export interface AdaptiveLimit {
  /** In fractions, so that it can grow slowly; undefined while there has been no reason for a limit. */
  readonly limit: number | undefined
  /** Until then further refusals belong to the same crowd and do not count; ms since epoch. */
  readonly calmUntil: number
  /** The server wants nothing before; ms since epoch. */
  readonly notBefore: number
}

export const NO_LIMIT: AdaptiveLimit = { limit: undefined, calmUntil: 0, notBefore: 0 }

const SHRINK = 0.75
/** Refusals within this time are one. */
const CALM_MS = 1_000
/** A server that asks for more than that is asked now and then all the same. */
const LONGEST_PAUSE_MS = 60_000

/** After a refusal because there was too much. */
export function afterBusy(
  before: AdaptiveLimit,
  {
    now,
    underWay,
    retryAfterMs = 0,
  }: { readonly now: number; readonly underWay: number; readonly retryAfterMs?: number },
): AdaptiveLimit {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, retryAfterMs)
  const notBefore = Math.max(before.notBefore, now + pauseMs)
  if (now < before.calmUntil) return { ...before, notBefore }
  const reached = Math.min(before.limit ?? Number.POSITIVE_INFINITY, underWay)
  return { limit: Math.max(1, Math.floor(reached * SHRINK)), calmUntil: now + Math.max(CALM_MS, pauseMs), notBefore }
}

/** After an answer; only one that came while the limit was used says that more may be possible. */
export function afterAnswer(
  before: AdaptiveLimit,
  { underWay, most }: { readonly underWay: number; readonly most: number },
): AdaptiveLimit {
  const { limit } = before
  if (limit === undefined || underWay < Math.floor(limit)) return before
  const grown = limit + 1 / limit
  return { ...before, limit: grown >= most ? undefined : grown }
}

/** How many may be under way, of `most`. */
export function placesOf({ limit = Number.POSITIVE_INFINITY }: AdaptiveLimit, most: number): number {
  return Math.min(most, Math.floor(limit))
}
