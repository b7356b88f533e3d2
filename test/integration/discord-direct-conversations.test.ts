import { describe, expect, it } from 'vitest'
import { PRESS_REPLIES } from '#discord/press-replies.ts'
import { NO_PREFERENCES } from '#domain/preferences.ts'
import { startWithButtons } from '#support/discord-buttons.ts'
import { NO_RECORDS } from '#support/no-records.ts'
import { newDatabase } from '#support/stored-database.ts'

const FORGOTTEN_AFTER_MS = 11 * 60_000
const FAILURE = { code: 'MODEL_UNREACHABLE', message: 'The model cannot be reached.' } as const

/** Somebody who is in the servers "Lab" and "Home", while the bot is in others, too. */
async function startInServers() {
  const database = newDatabase()
  const room = await startWithButtons({}, { records: database.api })
  const { server, userId, clock, channelId } = room
  const join = async (name: string) => {
    const id = await server.addGuild(name)
    await server.addMember(id, userId)
    return id
  }
  const [lab, home] = [await join('Lab'), await join('Home')]
  await server.addGuild('Elsewhere')
  const choose = (directServerId: string | null) => database.api.changePreferences(userId, { directServerId })
  const chosen = async () => (await database.api.preferences(userId)).directServerId
  /** What Discord was asked is looked up again from then on. */
  const passSomeMinutes = () => clock.advance(FORGOTTEN_AFTER_MS)
  const calls = async (path: string) => (await server.log()).filter((call) => call.path.includes(path)).length
  const general = await server.addGuildChannel(lab, 'general')
  const tell = (text: string) => server.sendDm(userId, text)
  return { ...room, database, lab, home, general, join, choose, chosen, passSomeMinutes, calls, tell, channelId }
}

describe('a direct message', () => {
  it('belongs to the conversation of the server that is named in front of it, and only that one does', async () => {
    const { ask, lab, channelId, userId } = await startInServers()
    const { asked, messageId } = await ask('[lab]  why is\nthat so?')
    expect(asked.request).toEqual({
      userId,
      serverId: lab,
      channelId,
      message: 'why is\nthat so?',
      discordMessageId: messageId,
      interactionToken: null,
      directServerName: 'Lab',
    })
    expect((await ask('and here?')).asked.request).toMatchObject({ serverId: '0', message: 'and here?' })
  })

  it('belongs to the conversation of the server that was chosen, unless another one is named', async () => {
    const { ask, choose, lab, home } = await startInServers()
    await choose(lab)
    expect((await ask('why?')).asked.request).toMatchObject({ serverId: lab, directServerName: 'Lab', message: 'why?' })
    expect((await ask('[HOME] why?')).asked.request).toMatchObject({ serverId: home, directServerName: 'Home' })
    await choose(null)
    expect((await ask('why?')).asked.request).not.toHaveProperty('directServerName')
  })

  it.each([
    '[Elsewhere] is a server whose members they are not',
    '[x] done',
    '[ ] to do',
    '[] nothing',
    '[Lab](https://lab.example) is a link',
    '[Lab]without a space',
    '[Lab]',
    'in [Lab] in the middle',
  ])('is a plain one when no shared server is named in front: %s', async (text) => {
    const { ask } = await startInServers()
    const { request } = (await ask(text)).asked
    expect(request).toMatchObject({ serverId: '0', message: text })
    expect(request).not.toHaveProperty('directServerName')
  })

  it('names any of the servers the bot is in, however many these are', async () => {
    const { ask, server, join } = await startInServers()
    for (let number = 1; number <= 200; number++) await server.addGuild(`number ${number}`)
    const id = await join('The last one')
    expect((await ask('[the last one] why?')).asked.request).toMatchObject({ serverId: id })
  })

  it('names a server whose name has brackets of its own', async () => {
    const { ask, join } = await startInServers()
    const id = await join('Lab] [2')
    expect((await ask('[lab] [2] why?')).asked.request).toMatchObject({ serverId: id, message: 'why?' })
  })

  it('asks nothing when several shared servers have the name', async () => {
    const { tell, join, see, queue } = await startInServers()
    await join('lab')
    await tell('[Lab] why?')
    const { content } = await see('CONVERSATION_UNCLEAR')
    expect(content).toContain('Several servers')
    expect(queue.added).toEqual([])
  })

  it('keeps its place before the next one, although its server had to be looked up', async () => {
    const { tell, queue, lab } = await startInServers()
    await tell('[Lab] first')
    await tell('second')
    expect((await queue.next()).request).toMatchObject({ serverId: lab, message: 'first' })
    expect((await queue.next()).request).toMatchObject({ serverId: '0', message: 'second' })
  })

  it('does not ask Discord anything when nothing was chosen or named', async () => {
    const { ask, calls } = await startInServers()
    await ask('why?')
    expect(await calls('/guilds')).toBe(0)
  })

  it('asks Discord once in some minutes', async () => {
    const { ask, choose, lab, calls, passSomeMinutes } = await startInServers()
    await choose(lab)
    for (const text of ['one', 'two']) await ask(text)
    expect(await calls('/members/')).toBe(1)
    await passSomeMinutes()
    await ask('three')
    expect(await calls('/members/')).toBe(2)
  })
})

