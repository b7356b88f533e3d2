/** How much may be used; null: as much as one likes. */
export interface QuotaLimits {
  /** Of one person. */
  readonly requestsPerHour: number | null
  /** Of one person, a day of UTC. */
  readonly tokensPerDay: number | null
  /** Of all together, a day of UTC. */
  readonly tokensPerDayInAll: number | null
}

/** What has been used. */
export interface QuotaUse {
  /** When the person's requests of the last hour were made, ms since epoch; the newest first, no more than are allowed. */
  readonly requestTimes: readonly number[]
  readonly tokensToday: number
  readonly tokensTodayInAll: number
}

/** What is used up, and when it is free again, ms since epoch. */
export interface UsedUp {
  readonly limit: keyof QuotaLimits
  readonly freeAt: number
}

export const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The day of UTC an instant lies in, counted from 1970. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** Tells what keeps somebody from asking now; of several limits the one that lasts longest. */
export function findUsedUp(limits: QuotaLimits, use: QuotaUse, now: number): UsedUp | undefined {
  const tomorrow = (dayOf(now) + 1) * DAY_MS
  const usedUp: UsedUp[] = []
  const requestsFreeAt = nextRequestAt(limits.requestsPerHour, use.requestTimes)
  if (requestsFreeAt > now) usedUp.push({ limit: 'requestsPerHour', freeAt: requestsFreeAt })
  if (reached(limits.tokensPerDay, use.tokensToday)) usedUp.push({ limit: 'tokensPerDay', freeAt: tomorrow })
  if (reached(limits.tokensPerDayInAll, use.tokensTodayInAll)) {
    usedUp.push({ limit: 'tokensPerDayInAll', freeAt: tomorrow })
  }
  return usedUp.toSorted((a, b) => b.freeAt - a.freeAt)[0]
}

/** Tells whether anything is limited at all. */
export function hasLimits(limits: QuotaLimits): boolean {
  return limits.requestsPerHour !== null || limits.tokensPerDay !== null || limits.tokensPerDayInAll !== null
}

/** Once the oldest of as many requests as are allowed is an hour old, there is room for another one. */
function nextRequestAt(limit: number | null, newestFirst: readonly number[]): number {
  const oldest = limit === null ? undefined : newestFirst[limit - 1]
  return oldest === undefined ? Number.NEGATIVE_INFINITY : oldest + HOUR_MS
}

function reached(limit: number | null, used: number): boolean {
  return limit !== null && used >= limit
}
