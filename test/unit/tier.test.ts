import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capacityFor, DEFAULT_TIER, type Tier, tierOf } from '#domain/tier.ts'

const tier = (name: string, fields: Partial<Tier> = {}): Tier => ({ ...DEFAULT_TIER, name, ...fields })
const nobody = { userId: 'ann', roleIds: [], skuIds: [] }

describe('the tier of somebody', () => {
  const friends = tier('friends', { weight: 2, users: ['ann'] })
  const premium = tier('premium', { weight: 4, roles: ['gold'], skus: ['sku'] })

  it.each([
    ['by name', nobody, 'friends'],
    ['by a role', { ...nobody, userId: 'bob', roleIds: ['other', 'gold'] }, 'premium'],
    ['by what they have bought', { ...nobody, userId: 'bob', skuIds: ['sku'] }, 'premium'],
    ['the heaviest of several', { ...nobody, roleIds: ['gold'] }, 'premium'],
    ['the default one', { ...nobody, userId: 'bob' }, 'default'],
  ])('is found %s', (_, facts, name) => {
    expect(tierOf([friends, premium], facts).name).toBe(name)
  })

  it('is the default tier as it is set, when it is', () => {
    expect(tierOf([tier('default', { weight: 0.5 })], nobody).weight).toBe(0.5)
    expect(tierOf([], nobody)).toBe(DEFAULT_TIER)
  })
})

describe('the places of the queue', () => {
  it('that are reserved for a tier can be taken by nobody else, and by it whatever the others take', () => {
    const names = ['a', 'b', 'default']
    const reservations = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5))
    const arrivals = fc.array(fc.constantFrom(...names), { maxLength: 60 })
    fc.assert(
      fc.property(reservations, fc.integer({ min: 15, max: 30 }), arrivals, (reserved, maxQueueSize, arrive) => {
        const tiers = names.map((name, index) => tier(name, { reserved: reserved[index] ?? 0 }))
        const waiting = new Map<string, number>()
        let inAll = 0
        for (const name of arrive) {
          if (inAll >= capacityFor(name, tiers, waiting, maxQueueSize)) continue
          waiting.set(name, (waiting.get(name) ?? 0) + 1)
          inAll++
        }
        expect(inAll).toBeLessThanOrEqual(maxQueueSize)
        for (const { name, reserved } of tiers) {
          const left = reserved - (waiting.get(name) ?? 0)
          if (left > 0) expect(maxQueueSize - inAll).toBeGreaterThanOrEqual(left)
        }
      }),
    )
  })

  it('are all free for everybody without reservations', () => {
    expect(capacityFor('default', [tier('a')], new Map([['a', 9]]), 50)).toBe(50)
  })
})
