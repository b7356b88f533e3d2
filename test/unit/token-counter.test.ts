import { beforeAll, describe, expect, test } from 'vitest'
import { loadTokenCounter, type TokenCounter } from '#assistant/token-counter.ts'

describe('the token counter', () => {
  let countTokens: TokenCounter

  beforeAll(async () => {
    countTokens = await loadTokenCounter()
  })

  test('counts short texts exactly', () => {
    expect(countTokens('')).toBe(0)
    expect(countTokens('Hello, world!')).toBe(4)
    expect(countTokens('<|endoftext|>')).toBeGreaterThan(1)
  })

  test('is near the exact number for long ones', () => {
    const sentence = 'The quick brown fox jumps over the lazy dog, and then it did so again. '
    const exact = 17 * 600
    const counted = countTokens(sentence.repeat(600))
    expect(counted).toBeGreaterThanOrEqual(exact)
    expect(counted).toBeLessThan(exact * 1.02)
  })

  test.each(['漢', '\n', 'a', '😀'])('does not keep its thread busy with a long run of %j', (character) => {
    const beganAt = performance.now()
    expect(countTokens(character.repeat(60_000))).toBeGreaterThan(3_000)
    expect(performance.now() - beganAt).toBeLessThan(2_000)
  })
})