describe('a mention in a server', () => {
  it('belongs to that server, whatever was chosen for direct messages or is named', async () => {
    const { server, userId, general, choose, home, lab, queue } = await startInServers()
    await choose(home)
    await server.sendGuildMessage({ channelId: general, userId, content: '[Home] why?', mentionsBot: true })
    const { request } = await queue.next()
    expect(request).toMatchObject({ serverId: lab, message: '[Home] why?' })
    expect(request).not.toHaveProperty('directServerName')
  })
})

describe('/ask in a direct conversation', () => {
  it('belongs to the conversation that was chosen', async () => {
    const { server, userId, choose, lab, queue } = await startInServers()
    await choose(lab)
    await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    expect((await queue.next()).request).toMatchObject({ serverId: lab, directServerName: 'Lab', message: 'why?' })
  })
})

describe('who has left the server that was chosen', () => {
  it.each(['user', 'bot'])('is told so, and is in their own conversation again: the %s has left', async (who) => {
    const { server, userId, ask, tell, choose, chosen, lab, passSomeMinutes, see, queue, ledger, clock, channelId } =
      await startInServers()
    await choose(lab)
    await ask('why?')
    await server.removeMember(lab, who === 'user' ? userId : await server.botUserId())
    await passSomeMinutes()
    const messageId = await tell('and now?')
    const { content } = await see('CONVERSATION_CLOSED')
    expect(content).toContain('your own conversation again')
    expect(queue.added).toHaveLength(1)
    expect(await chosen()).toBeNull()
    // Who was told has read it: it is not taken in at the next start.
    await clock.passUntil(ledger.until(({ read }) => read.length > 0))
    expect(ledger.read).toEqual([{ channelId, userId, lastMessageId: messageId }])
    expect((await ask('and now?')).asked.request.serverId).toBe('0')
  })

  it('can ask nothing in its conversation with the buttons that are left of it', async () => {
    const { server, userId, ask, choose, chosen, lab, passSomeMinutes, press, whisper, queue, isStored } =
      await startInServers()
    await choose(lab)
    const { asked } = await ask('why?')
    asked.start().tell({ type: 'failed', failure: FAILURE, attempt: 1 })
    isStored(asked, 'FAILED')
    await server.removeMember(lab, userId)
    await passSomeMinutes()
    await press('cannot be reached', 'retry')
    await whisper('no longer in')
    expect(queue.added).toHaveLength(1)
    expect(await chosen()).toBeNull()
  })

  it('is refused nothing more than what belongs to it', async () => {
    const { server, userId, ask, choose, chosen, lab, home, passSomeMinutes, press, whisper, isStored } =
      await startInServers()
    const { asked } = await ask('[Lab] why?')
    asked.start().complete('because')
    isStored(asked, 'COMPLETED')
    await choose(home)
    await server.removeMember(lab, userId)
    await passSomeMinutes()
    await press('because', 'regenerate')
    await whisper('no longer in')
    expect(await chosen()).toBe(home)
    expect((await ask('why?')).asked.request.serverId).toBe(home)
  })
})

