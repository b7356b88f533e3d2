import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RetryFacts, retryDelayMs } from '#domain/retry.ts'

const FACTS: RetryFacts = {
  retryable: true,
  attempt: 1,
  maxAttempts: 3,
  backoffMs: 2000,
  remainingMs: 300_000,
  random: 1,
}

const anyFacts: fc.Arbitrary<RetryFacts> = fc.record({
  retryable: fc.boolean(),
  attempt: fc.integer({ min: 1, max: 12 }),
  maxAttempts: fc.integer({ min: 1, max: 12 }),
  backoffMs: fc.nat(60_000),
  remainingMs: fc.integer({ min: -1000, max: 400_000 }),
  random: fc.double({ min: 0, max: 1, noNaN: true }),
})

describe('the pause before the next execution', () => {
  it.each([
    [1, 1, 2000],
    [1, 0, 1000],
    [1, 0.5, 1500],
    [2, 1, 4000],
    [2, 0, 2000],
    [5, 1, 32_000],
  ])('after execution %i, with the random number %d, is %i ms', (attempt, random, delayMs) => {
    expect(retryDelayMs({ ...FACTS, maxAttempts: 9, attempt, random })).toBe(delayMs)
  })

  it.each<[string, Partial<RetryFacts>]>([
    ['asking again cannot help', { retryable: false }],
    ['all executions have been made', { attempt: 3 }],
    ['more than all have been made', { attempt: 7 }],
    ['it would end at the deadline', { remainingMs: 2000 }],
    ['the deadline has passed', { remainingMs: -1, backoffMs: 0 }],
  ])('does not exist when %s', (_, facts) => {
    expect(retryDelayMs({ ...FACTS, ...facts })).toBeUndefined()
  })

  it('is between half and all of a time that doubles, whole, and ends before the deadline', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const delayMs = retryDelayMs(facts)
        if (delayMs === undefined) return
        const longestMs = facts.backoffMs * 2 ** (facts.attempt - 1)
        expect(Number.isInteger(delayMs)).toBe(true)
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(longestMs / 2))
        expect(delayMs).toBeLessThanOrEqual(longestMs)
        expect(delayMs).toBeLessThan(facts.remainingMs)
      }),
    )
  })

  it('exists exactly when asking again may work, an execution is left and so is the time', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const unhurried = retryDelayMs({ ...facts, remainingMs: Number.POSITIVE_INFINITY })
        expect(unhurried !== undefined).toBe(facts.retryable && facts.attempt < facts.maxAttempts)
        const expected = unhurried !== undefined && unhurried < facts.remainingMs ? unhurried : undefined
        expect(retryDelayMs(facts)).toBe(expected)
      }),
    )
  })

  it('never gets shorter with the attempt or with the random number', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(5), fc.double({ min: 0, max: 1, noNaN: true }), (facts, more, random) => {
        const free = { ...facts, retryable: true, maxAttempts: 99, remainingMs: Number.POSITIVE_INFINITY }
        const delayMs = retryDelayMs(free) ?? -1
        expect(retryDelayMs({ ...free, attempt: free.attempt + more })).toBeGreaterThanOrEqual(delayMs)
        expect(retryDelayMs({ ...free, random: Math.max(random, free.random) })).toBeGreaterThanOrEqual(delayMs)
      }),
    )
  })
})
