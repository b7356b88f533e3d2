import { describe, expect, it } from 'vitest'
import { DEFAULT_TIER } from '#domain/tier.ts'
import { newDiscord, newRoom, type Room, startRoom, WAIT_MS } from '#support/discord-room.ts'

const LIST = '/applications/:applicationId/entitlements'
const COMMANDS = '/applications/:applicationId/commands'

/** Long after the time of any test's clock. */
const FAR = Date.UTC(2040, 0, 1)

/** A Discord that sells one product, which makes its buyers premium. */
async function market() {
  const server = await newDiscord()
  const skuId = await server.addSku()
  const userId = await server.addUser({ username: 'ada' })
  const tiers = [{ ...DEFAULT_TIER, name: 'premium', weight: 4, skus: [skuId] }]
  /** The tier a direct message is offered with. */
  const tierOfDm = async ({ queue }: Room, author = userId) => {
    await server.sendDm(author, 'why?')
    return (await queue.next()).request.fromTier?.name
  }
  const listed = async () => (await server.log()).filter(({ route }) => route === LIST)
  return { server, skuId, userId, tiers, tierOfDm, listed }
}

describe('what somebody has bought before Parley started', () => {
  it('counts from their first message on, whatever else was sold, in as many calls as the list is long', async () => {
    const { server, skuId, tiers, userId, tierOfDm, listed } = await market()
    const other = await server.addSku()
    for (let sold = 0; sold < 150; sold++) {
      const buyer = await server.addUser({ username: `buyer${sold}` })
      await server.grantEntitlement({ skuId: sold < 20 ? other : skuId, userId: buyer })
    }
    await server.grantEntitlement({ skuId, userId })
    const room = newRoom(server, { tiers })
    const starting = room.gateway.start()
    await server.waitFor({ type: 'calls', route: COMMANDS }, WAIT_MS)
    expect(await tierOfDm(room)).toBe('premium')
    await starting
    expect(await listed()).toHaveLength(2)
    const stranger = await server.addUser({ username: 'bob' })
    expect(await tierOfDm(room, stranger)).toBe('default')
  })

  it('ends when it says', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    await server.grantEntitlement({ skuId, userId, endsAt: Date.UTC(2030, 0, 1, 1) })
    const room = await startRoom(server, { tiers })
    expect(await tierOfDm(room)).toBe('premium')
    await room.clock.advance(3_600_000)
    expect(await tierOfDm(room)).toBe('default')
  })

  it('is not asked about when no tier depends on it', async () => {
    const { server, tierOfDm, listed, userId } = await market()
    const tiers = [{ ...DEFAULT_TIER, name: 'named', weight: 2, users: [userId] }]
    const room = await startRoom(server, { tiers })
    expect(await tierOfDm(room)).toBe('named')
    expect(await listed()).toEqual([])
  })
})

describe('what somebody buys while Parley runs', () => {
  it('counts at once; a renewal, an end and a refund count, too', async () => {
    const { server, skuId, tiers, userId, tierOfDm, listed } = await market()
    const room = await startRoom(server, { tiers })
    expect(await tierOfDm(room)).toBe('default')
    const id = await server.grantEntitlement({ skuId, userId, endsAt: Date.UTC(2029, 0, 1) })
    expect(await tierOfDm(room)).toBe('default')
    await server.endEntitlement(id, FAR)
    expect(await tierOfDm(room)).toBe('premium')
    await server.endEntitlement(id, Date.now())
    expect(await tierOfDm(room)).toBe('default')
    const again = await server.grantEntitlement({ skuId, userId })
    expect(await tierOfDm(room)).toBe('premium')
    await server.deleteEntitlement(again)
    expect(await tierOfDm(room)).toBe('default')
    expect(await listed()).toHaveLength(1)
  })

  it('for a server counts for all its members, there', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    const guildId = await server.addGuild('home')
    const channelId = await server.addGuildChannel(guildId, 'general')
    await server.addMember(guildId, userId)
    const room = await startRoom(server, { tiers })
    await server.grantEntitlement({ skuId, guildId })
    await server.sendGuildMessage({ channelId, userId, content: 'why?', mentionsBot: true })
    expect((await room.queue.next()).request.fromTier?.name).toBe('premium')
    expect(await tierOfDm(room)).toBe('default')
  })

  it('while the bot is away is found in a new session, and the list of that undoes nothing newer', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    const room = await startRoom(server, { tiers })
    expect(await tierOfDm(room)).toBe('default')
    await server.failNext({ route: LIST, status: 'hangAfter' })
    const listArrived = server.waitFor({ type: 'calls', route: LIST, phase: 'arrived', count: 2 }, WAIT_MS)
    await server.invalidateSession(false)
    const gone = await server.grantEntitlement({ skuId, userId })
    const friend = await server.addUser({ username: 'bob' })
    await server.grantEntitlement({ skuId, userId: friend })
    await listArrived
    await server.deleteEntitlement(gone)
    expect(await tierOfDm(room)).toBe('default')
    const read = room.log.next('read what people have bought')
    await server.releaseHeld()
    expect((await read).fields).toEqual({ entitlements: 2 })
    expect([await tierOfDm(room), await tierOfDm(room, friend)]).toEqual(['default', 'premium'])
  })
})

describe('a list of purchases that cannot be read', () => {
  it('is tried again', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    await server.grantEntitlement({ skuId, userId })
    // discord.js itself makes such a call four times.
    await server.failNext({ route: LIST, status: 500, count: 4 })
    const room = await startRoom(server, { tiers })
    expect(await room.clock.passUntil(tierOfDm(room))).toBe('premium')
  })

  it('is read again later, however often that has failed', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    await server.grantEntitlement({ skuId, userId })
    await server.failNext({ route: LIST, status: 500, count: 16 })
    const room = await startRoom(server, { tiers })
    const failed = room.log.next('what people have bought could not be read')
    expect(await room.clock.passUntil(tierOfDm(room))).toBe('default')
    await room.clock.passUntil(failed)
    const read = room.log.next('read what people have bought')
    await room.clock.advance(600_000)
    await room.clock.passUntil(read)
    expect(await tierOfDm(room)).toBe('premium')
  })

  it('holds a question up for three seconds at most, and no other after that', async () => {
    const { server, skuId, tiers, userId, tierOfDm } = await market()
    await server.grantEntitlement({ skuId, userId })
    await server.failNext({ route: LIST, status: 'hang' })
    const room = await startRoom(server, { tiers })
    const first = tierOfDm(room)
    await room.clock.advance(2_999)
    expect(room.queue.added).toEqual([])
    await room.clock.advance(1)
    expect([await first, await tierOfDm(room)]).toEqual(['default', 'default'])
    const read = room.log.next('read what people have bought')
    await server.releaseHeld()
    await read
    expect(await tierOfDm(room)).toBe('premium')
  })

  it('because Discord refuses it is logged and given up; what interactions tell still counts', async () => {
    const { server, skuId, tiers, userId, tierOfDm, listed } = await market()
    await server.grantEntitlement({ skuId, userId })
    await server.failNext({ route: LIST, status: 403, code: 50_001, count: 99 })
    const room = await startRoom(server, { tiers })
    expect(await tierOfDm(room)).toBe('default')
    await server.runCommand({ userId, name: 'ask', options: { message: 'and now?' } })
    expect((await room.queue.next()).request.fromTier?.name).toBe('premium')
    expect(await tierOfDm(room)).toBe('premium')
    expect(room.log.lines.map(({ message }) => message)).toContain('what people have bought could not be read')
    expect(await listed()).toHaveLength(1)
  })
})
