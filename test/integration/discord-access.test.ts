import { describe, expect, it } from 'vitest'
import type { AccessRules } from '#domain/access.ts'
import { NO_IDS, OPEN_TO_ALL } from '#support/access-rules.ts'
import { startWithCommands } from '#support/command-room.ts'
import { newDiscord, startRoom, WAIT_MS } from '#support/discord-room.ts'

/** A server with a member who has a role, and rules made of their ids. */
async function startWithRules(
  rulesOf: (ids: Record<'user' | 'role' | 'guild' | 'general', string>) => Partial<AccessRules>,
) {
  const server = await newDiscord()
  const user = await server.addUser({ username: 'ada' })
  const guild = await server.addGuild('lab')
  const general = await server.addGuildChannel(guild, 'general')
  const other = await server.addGuildChannel(guild, 'other')
  const role = await server.giveRole(guild, user)
  const room = await startRoom(server, { access: { ...OPEN_TO_ALL, ...rulesOf({ user, role, guild, general }) } })
  const refused = async (channelId: string) => {
    const criteria = { type: 'message', channelId, authorIsBot: true, contentIncludes: 'ACCESS_DENIED' } as const
    const message = await room.clock.passUntil(server.waitFor(criteria, WAIT_MS))
    expect(room.queue.added).toEqual([])
    return message.content
  }
  const mention = (channelId: string) =>
    server.sendGuildMessage({ channelId, userId: user, content: 'why?', mentionsBot: true })
  const memberCalls = async () => (await server.log()).filter(({ route }) => route.includes('/members/')).length
  return { ...room, server, user, guild, general, other, refused, mention, memberCalls }
}

describe('a message of somebody who may not ask', () => {
  it('is refused with the reason, and never reaches the queue', async () => {
    const { server, user, refused } = await startWithRules(({ user: id }) => ({ deny: { ...NO_IDS, users: [id] } }))
    await server.sendDm(user, 'why?')
    expect(await refused(await server.openDm(user))).toContain('only certain people')
  })

  it.each(['mention', 'command'])('is refused by its role, which the %s tells', async (way) => {
    const { server, user, general, refused, mention } = await startWithRules(({ role }) => ({
      deny: { ...NO_IDS, roles: [role] },
    }))
    if (way === 'mention') await mention(general)
    else await server.runCommand({ userId: user, name: 'ask', options: { message: 'why?' }, channelId: general })
    expect(await refused(general)).toContain('only certain people')
  })

  it('is refused in a thread of a channel that is denied also where the bot may not look', async () => {
    const { server, user, general, refused } = await startWithRules((ids) => ({
      deny: { ...NO_IDS, channels: [ids.general] },
    }))
    const thread = await server.addThread(general, 'aside')
    await server.failNext({ path: `/channels/${thread}`, status: 403, code: 50_001, count: 10 })
    await server.runCommand({ userId: user, name: 'ask', options: { message: 'why?' }, channelId: thread })
    expect(await refused(thread)).toContain('in this place')
  })

  it('is refused in a thread of a channel that is denied, and looked up once', async () => {
    const { server, general, other, refused, mention, queue, clock } = await startWithRules((ids) => ({
      deny: { ...NO_IDS, channels: [ids.general] },
    }))
    const thread = await server.addThread(general, 'aside')
    for (const channelId of [thread, thread]) await mention(channelId)
    await refused(thread)
    // The same person is told the same again after that time only.
    await clock.advance(5_000)
    await mention(general)
    await refused(general)
    expect((await server.log()).filter(({ path }) => path === `/channels/${thread}`)).toHaveLength(1)
    await mention(other)
    expect((await queue.next()).request.channelId).toBe(other)
  })

  it('is refused while Discord does not say what the rules need to know', async () => {
    const { server, user, refused, log } = await startWithRules(() => ({ directMessages: 'sharedServer' }))
    await server.failNext({ method: 'GET', route: '/users/@me/guilds', status: 403, count: 9 })
    await server.sendDm(user, 'why?')
    expect(await refused(await server.openDm(user))).toContain('could not be looked up')
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('may ask') }),
    )
  })
})

describe('a direct message from somebody who has to share a server', () => {
  it('is taken in from a member, who is looked up once in some minutes', async () => {
    const { server, user, queue, clock, memberCalls } = await startWithRules(() => ({ directMessages: 'sharedServer' }))
    for (const text of ['one', 'two']) {
      await server.sendDm(user, text)
      expect((await queue.next()).request.message).toBe(text)
    }
    expect(await memberCalls()).toBe(1)
    await clock.advance(11 * 60_000)
    await server.sendDm(user, 'three')
    await queue.next()
    expect(await memberCalls()).toBe(2)
  })

  it('is refused from a stranger', async () => {
    const { server, refused } = await startWithRules(() => ({ directMessages: 'sharedServer' }))
    const stranger = await server.addUser({ username: 'bob' })
    await server.sendDm(stranger, 'why?')
    expect(await refused(await server.openDm(stranger))).toContain('shares a server')
  })
})

describe('somebody who is allowed', () => {
  it('asks by their role in the server, with a mention and with the command', async () => {
    const { server, user, general, mention, queue } = await startWithRules(({ role }) => ({
      allow: { ...NO_IDS, roles: [role] },
    }))
    await mention(general)
    await queue.next()
    await server.runCommand({ userId: user, name: 'ask', options: { message: 'why?' }, channelId: general })
    await queue.next()
    expect(queue.added).toHaveLength(2)
  })
})

describe('/stats', () => {
  it('is for owners only', async () => {
    const { run } = await startWithCommands()
    expect((await run('stats')).content).toBe('Only those who run this bot may see that.')
  })

  it('tells an owner what the queue, the database and the delivery have done', async () => {
    const owners: string[] = []
    const { run, userId, database } = await startWithCommands({ access: { ...OPEN_TO_ALL, owners } })
    owners.push(userId)
    await database.api.markRead({ channelId: '5', userId, lastMessageId: '1' })
    const { content, ephemeral } = await run('stats')
    expect(ephemeral).toBe(true)
    expect(content).toMatch(/waiting +0 of 50\n/)
    expect(content).toMatch(/Discord +\d+ calls, 0 refused by its limits; \d+ of 50 free now\n/)
    expect(content).toMatch(/calls for +answer 0, notice 0, placeholder 0, reading 0, preview 0\n/)
    expect(content).toMatch(/database +0 reads, 1 writes in 1 commits, 0 failed\n/)
  })
})
