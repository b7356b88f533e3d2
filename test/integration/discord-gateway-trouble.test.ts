import { describe, expect, it } from 'vitest'
import { startWithUser, WAIT_MS } from '#support/discord-room.ts'

const MESSAGES = '/channels/:id/messages'

describe('a connection on which nothing comes any more', () => {
  it('is noticed by its heartbeats, and resumed: what was written into the silence is asked once', async () => {
    const { server, userId, queue, log } = await startWithUser({ heartbeatIntervalMs: 100 })
    await server.freezeGateway()
    await server.sendDm(userId, 'is anybody there?')
    expect((await queue.next()).request.message).toBe('is anybody there?')
    expect([(await server.identifies()).length, (await server.resumes()).length]).toEqual([1, 1])
    expect(log.lines.map(({ message }) => message)).toContain('connection to Discord lost, reconnecting')
    expect(queue.added).toHaveLength(1)
  })
})

describe('a storm of reconnects', () => {
  it('loses no message and doubles none, in one session', async () => {
    const { server, userId, queue, ask, see } = await startWithUser()
    const { asked } = await ask('before the storm')
    asked.start()
    await see('Thinking')
    const texts = Array.from({ length: 8 }, (_, round) => `in round ${round}`)
    for (const [round, text] of texts.entries()) {
      const resumed = server.waitFor({ type: 'gateway', event: 'resumed', count: round + 1 }, WAIT_MS)
      if (round % 2 === 0) await server.closeGateway(4000)
      else await server.requestReconnect()
      const messageId = await server.sendDm(userId, text)
      await server.replayMessage(messageId)
      await resumed
      expect((await queue.next()).request.message).toBe(text)
    }
    asked.complete('answered after the storm')
    await see('answered after the storm')
    expect(queue.added.map(({ message }) => message)).toEqual(['before the storm', ...texts])
    expect([(await server.identifies()).length, (await server.resumes()).length]).toEqual([1, texts.length])
  })
})

describe('a token that is taken back while Parley runs', () => {
  it('ends the gateway with what to do, once the session is closed for it', async () => {
    const ended = Promise.withResolvers<Error>()
    const { server, ask } = await startWithUser({}, { onGivenUp: ended.resolve })
    const { asked } = await ask()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 401, count: 9 })
    asked.start()
    await server.waitFor({ type: 'calls', method: 'POST', route: MESSAGES }, WAIT_MS)
    await server.closeGateway(4004)
    expect(await ended.promise).toMatchObject({
      code: 'DISCORD_LOGIN_REFUSED',
      message: expect.stringContaining('DISCORD_TOKEN'),
    })
  })
})
