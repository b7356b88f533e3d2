import { describe, expect, it } from 'vitest'
import { labelsOf, menuOf, startWithCommands } from '#support/command-room.ts'
import { startRoom, WAIT_MS } from '#support/discord-room.ts'
import { activeFacts } from '#support/scripted-queue.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

const FORGOTTEN_AFTER_MS = 11 * 60_000
const CALLBACK = '/interactions/:id/:token/callback'

/** Somebody with a turn in their own conversation and one in the server "Lab", and with commands. */
async function startInLab() {
  const room = await startWithCommands()
  const { server, userId, database, clock } = room
  const join = async (name: string) => {
    const id = await server.addGuild(name)
    await server.addMember(id, userId)
    return id
  }
  const lab = await join('Lab')
  const general = await server.addGuildChannel(lab, 'general')
  await database.api.saveTurn(turnOf(requestOf('of mine', { userId })))
  await database.api.saveTurn(turnOf(requestOf('in the lab', { userId, serverId: lab })))
  const chosen = async () => (await database.api.preferences(userId)).directServerId
  const prefer = (directServerId: string | null) => database.api.changePreferences(userId, { directServerId })
  const leave = async (guildId = lab, who = userId) => {
    await server.removeMember(guildId, who)
    await clock.advance(FORGOTTEN_AFTER_MS)
  }
  const history = (serverId: string) => database.api.history({ userId, serverId }, 10)
  return { ...room, lab, general, join, chosen, prefer, leave, history }
}

function labels(components: readonly unknown[]): (string | undefined)[] {
  return menuOf(components)?.options.map(({ label, default: isDefault }) => (isDefault ? `(${label})` : label)) ?? []
}

describe('/server in a direct conversation', () => {
  it('offers the servers both are in, for its user alone, and says which one was chosen', async () => {
    const { run, choose, server, lab, chosen } = await startInLab()
    await server.addGuild('Elsewhere')
    const reply = await run('server')
    expect(reply).toMatchObject({ ephemeral: true, content: expect.stringContaining('**your own conversation**') })
    expect(labels(reply.components)).toEqual(['(My own conversation)', 'Lab'])
    const inLab = await choose(reply, lab)
    expect(inLab.content).toContain('belong to the conversation of **Lab**')
    expect(labels(inLab.components)).toEqual(['My own conversation', '(Lab)'])
    expect(await chosen()).toBe(lab)
    expect((await choose(inLab, '0')).content).toContain('**your own conversation**')
    expect(await chosen()).toBeNull()
  })

  it('tells servers of the same name apart', async () => {
    const { run, join, lab } = await startInLab()
    const other = await join('Lab')
    const menu = menuOf((await run('server')).components)
    expect(menu?.options.slice(1)).toMatchObject([
      { label: 'Lab', value: lab, description: `id ${lab}` },
      { label: 'Lab', value: other, description: `id ${other}` },
    ])
  })

  it('lists as many servers as fit, the chosen one first, and says how to reach the others', async () => {
    const { run, join, prefer } = await startInLab()
    let last = ''
    for (let number = 1; number <= 25; number++) last = await join(`number ${number}`)
    await prefer(last)
    const { content, components } = await run('server')
    expect(content).toContain('Only 24 servers fit into the menu')
    expect(labels(components).slice(0, 3)).toEqual(['My own conversation', '(number 25)', 'Lab'])
    expect(labels(components)).toHaveLength(25)
  })

  it('offers nothing to who shares no server, and says so', async () => {
    const { run } = await startWithCommands()
    const { content, components } = await run('server')
    expect(content).toContain('You share no server with Parley')
    expect(components).toEqual([])
  })

  it('takes nothing that was left since the menu was shown', async () => {
    const { run, choose, leave, lab, chosen } = await startInLab()
    const reply = await run('server')
    await leave()
    expect((await choose(reply, lab)).content).toContain('not both in that server')
    expect(await chosen()).toBeNull()
  })

  it('says when the server that was chosen was left, and what can be chosen now', async () => {
    const { run, leave, prefer, lab, join, chosen } = await startInLab()
    await join('Home')
    await prefer(lab)
    await leave()
    const { content, components } = await run('server')
    expect(content).toContain('CONVERSATION_CLOSED')
    expect(labels(components)).toEqual(['(My own conversation)', 'Home'])
    expect(await chosen()).toBeNull()
  })

  it('has a menu that works after a restart', async () => {
    const { run, gateway, clock, server, userId, lab, database, chosen } = await startInLab()
    const { id: messageId, components } = await run('server')
    const stopped = gateway.stop(0)
    await clock.advance(0)
    await stopped
    const next = await startRoom(server, { records: database.api })
    const customId = menuOf(components)?.custom_id ?? ''
    await server.chooseOptions({ userId, messageId, customId, values: [lab] })
    const route = '/webhooks/:id/:token/messages/:message'
    const edits = { type: 'calls', method: 'PATCH', route, status: 200, count: 2 } as const
    await next.clock.passUntil(server.waitFor(edits, WAIT_MS))
    expect(await chosen()).toBe(lab)
  })

  it('is acknowledged before Discord has said anything about servers', async () => {
    const { server, userId, clock } = await startInLab()
    await server.failNext({ method: 'GET', route: '/users/@me/guilds', status: 'hang' })
    await server.runCommand({ userId, name: 'server' })
    await clock.passUntil(server.waitFor({ type: 'calls', route: CALLBACK, status: 204 }, WAIT_MS))
    await server.releaseHeld()
  })
})

