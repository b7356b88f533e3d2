import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayOf, findUsedUp, HOUR_MS, hasLimits, type QuotaLimits, type QuotaUse } from '#domain/quota.ts'
import { NO_LIMITS } from '#support/access-rules.ts'

const NOW = 1_900_000_000_000
const MIDNIGHT = (dayOf(NOW) + 1) * 24 * HOUR_MS

const amount = fc.integer({ min: 0, max: 20 })
const limit = fc.option(fc.integer({ min: 1, max: 20 }))
const limits: fc.Arbitrary<QuotaLimits> = fc.record({
  requestsPerHour: limit,
  tokensPerDay: limit,
  tokensPerDayInAll: limit,
})
const use: fc.Arbitrary<QuotaUse> = fc.record({
  requestTimes: fc
    .array(fc.integer({ min: NOW - HOUR_MS + 1, max: NOW }), { maxLength: 20 })
    .map((times) => times.toSorted((a, b) => b - a)),
  tokensToday: amount,
  tokensTodayInAll: amount,
})
const nothing: QuotaUse = { requestTimes: [], tokensToday: 0, tokensTodayInAll: 0 }

describe('a quota', () => {
  it('keeps nobody from asking when nothing is limited', () => {
    fc.assert(fc.property(use, (used) => findUsedUp(NO_LIMITS, used, NOW) === undefined))
    expect(hasLimits(NO_LIMITS)).toBe(false)
    fc.assert(fc.property(limits, (given) => hasLimits(given) === Object.values(given).some((one) => one !== null)))
  })

  it('keeps somebody from asking exactly when a limit is reached', () => {
    fc.assert(
      fc.property(limits, use, (given, used) => {
        const reached = [
          [given.requestsPerHour, used.requestTimes.length],
          [given.tokensPerDay, used.tokensToday],
          [given.tokensPerDayInAll, used.tokensTodayInAll],
        ].some(([most, count]) => most !== null && most !== undefined && (count ?? 0) >= most)
        expect(findUsedUp(given, used, NOW) !== undefined).toBe(reached)
      }),
    )
  })

  it('is free again at the time named, and not a moment before', () => {
    fc.assert(
      fc.property(limits, use, (given, used) => {
        const usedUp = findUsedUp(given, used, NOW)
        fc.pre(usedUp !== undefined)
        const freeAt = usedUp?.freeAt ?? 0
        expect(freeAt).toBeGreaterThan(NOW)
        // As it is counted then.
        const at = (now: number): QuotaUse => ({
          requestTimes: used.requestTimes.filter((time) => time > now - HOUR_MS),
          tokensToday: now >= MIDNIGHT ? 0 : used.tokensToday,
          tokensTodayInAll: now >= MIDNIGHT ? 0 : used.tokensTodayInAll,
        })
        expect(findUsedUp(given, at(freeAt), freeAt)).toBeUndefined()
        expect(findUsedUp(given, at(freeAt - 1), freeAt - 1)).toBeDefined()
      }),
    )
  })

  it('names the limit that lasts longest', () => {
    const given = { requestsPerHour: 1, tokensPerDay: 5, tokensPerDayInAll: null }
    const used = { ...nothing, requestTimes: [NOW - 10], tokensToday: 5 }
    expect(findUsedUp(given, used, NOW)).toEqual({ limit: 'tokensPerDay', freeAt: MIDNIGHT })
    expect(findUsedUp(given, used, MIDNIGHT - 20)).toMatchObject({ limit: 'tokensPerDay' })
    const late = { ...used, requestTimes: [MIDNIGHT - 10] }
    expect(findUsedUp(given, late, MIDNIGHT - 5)).toEqual({ limit: 'requestsPerHour', freeAt: MIDNIGHT - 10 + HOUR_MS })
  })
})
