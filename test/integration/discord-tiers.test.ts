import { describe, expect, it } from 'vitest'
import { DEFAULT_TIER, type Tier } from '#domain/tier.ts'
import { startWithUser } from '#support/discord-room.ts'

describe('a question', () => {
  it('is offered with the tier of whoever asks: by name, by a role in that server, or the default one', async () => {
    const tiers: Tier[] = []
    const { server, userId, ask, queue } = await startWithUser({}, { tiers })
    const guildId = await server.addGuild('home')
    const channelId = await server.addGuildChannel(guildId, 'general')
    const friend = await server.addUser({ username: 'bob' })
    const role = await server.giveRole(guildId, friend)
    tiers.push({ ...DEFAULT_TIER, name: 'named', weight: 2, users: [userId] })
    tiers.push({ ...DEFAULT_TIER, name: 'gold', weight: 4, roles: [role] })
    expect((await ask()).asked.request.fromTier).toMatchObject({ name: 'named', weight: 2 })
    const mention = { channelId, content: 'why?', mentionsBot: true }
    await server.sendGuildMessage({ ...mention, userId: friend })
    expect((await queue.next()).request.fromTier).toMatchObject({ name: 'gold', weight: 4 })
    const stranger = await server.addUser({ username: 'cleo' })
    await server.sendGuildMessage({ ...mention, userId: stranger })
    expect((await queue.next()).request.fromTier).toMatchObject({ name: 'default', weight: 1 })
  })
})