describe('buttons below an answer to a direct message', () => {
  it('ask in the conversation of that answer, whatever was chosen since', async () => {
    const { ask, choose, lab, home, press, queue, isStored } = await startInServers()
    await choose(lab)
    const inLab = (await ask('why?')).asked
    inLab.start().complete('because')
    isStored(inLab, 'COMPLETED')
    await choose(home)
    await press('because', 'regenerate')
    expect((await queue.next()).request).toMatchObject({ serverId: lab, directServerName: 'Lab', message: 'why?' })
  })

  it('do not move what was asked in their own conversation', async () => {
    const { ask, choose, lab, press, queue, isStored } = await startInServers()
    const { asked } = await ask('[x] why?')
    asked.start().complete('because')
    isStored(asked, 'COMPLETED')
    await choose(lab)
    await press('because', 'regenerate')
    expect((await queue.next()).request).toMatchObject({ serverId: '0', message: '[x] why?' })
  })
})

describe('while Discord does not say who is in a server', () => {
  it('nothing is asked there, and the choice stays', async () => {
    const { server, tell, see, choose, chosen, lab, queue } = await startInServers()
    await choose(lab)
    await server.failNext({ method: 'GET', route: '/guilds/:guildId/members/:userId', status: 403, count: 9 })
    await tell('why?')
    expect((await see('CONVERSATION_UNCLEAR')).content).toContain('could not be looked up')
    expect(queue.added).toEqual([])
    expect(await chosen()).toBe(lab)
  })
})

describe('while the database is away', () => {
  it('what was chosen last still holds', async () => {
    let isAway = false
    const preferences = () =>
      isAway ? NO_RECORDS.preferences('') : Promise.resolve({ ...NO_PREFERENCES, directServerId: lab })
    const room = await startWithButtons({}, { records: { ...NO_RECORDS, preferences } })
    const lab = await room.server.addGuild('Lab')
    await room.server.addMember(lab, room.userId)
    await room.ask('one')
    isAway = true
    expect((await room.ask('two')).asked.request).toMatchObject({ serverId: lab })
  })
})

describe('the card of a direct message', () => {
  it('says in its small print whose conversation it belongs to, but not while the answer grows', async () => {
    const { ask, see, clock } = await startInServers()
    const { asked } = await ask('[Lab] why?')
    asked.start()
    expect((await see('Thinking')).content).toBe('💭 Thinking…\n-# Conversation of Lab')
    asked.write('beca')
    await clock.advance(1_000)
    expect((await see('beca')).content).toBe('beca')
    asked.complete('because')
    await clock.advance(1_000)
    expect((await see('because')).content).toBe('because\n-# Conversation of Lab')
  })

  it('says so after a restart', async () => {
    const { ask, see, gateway } = await startInServers()
    const { asked } = await ask('[Lab] why?')
    gateway.deliver({ request: asked.stored(), statusMessageId: null, status: 'COMPLETED', messages: ['because'] })
    expect((await see('because')).content).toBe('because\n-# Conversation of Lab')
    const listener = gateway.resume({ request: asked.stored(), attempt: 1, statusMessageId: null })
    listener({ type: 'queued', requestId: asked.id, attempt: 1, position: 2, restored: true })
    expect((await see('Parley was restarted')).content).toContain('-# Conversation of Lab')
  })
})

describe('a second direct message while the first one waits', () => {
  async function startWaiting(second: string) {
    const room = await startInServers()
    const first = (await room.ask('[Lab] why?')).asked
    first.accept(2)
    await room.see('2nd in line')
    room.isActive(first, { waiting: true })
    const active = room.queue.actives.get(room.userId)
    if (active) room.queue.actives.set(room.userId, { ...active, serverId: first.request.serverId })
    const refused = (await room.ask(second)).asked
    refused.refuse({ code: 'REQUEST_ALREADY_ACTIVE', message: 'Still at work.' })
    await room.see('Still at work')
    return { ...room, first }
  }

  it('can be added to it without the name in front', async () => {
    const { press, queue, first } = await startWaiting('[lab] and how?')
    await press('Still at work', 'append')
    await queue.untilCommanded()
    expect(queue.commands).toEqual([expect.stringMatching(`^append ${first.id} \\d+ and how\\?$`)])
  })

  it('cannot be added to it from another conversation', async () => {
    const { buttons } = await startWaiting('and how?')
    expect(await buttons('Still at work')).toEqual([])
  })

  it('is not added to it when it names another server by then', async () => {
    const { press, server, whisper, queue, see } = await startWaiting('[lab] and how?')
    const { referenceId } = await see('Still at work')
    await server.editUserMessage(referenceId ?? '', '[Home] and how?')
    await press('Still at work', 'append')
    await whisper(PRESS_REPLIES.otherConversation)
    expect(queue.commands).toEqual([])
  })
})
