import { describe, expect, it } from 'vitest'
import type { CatchUpLimits } from '#discord/catch-up.ts'
import type { DiscordServerHandle } from '#support/discord/start-discord-server.ts'
import { newDiscord, newRoom, type Room, WAIT_MS } from '#support/discord-room.ts'

const MESSAGES = '/channels/:id/messages'
const HOUR_MS = 3_600_000
const LIMITS: CatchUpLimits = { ageMs: 12 * HOUR_MS, channels: 100, messages: 50 }

/** A Discord whose time is that of the room. */
async function newDiscordOf({ clock }: Pick<Room, 'clock'>, server: DiscordServerHandle): Promise<void> {
  await server.advanceClock(clock.now() - Date.now())
}

/** What an earlier process of the bot has answered. */
async function replyTo(
  server: DiscordServerHandle,
  channelId: string,
  question: string,
  content: string,
): Promise<void> {
  const { status } = await fetch(`${server.apiUrl}/v10/channels/${channelId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bot ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ content, message_reference: { message_id: question } }),
  })
  expect(status).toBe(200)
}

/** A user whose direct conversation was read up to now, and a gateway that is not connected yet. */
async function away(limits: Partial<CatchUpLimits> = {}) {
  const server = await newDiscord()
  const room = newRoom(server, { catchUp: { ...LIMITS, ...limits } })
  await newDiscordOf(room, server)
  /** One more person, known to the database. */
  const person = async (username: string) => {
    const userId = await server.addUser({ username })
    const channelId = await server.openDm(userId)
    room.ledger.channels.push({ channelId, userId, lastMessageId: await server.sendDm(userId, 'before') })
    const see = (text: string) =>
      room.clock.passUntil(
        server.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes: text }, WAIT_MS),
      )
    return { userId, channelId, see, writes: (text: string) => server.sendDm(userId, text) }
  }
  /** The bot's calls that read messages. */
  const reads = async () => (await server.log()).filter(({ method, route }) => method === 'GET' && isMessages(route))
  /** How many times the database was asked from where to read; once more for each session. */
  const sessions = (count: number) => room.ledger.until(({ asked }) => asked.length >= count)
  const asked = () => room.queue.added.map(({ message }) => message)
  return { server, person, reads, sessions, asked, ...room }
}

function isMessages(route: string): boolean {
  return /^\/channels\/:\w+\/messages$/.test(route)
}

describe('what came while Parley was away', () => {
  it('becomes one request of each user, answered in reply to the newest message', async () => {
    const { gateway, queue, person } = await away()
    const { userId, channelId, writes, see } = await person('ada')
    await writes('why is the sky blue?')
    await writes('and the sea?')
    const newest = await writes('please')
    await gateway.start()
    const asked = await queue.next()
    expect(asked.request).toEqual({
      userId,
      serverId: '0',
      channelId,
      message: 'why is the sky blue?\n\nand the sea?\n\nplease',
      discordMessageId: newest,
      interactionToken: null,
    })
    asked.start().complete('because')
    expect(await see('because')).toMatchObject({ referenceId: newest })
  })

  it('is taken in in the order in which people began to wait', async () => {
    const { gateway, queue, person } = await away()
    const [ada, bob, eve] = [await person('ada'), await person('bob'), await person('eve')]
    await eve.writes('first')
    await ada.writes('second')
    await bob.writes('third')
    await eve.writes('fourth')
    await gateway.start()
    const messages = []
    for (const _ of [1, 2, 3]) messages.push((await queue.next().then((asked) => asked.accept())).request.message)
    expect(messages).toEqual(['first\n\nfourth', 'second', 'third'])
  })

  it('is read page by page, one conversation after the other', async () => {
    const { gateway, server, queue, person, reads } = await away({ messages: 150 })
    const ada = await person('ada')
    await person('bob')
    const texts = Array.from({ length: 120 }, (_, index) => `line ${index}`)
    for (const text of texts) await ada.writes(text)
    await gateway.start()
    expect((await queue.next()).request.message).toBe(texts.join('\n\n'))
    expect(await reads()).toHaveLength(3)
    expect((await server.counts()).byStatus['429']).toBeUndefined()
  })

  it.each([
    ['older messages than allowed are left alone', { ageMs: 2 * HOUR_MS }, 'new\n\nnewer\n\nnewest'],
    ['more messages than allowed are left to the next time', { messages: 3 }, 'old\n\nnew\n\nnewer'],
  ])('is bounded: %s', async (_, limits, message) => {
    const { gateway, server, queue, clock, person } = await away(limits)
    const { writes } = await person('ada')
    await writes('old')
    await server.advanceClock(3 * HOUR_MS)
    await clock.advance(3 * HOUR_MS)
    await writes('new')
    await writes('newer')
    await writes('newest')
    await gateway.start()
    expect((await queue.next()).request.message).toBe(message)
  })

  it('is looked for in so many conversations only', async () => {
    const { gateway, queue, person, ledger, reads } = await away({ channels: 1 })
    const [ada, bob] = [await person('ada'), await person('bob')]
    await bob.writes('from bob')
    await ada.writes('from ada')
    await gateway.start()
    expect((await queue.next()).request.message).toBe('from ada')
    expect([ledger.asked, (await reads()).length, queue.added.length]).toEqual([[1], 1, 1])
  })

  it('is not looked for when that is switched off', async () => {
    const { gateway, person, reads, ledger, asked, queue } = await away({ messages: 0 })
    const { writes } = await person('ada')
    await writes('missed')
    await gateway.start()
    await writes('live')
    await queue.next()
    expect([ledger.asked, await reads(), asked()]).toEqual([[], [], ['live']])
  })

  it('is noted as read when nobody asked anything', async () => {
    const { gateway, server, person, ledger, asked } = await away()
    const { userId, channelId } = await person('ada')
    const newest = await server.sendDm(userId, 'a call has ended', { type: 3 })
    await gateway.start()
    await ledger.until(({ read }) => read.length > 0)
    expect([ledger.read, asked()]).toEqual([[{ channelId, userId, lastMessageId: newest }], []])
  })

  it('is refused like anything else, once: it is noted as read', async () => {
    const { gateway, queue, person, ledger, log } = await away()
    const { userId, channelId, writes, see } = await person('ada')
    await writes('too')
    const newest = await writes('much')
    await gateway.start()
    const asked = await queue.next()
    asked.refuse({ code: 'REQUEST_INVALID', message: 'That is too long.' })
    expect(await see('too long')).toMatchObject({ referenceId: newest })
    expect(ledger.read).toEqual([{ channelId, userId, lastMessageId: newest }])
    expect(log.lines).toContainEqual(expect.objectContaining({ message: 'a message was refused' }))
  })

  it('is not taken in again when Discord sends it all the same', async () => {
    const { gateway, server, queue, person, asked } = await away()
    const { writes } = await person('ada')
    const missed = await writes('missed')
    await gateway.start()
    await queue.next()
    await server.replayMessage(missed)
    await writes('live')
    await queue.next()
    expect(asked()).toEqual(['missed', 'live'])
  })
})

describe('what was answered although that could not be stored', () => {
  it.each([
    ['refused', '⚠️ The queue is full.\n-# QUEUE_FULL', []],
    ['answered', 'because', []],
    ['only acknowledged', '💭 Thinking…', ['why?']],
  ])('is taken in again when it was %s: %s', async (_, reply, taken) => {
    const { gateway, server, person, asked, queue, sessions } = await away()
    const { channelId, writes } = await person('ada')
    const bob = await person('bob')
    const question = await writes('why?')
    await replyTo(server, channelId, question, reply)
    await bob.writes('last')
    await gateway.start()
    await sessions(1)
    while (!asked().includes('last')) (await queue.next()).accept()
    expect(asked()).toEqual([...taken, 'last'])
  })
})

describe('while it is being read', () => {
  it('what comes live is a request of its own, and an older one is not lost to it', async () => {
    const { gateway, server, queue, person, asked } = await away()
    const { writes, see } = await person('ada')
    await writes('missed')
    await server.failNext({ method: 'GET', route: MESSAGES, status: 'hang' })
    await gateway.start()
    await server.waitFor({ type: 'calls', method: 'GET', route: MESSAGES, phase: 'arrived' }, WAIT_MS)
    await writes('live')
    const live = await queue.next()
    live.start()
    await server.releaseHeld()
    const missed = await queue.next()
    missed.refuse({ code: 'REQUEST_ALREADY_ACTIVE', message: 'Your last question is still being answered.' })
    await see('still being answered')
    expect(asked()).toEqual(['live', 'missed'])
  })

  it('what comes live is not noted as read, before it is stored', async () => {
    const { gateway, server, queue, person, ledger, asked } = await away()
    const [ada, bob] = [await person('ada'), await person('bob')]
    await bob.writes('missed')
    await server.failNext({ method: 'GET', path: `/channels/${ada.channelId}/messages`, status: 'hang' })
    await gateway.start()
    await server.waitFor({ type: 'calls', method: 'GET', route: MESSAGES, phase: 'arrived' }, WAIT_MS)
    await ada.writes('live')
    await queue.next()
    await server.releaseHeld()
    await queue.next()
    expect([asked(), ledger.read]).toEqual([['live', 'missed'], []])
  })

  it('a conversation that cannot be read is left out and noted', async () => {
    const { gateway, server, queue, person, log, ledger } = await away()
    const [ada, bob] = [await person('ada'), await person('bob')]
    await bob.writes('from bob')
    await server.failNext({ path: `/channels/${ada.channelId}/messages`, status: 403, code: 50_001 })
    await gateway.start()
    expect((await queue.next()).request.message).toBe('from bob')
    expect(log.lines).toContainEqual({
      level: 'warn',
      fields: { channelId: ada.channelId, error: expect.any(String) },
      message: 'a conversation could not be read for what came while Parley was away',
    })
    expect(ledger.read).toEqual([])
  })

  it('a broken connection is tried again', async () => {
    const { gateway, server, queue, person, clock } = await away()
    const { writes } = await person('ada')
    await writes('missed')
    await server.failNext({ method: 'GET', route: MESSAGES, status: 'drop', count: 2 })
    await gateway.start()
    expect((await clock.passUntil(queue.next())).request.message).toBe('missed')
  })

  it('a stop ends it, and leaves what was not taken in to the next start', async () => {
    const { gateway, server, person, clock, ledger, asked } = await away()
    const { writes } = await person('ada')
    await writes('missed')
    await server.failNext({ method: 'GET', route: MESSAGES, status: 'drop' })
    await gateway.start()
    await server.waitFor({ type: 'calls', method: 'GET', route: MESSAGES, status: 0 }, WAIT_MS)
    await clock.timer()
    await gateway.stop(0)
    expect([asked(), ledger.read, clock.pending]).toEqual([[], [], 0])
  })

  it('a stop leaves those who are not yet taken in to the next start, unrefused', async () => {
    const { gateway, queue, person, ledger, asked, server } = await away()
    const [ada, bob] = [await person('ada'), await person('bob')]
    await ada.writes('first')
    await bob.writes('second')
    await gateway.start()
    const first = await queue.next()
    gateway.stopIntake()
    first.start().complete('because')
    await ada.see('because')
    await gateway.stop(10_000)
    expect([asked(), ledger.read]).toEqual([['first'], []])
    expect((await server.messages(bob.channelId)).filter(({ authorIsBot }) => authorIsBot)).toEqual([])
  })

  it('a database that does not tell where to begin is noted, and live messages are taken in', async () => {
    const { gateway, queue, person, ledger, log, clock } = await away()
    const { writes } = await person('ada')
    ledger.failure = new Error('disk full')
    const noted = log.next('could not be taken in')
    await gateway.start()
    expect(await clock.passUntil(noted)).toMatchObject({ level: 'error', fields: { error: 'disk full' } })
    await writes('live')
    expect((await queue.next()).request.message).toBe('live')
  })

  it('a database that tells where to begin only later is asked again', async () => {
    const { gateway, queue, person, ledger, clock } = await away()
    const { writes } = await person('ada')
    await writes('meanwhile')
    ledger.failure = new Error('the database thread is gone')
    await gateway.start()
    await clock.passUntil(ledger.until(({ calls }) => calls >= 2))
    ledger.failure = undefined
    const asked = await clock.passUntil(queue.next())
    expect(asked.request.message).toBe('meanwhile')
  })
})

describe('a connection that was lost', () => {
  it('and resumed has missed nothing, so nothing is read', async () => {
    const { gateway, server, queue, person, ledger, log } = await away()
    const { writes } = await person('ada')
    await gateway.start()
    const resumed = log.next('resumed')
    await server.closeGateway(4000)
    await resumed
    await writes('live')
    await queue.next()
    expect(ledger.asked).toHaveLength(1)
  })

  it('is caught up with when Discord gives a fresh session', async () => {
    const { gateway, server, queue, person, sessions } = await away()
    const { writes } = await person('ada')
    await gateway.start()
    await server.invalidateSession(false)
    await server.waitFor({ type: 'gateway', event: 'disconnected' }, WAIT_MS)
    await writes('missed')
    expect((await queue.next()).request.message).toBe('missed')
    await sessions(2)
    expect(await server.identifies()).toHaveLength(2)
  })
})

describe('a live message that is refused', () => {
  it('is noted as read, also when Parley is stopping', async () => {
    const { gateway, queue, person, ledger } = await away()
    const { userId, channelId, writes, see } = await person('ada')
    await gateway.start()
    const first = await writes('one')
    const asked = await queue.next()
    asked.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await see('queue is full')
    gateway.stopIntake()
    const second = await writes('two')
    await see('shutting down')
    expect(ledger.read).toEqual([first, second].map((lastMessageId) => ({ channelId, userId, lastMessageId })))
  })

  it('is not when it was asked in a server or with a command, or was taken in', async () => {
    const { gateway, server, queue, person, ledger } = await away()
    const { userId, see, writes } = await person('ada')
    const general = await server.addGuildChannel(await server.addGuild('lab'), 'general')
    await gateway.start()
    await server.sendGuildMessage({ channelId: general, userId, content: 'one', mentionsBot: true })
    const mention = await queue.next()
    mention.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await server.waitFor({ type: 'message', channelId: general, contentIncludes: 'queue is full' }, WAIT_MS)
    await server.runCommand({ userId, name: 'ask', options: { message: 'two' } })
    const command = await queue.next()
    command.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await see('queue is full')
    await writes('three')
    const accepted = await queue.next()
    accepted.start().complete('because')
    await see('because')
    expect(ledger.read).toEqual([])
  })

  it('is only a line of the log when that cannot be noted', async () => {
    const { gateway, queue, person, ledger, log } = await away()
    const { writes, see, channelId } = await person('ada')
    await gateway.start()
    await writes('one')
    const asked = await queue.next()
    ledger.failure = new Error('disk full')
    asked.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await see('queue is full')
    expect(log.lines).toContainEqual({
      level: 'debug',
      fields: { channelId, error: 'disk full' },
      message: 'how far a conversation was read was not stored',
    })
  })
})
