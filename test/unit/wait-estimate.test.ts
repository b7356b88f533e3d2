import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateWaitMs, inWords } from '#domain/wait-estimate.ts'

const measured = { count: 3, meanMs: 12_000 }

describe('an estimate of the wait', () => {
  it('is the mean time of a request for each one before it and itself, over the slots', () => {
    expect(estimateWaitMs({ place: 4, slots: 2, processing: measured })).toBe(24_000)
  })

  it('is not made from too little', () => {
    expect(estimateWaitMs({ place: 4, slots: 2, processing: { ...measured, count: 2 } })).toBeUndefined()
    expect(estimateWaitMs({ place: 4, slots: 0, processing: measured })).toBeUndefined()
    expect(estimateWaitMs({ place: 0, slots: 2, processing: measured })).toBeUndefined()
  })

  it.each([
    [0, 'about 5 s'],
    [18_001, 'about 20 s'],
    [55_000, 'about 55 s'],
    [55_001, 'about 1 min'],
    [150_000, 'about 3 min'],
    [3_560_000, 'about 59 min'],
    [3_600_000, 'more than an hour'],
  ])('of %i ms reads %s', (ms, words) => {
    expect(inWords(ms)).toBe(words)
  })

  it('always reads as something', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), (ms) => {
        expect(inWords(ms)).toMatch(/^(about [1-9]\d? (s|min)|more than an hour)$/)
      }),
    )
  })
})