describe('/server in a server', () => {
  it('says that it is the conversation of that server, and takes direct messages there', async () => {
    const { run, press, general, lab, chosen } = await startInLab()
    const reply = await run('server', {}, general)
    expect(reply).toMatchObject({ ephemeral: true, content: expect.stringContaining('in this server') })
    expect(labelsOf(reply.components)).toEqual(['Use it in my direct messages'])
    expect((await press(reply, 'Use it in my direct messages')).content).toContain('From now on')
    expect(await chosen()).toBe(lab)
  })

  it('changes nothing where the bot is no member', async () => {
    const { run, press, general, lab, chosen, leave, server } = await startInLab()
    const reply = await run('server', {}, general)
    await leave(lab, await server.botUserId())
    expect((await press(reply, 'Use it in my direct messages')).content).toContain('not both in that server')
    expect(await chosen()).toBeNull()
  })
})

describe('commands on a conversation', () => {
  it('/history shows the one that was chosen, and says which', async () => {
    const { run, prefer, lab } = await startInLab()
    expect((await run('history')).content).toMatch(/^\*\*You\*\*.*\n> question of mine/)
    await prefer(lab)
    const { content } = await run('history')
    expect(content).toMatch(/^-# Conversation of Lab\n.*\n> question in the lab/)
    expect(content).not.toContain('of mine')
  })

  it('/history begins anew when another conversation was chosen since', async () => {
    const { run, press, prefer, database, userId, lab } = await startInLab()
    for (const id of ['1', '2', '3', '4']) await database.api.saveTurn(turnOf(requestOf(id, { userId })))
    const mine = await run('history')
    await prefer(lab)
    for (const id of ['5', '6', '7', '8']) {
      await database.api.saveTurn(turnOf(requestOf(id, { userId, serverId: lab })))
    }
    expect((await press(mine, '◀ Older')).content).toContain('answer 8')
  })

  it('/history shows nothing of a server that was left', async () => {
    const { run, prefer, leave, lab, chosen } = await startInLab()
    await prefer(lab)
    await leave()
    const { content, components } = await run('history')
    expect(content).toContain('CONVERSATION_CLOSED')
    expect(content).not.toContain('question')
    expect(components).toEqual([])
    expect(await chosen()).toBeNull()
    expect((await run('history')).content).toContain('of mine')
  })

  it('the pages of /history show nothing of a server that was left since', async () => {
    const { run, press, prefer, leave, lab, database, userId } = await startInLab()
    for (const id of ['1', '2', '3', '4']) {
      await database.api.saveTurn(turnOf(requestOf(id, { userId, serverId: lab })))
    }
    await prefer(lab)
    const page = await run('history')
    await leave()
    const { content } = await press(page, '◀ Older')
    expect(content).toContain('CONVERSATION_CLOSED')
    expect(content).not.toContain('question')
  })

  it('/forget names and deletes the one that was chosen, and cancels what is asked there', async () => {
    const { run, press, prefer, lab, history, queue, userId } = await startInLab()
    await prefer(lab)
    queue.actives.set(userId, activeFacts({ serverId: lab, startedAt: 0 }))
    const asked = await run('forget')
    expect(asked.content).toContain('in **Lab**')
    expect((await press(asked, 'Delete')).content).toContain('2 messages')
    expect([await history(lab), await history('0')]).toEqual([[], [expect.anything(), expect.anything()]])
    expect(queue.commands).toEqual(['cancel r'])
  })

  it('/forget deletes nothing but what was confirmed', async () => {
    const { run, press, prefer, lab, history } = await startInLab()
    const asked = await run('forget')
    await prefer(lab)
    expect((await press(asked, 'Delete')).content).toContain('Nothing was deleted')
    expect([(await history(lab)).length, (await history('0')).length]).toEqual([2, 2])
  })

  it('/forget deletes everything whatever is known of servers', async () => {
    const { run, press, prefer, lab, history, server, chosen } = await startInLab()
    await prefer(lab)
    await server.failNext({ method: 'GET', route: '/guilds/:guildId/members/:userId', status: 403, count: 9 })
    expect((await run('forget')).content).toContain('CONVERSATION_UNCLEAR')
    expect((await press(await run('forget', { what: 'everything' }), 'Delete')).content).toContain('4 messages')
    expect([...(await history(lab)), ...(await history('0'))]).toEqual([])
    expect(await chosen()).toBeNull()
  })

  it('/status says which one was chosen, and all else although that is not known', async () => {
    const { run, prefer, lab, leave } = await startInLab()
    await prefer(lab)
    expect((await run('status')).content).toContain('that of **Lab**')
    await leave()
    const { content } = await run('status')
    expect(content).toContain('**Queue:**')
    expect(content).toContain('CONVERSATION_CLOSED')
  })
})
