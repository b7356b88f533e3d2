import { describe, expect, it } from 'vitest'
import {
  readDeletedEntitlement,
  readEntitlement,
  readEntitlementPage,
  readEntitlementsOf,
} from '#discord/entitlement-payload.ts'
import { type Entitlement, Holdings } from '#domain/entitlement.ts'

const GOLD: Entitlement = { id: '1', skuId: 'gold', ownerIds: ['ann'], startsAt: 100, endsAt: 200 }

describe('what somebody may use', () => {
  it.each([
    [99, []],
    [100, ['gold']],
    [199, ['gold']],
    [200, []],
  ])('begins and ends when it says: at %i %j', (now, skuIds) => {
    const holdings = new Holdings()
    holdings.note(GOLD)
    expect(holdings.skuIds(['ann'], now)).toEqual(skuIds)
  })

  it('is what was bought for them, or for the server they ask in', () => {
    const holdings = new Holdings()
    holdings.note({ ...GOLD, ownerIds: ['server'] })
    expect(holdings.skuIds(['ann'], 150)).toEqual([])
    expect(holdings.skuIds(['ann', 'server'], 150)).toEqual(['gold'])
  })

  it('is what was said last, but no list is newer than what was noted', () => {
    const holdings = new Holdings()
    holdings.note(GOLD)
    holdings.note({ ...GOLD, endsAt: 120 })
    holdings.noteListed(GOLD)
    expect(holdings.skuIds(['ann'], 150)).toEqual([])
    holdings.noteListed({ ...GOLD, id: '2' })
    expect(holdings.skuIds(['ann'], 150)).toEqual(['gold'])
  })
})

describe('reading an entitlement', () => {
  const payload = {
    id: '1',
    sku_id: 'gold',
    application_id: '9',
    user_id: 'ann',
    type: 8,
    deleted: false,
    starts_at: '2026-01-01T00:00:00+00:00',
    ends_at: '2026-02-01T00:00:00.000000+00:00',
  }
  const [startsAt, endsAt] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)]
  const read = { id: '1', skuId: 'gold', ownerIds: ['ann'], startsAt, endsAt }

  it.each([
    ['as Discord writes it', {}, read],
    ['of a server', { user_id: undefined, guild_id: 'home' }, { ...read, ownerIds: ['home'] }],
    ['of a server, with who paid', { guild_id: 'home' }, { ...read, ownerIds: ['ann', 'home'] }],
    ['without an end', { ends_at: null }, { ...read, endsAt: Number.POSITIVE_INFINITY }],
    [
      'of a test',
      { starts_at: undefined, ends_at: undefined },
      { ...read, startsAt: 0, endsAt: Number.POSITIVE_INFINITY },
    ],
    ['that was taken back', { deleted: true }, { ...read, endsAt: 0 }],
    ['that is used up', { consumed: true }, { ...read, endsAt: 0 }],
  ])('takes one %s', (_, fields, expected) => {
    expect(readEntitlement({ ...payload, ...fields })).toEqual(expected)
  })

  it('ends one whose deletion is told, whatever else that says', () => {
    expect(readDeletedEntitlement(payload)).toEqual({ ...read, endsAt: 0 })
    expect(readDeletedEntitlement({})).toBeUndefined()
  })

  it('takes those of an interaction, and none of what is none', () => {
    expect(readEntitlementsOf({ id: '5', entitlements: [payload] })).toEqual([read])
    expect([readEntitlementsOf({ id: '5' }), readEntitlementsOf(null)]).toEqual([[], []])
  })

  it('takes no list that is none for an empty one', () => {
    expect(readEntitlementPage([payload])).toEqual([read])
    expect(() => readEntitlementPage({ message: 'no' })).toThrow()
  })
})
