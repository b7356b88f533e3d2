import { describe, expect, it } from 'vitest'
import { byAge, snowflakeAt } from '#discord/snowflake.ts'

describe("Discord's ids", () => {
  it('hold the time', () => {
    // The example of Discord's documentation, and its instant.
    const instant = 1_462_015_105_796
    expect(BigInt(snowflakeAt(instant)) >> 22n).toBe(175_928_847_299_117_063n >> 22n)
    expect(byAge(snowflakeAt(instant), '175928847299117063')).toBeLessThan(0)
    expect(byAge(snowflakeAt(instant + 1), '175928847299117063')).toBeGreaterThan(0)
  })

  it('begin with Discord, whatever is asked for', () => {
    expect(snowflakeAt(0)).toBe('0')
    expect(snowflakeAt(Number.MIN_SAFE_INTEGER)).toBe('0')
    expect(snowflakeAt(1_420_070_400_000.7)).toBe('0')
  })

  it('are as old as the numbers they are', () => {
    expect(['1000', '999', '1001'].sort(byAge)).toEqual(['999', '1000', '1001'])
    expect(byAge('5', '5')).toBe(0)
  })
})
