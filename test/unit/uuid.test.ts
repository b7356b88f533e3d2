import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uuidV7 } from '#domain/uuid.ts'

const instant = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const randomBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })

function bytesOf(uuid: string): number[] {
  return (
    uuid
      .replaceAll('-', '')
      .match(/../g)
      ?.map((byte) => Number.parseInt(byte, 16)) ?? []
  )
}

describe('a UUIDv7', () => {
  it('is the one of the example in RFC 9562', () => {
    const random = Uint8Array.from(Buffer.from('000000000000ccc398c4dc0c0c07398f', 'hex'))
    expect(uuidV7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })

  it('says its version and variant, whatever the random bytes', () => {
    fc.assert(
      fc.property(instant, randomBytes, (now, random) => {
        expect(uuidV7(now, random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }),
    )
  })

  it('begins with its time in ms, a fraction left out', () => {
    fc.assert(
      fc.property(instant, fc.double({ min: 0, max: 0.99, noNaN: true }), randomBytes, (now, fraction, random) => {
        const uuid = uuidV7(now + (now < 2 ** 40 ? fraction : 0), random)
        expect(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16)).toBe(now)
      }),
    )
  })

  it('keeps the 74 random bits', () => {
    fc.assert(
      fc.property(instant, randomBytes, (now, random) => {
        const given = [...random]
        const bytes = bytesOf(uuidV7(now, random))
        expect((bytes[6] ?? 0) & 0x0f).toBe((given[6] ?? 0) & 0x0f)
        expect((bytes[8] ?? 0) & 0x3f).toBe((given[8] ?? 0) & 0x3f)
        expect([bytes[7], ...bytes.slice(9)]).toEqual([given[7], ...given.slice(9)])
      }),
    )
  })

  it('sorts by time as text', () => {
    fc.assert(
      fc.property(instant, instant, randomBytes, randomBytes, (a, b, randomA, randomB) => {
        fc.pre(a !== b)
        expect(uuidV7(a, randomA) < uuidV7(b, randomB)).toBe(a < b)
      }),
    )
  })

  it('reads random bytes that are a part of a larger buffer', () => {
    const pool = new Uint8Array(64).fill(0xff)
    expect(uuidV7(1, pool.subarray(16, 32))).toBe('00000000-0001-7fff-bfff-ffffffffffff')
    expect([...pool.subarray(0, 16), ...pool.subarray(32)].every((byte) => byte === 0xff)).toBe(true)
  })
})
