import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AdaptiveLimit, afterAnswer, afterBusy, NO_LIMIT, placesOf } from '#domain/adaptive-limit.ts'

const busy = (before: AdaptiveLimit, now: number, underWay = 100, retryAfterMs = 0) =>
  afterBusy(before, { now, underWay, retryAfterMs })

describe('the adaptive limit', () => {
  it('is none before a refusal, whatever is under way', () => {
    expect(placesOf(NO_LIMIT, 64)).toBe(64)
    expect(afterAnswer(NO_LIMIT, { underWay: 64, most: 64 })).toBe(NO_LIMIT)
  })

  it('begins below what was under way, not below what could have been', () => {
    expect(busy(NO_LIMIT, 0, 20).limit).toBe(15)
  })

  it('shrinks by a part with each refusal a second apart, to one and no further', () => {
    const limits: (number | undefined)[] = []
    let state = NO_LIMIT
    for (let now = 0; now < 8000; now += 1000) {
      state = busy(state, now, 16)
      limits.push(state.limit)
    }
    expect(limits).toEqual([12, 9, 6, 4, 3, 2, 1, 1])
  })

  it('takes refusals within a second, or within the time the server has named, for one', () => {
    const first = busy(NO_LIMIT, 0, 16, 5000)
    expect([busy(first, 999, 16).limit, busy(first, 4999, 16).limit, busy(first, 5000, 16).limit]).toEqual([12, 12, 9])
  })

  it('waits as long as the longest time that was named, a minute at most', () => {
    const first = busy(NO_LIMIT, 0, 16, 5000)
    expect(busy(first, 100, 16, 1000).notBefore).toBe(5000)
    expect(busy(first, 100, 16, 3_600_000).notBefore).toBe(60_100)
  })

  it('grows by one in a round of answers while it is used, and goes when there are places enough', () => {
    let state: AdaptiveLimit = { ...NO_LIMIT, limit: 4 }
    for (let answers = 0; answers < 5; answers++) state = afterAnswer(state, { underWay: 5, most: 6 })
    expect(placesOf(state, 6)).toBe(5)
    for (let answers = 0; answers < 6; answers++) state = afterAnswer(state, { underWay: 5, most: 6 })
    expect([state.limit, placesOf(state, 6)]).toEqual([undefined, 6])
  })

  it('does not grow with answers that came while there was room', () => {
    const state = { ...NO_LIMIT, limit: 4 }
    expect(afterAnswer(state, { underWay: 3, most: 6 })).toBe(state)
  })

  it('lets at least one and at most all of the places be used, whatever happens', () => {
    const step = fc.record({
      busy: fc.boolean(),
      underWay: fc.integer({ min: 1, max: 50 }),
      passedMs: fc.nat(3000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let state = NO_LIMIT
        let now = 0
        for (const { busy: isBusy, underWay, passedMs } of steps) {
          now += passedMs
          state = isBusy ? busy(state, now, underWay) : afterAnswer(state, { underWay, most: 32 })
          expect(placesOf(state, 32)).toBeGreaterThanOrEqual(1)
          expect(placesOf(state, 32)).toBeLessThanOrEqual(32)
        }
      }),
    )
  })
})
