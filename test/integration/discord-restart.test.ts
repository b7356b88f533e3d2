import { describe, expect, it } from 'vitest'
import type { RecoveredRequest } from '#protocol/database.ts'
import { type Room, startRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'
import type { ScriptedRequest } from '#support/scripted-queue.ts'

const MESSAGES = '/channels/:id/messages'
const MINUTE_MS = 60_000

/** What the next process is told of a request that was in line or being worked on. */
function recovered(asked: ScriptedRequest, statusMessageId: string | null = null): RecoveredRequest {
  return { request: asked.stored(), attempt: 1, statusMessageId }
}

/** Ends it with whatever it has shown. */
async function kill({ gateway, clock }: Pick<Room, 'gateway' | 'clock'>): Promise<void> {
  const stopped = gateway.stop(0)
  await clock.advance(0)
  await stopped
}

/** A user, and a process of Parley that can be killed and followed by another one. */
async function startAndRestart() {
  const first = await startWithUser()
  const { server, channelId } = first
  /** Ends the first process with whatever it has shown, and starts the next. */
  const restart = async () => {
    await kill(first)
    const room = await startRoom(server)
    const see = (text: string, where = channelId) =>
      room.clock.passUntil(
        server.waitFor({ type: 'message', channelId: where, authorIsBot: true, contentIncludes: text }, WAIT_MS),
      )
    /** Lets a request go on; resolves when its end is noted as delivered. */
    const goesOn = (recoveredRequest: RecoveredRequest) => {
      const { request, attempt } = recoveredRequest
      const listener = room.gateway.resume(recoveredRequest)
      listener({ type: 'queued', requestId: request.id, attempt, position: 2, restored: true })
      return {
        begins: () => listener({ type: 'started', requestId: request.id, attempt: attempt + 1 }),
        ends: async (...parts: string[]) => {
          const facts = { stopReason: 'end', trimmedMessages: 0, stored: true } as const
          const completed = { type: 'completed', requestId: request.id, attempt: attempt + 1, ...facts } as const
          listener({ ...completed, answer: parts.join(' '), parts })
          await room.clock.passUntil(room.ledger.until(({ delivered }) => delivered.length > 0))
        },
      }
    }
    return { ...room, see, goesOn }
  }
  /** Everything the bot has ever sent to the channel, deleted or not. */
  const sent = async () => (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)
  const callsOf = async (method: string) =>
    (await server.log()).filter((call) => call.method === method && call.route.startsWith('/channels')).length
  return { ...first, restart, sent, callsOf }
}

describe('a question that goes on after a restart', () => {
  it('does so in the same message', async () => {
    const { ask, see, restart, sent } = await startAndRestart()
    const { asked } = await ask()
    asked.accept(3)
    const placeholder = await see('3rd in line')
    const next = await restart()
    const request = next.goesOn(recovered(asked, placeholder.id))
    await next.see('Parley was restarted; your question goes on. You are 2nd in line.')
    request.begins()
    await next.see('Thinking')
    await request.ends('because')
    const [message, ...others] = await sent()
    expect(others).toEqual([])
    expect(message?.revisions.map(({ content }) => content)).toEqual([
      '⏳ Queued: you are 3rd in line.',
      '⏳ Parley was restarted; your question goes on. You are 2nd in line.',
      '💭 Thinking…',
      'because',
    ])
    expect(next.ledger.delivered).toEqual([`${asked.id} ${placeholder.id}`])
    expect(next.ledger.statusMessages).toEqual([])
  })

  it('moves up in line there', async () => {
    const { ask, see, restart, userId } = await startAndRestart()
    const { asked } = await ask()
    asked.accept(3)
    const placeholder = await see('3rd in line')
    const next = await restart()
    next.goesOn(recovered(asked, placeholder.id))
    await next.see('2nd in line')
    next.queue.move(userId, 1)
    await next.see('your question goes on. You are next.')
  })

  it('does so in the same message when nobody knew of it, which then is noted', async () => {
    const { ask, see, restart, sent } = await startAndRestart()
    const { asked } = await ask()
    asked.accept(3)
    const placeholder = await see('3rd in line')
    const next = await restart()
    await next.goesOn(recovered(asked)).ends('because')
    expect(await sent()).toMatchObject([{ id: placeholder.id, content: 'because' }])
    expect(next.ledger.statusMessages).toEqual([`${asked.id} ${placeholder.id}`])
  })

  it('says that it is kept while Parley is away, and takes away what was written', async () => {
    const { ask, see, restart, shown, ledger, clock, server } = await startAndRestart()
    const { asked } = await ask()
    asked.start().write('two', 'one')
    await see('two')
    asked.tell({ type: 'suspended', attempt: 1 })
    await see('Parley is being restarted. Your question is kept')
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'DELETE', status: 204 }, WAIT_MS))
    expect(ledger.delivered).toEqual([])
    const next = await restart()
    const request = next.goesOn(recovered(asked))
    request.begins()
    await request.ends('one', 'two')
    expect(await shown()).toEqual(['one', 'two'])
  })

  it('takes a new message when the user has deleted the old one', async () => {
    const { ask, see, restart, shown, server } = await startAndRestart()
    const { asked } = await ask()
    asked.accept(3)
    const placeholder = await see('3rd in line')
    const next = await restart()
    await server.deleteMessage(placeholder.id)
    await next.goesOn(recovered(asked, placeholder.id)).ends('because')
    expect(await shown()).toEqual(['because'])
  })

  it('takes a first message when there was none yet', async () => {
    const { ask, restart, sent } = await startAndRestart()
    const { asked, messageId } = await ask()
    const next = await restart()
    await next.goesOn(recovered(asked)).ends('because')
    expect(await sent()).toMatchObject([{ content: 'because', referenceId: messageId }])
  })

  it('leaves the answers to other questions alone', async () => {
    const { ask, restart, see, shown } = await startAndRestart()
    const other = await ask('what?')
    const { asked } = await ask()
    other.asked.start().complete('other', 'more')
    await see('more')
    const next = await restart()
    await next.goesOn(recovered(asked)).ends('because')
    expect(await shown()).toEqual(['other', 'more', 'because'])
  })

  it('waits until the channel can be read', async () => {
    const { ask, see, restart, sent, server } = await startAndRestart()
    const { asked } = await ask()
    asked.accept(3)
    await see('3rd in line')
    const next = await restart()
    await server.failNext({ method: 'GET', route: MESSAGES, status: 'drop', count: 4 })
    await next.goesOn(recovered(asked)).ends('because')
    expect(await sent()).toMatchObject([{ content: 'because' }])
  })
})

describe('an answer that an earlier process did not show to the end', () => {
  it('is shown in its messages, each of them once', async () => {
    const { ask, see, restart, sent } = await startAndRestart()
    const { asked } = await ask()
    asked.start().write('tw', 'one')
    const { id } = await see('tw')
    const next = await restart()
    next.gateway.deliver({ status: 'COMPLETED', ...recovered(asked, id), messages: ['one', 'two', 'three'] })
    await next.clock.passUntil(next.ledger.until(({ delivered }) => delivered.length > 0))
    const messages = await sent()
    expect(messages.map(({ content }) => content)).toEqual(['one', 'two', 'three'])
    expect(next.ledger.delivered).toEqual([[asked.id, ...messages.map((message) => message.id)].join(' ')])
  })

  it('is only noted when it was there in full', async () => {
    const { ask, restart, ledger, clock, callsOf } = await startAndRestart()
    const { asked } = await ask()
    asked.start().complete('one', 'two')
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length > 0))
    const before = [await callsOf('POST'), await callsOf('PATCH')]
    const next = await restart()
    next.gateway.deliver({ status: 'COMPLETED', ...recovered(asked), messages: ['one', 'two'] })
    await next.ledger.until(({ delivered }) => delivered.length > 0)
    expect(next.ledger.delivered).toEqual(ledger.delivered)
    expect([await callsOf('POST'), await callsOf('PATCH')]).toEqual(before)
  })

  it('loses what is too much', async () => {
    const { ask, see, restart, shown } = await startAndRestart()
    const { asked } = await ask()
    asked.start().write('three', 'one', 'two')
    await see('three')
    const next = await restart()
    next.gateway.deliver({ status: 'COMPLETED', ...recovered(asked), messages: ['⚠️ It broke.'] })
    await next.clock.passUntil(next.ledger.until(({ delivered }) => delivered.length > 0))
    expect(await shown()).toEqual(['⚠️ It broke.'])
  })

  it.each([
    ['the user takes no messages', 50_007, 403],
    ['the channel is gone', 10_003, 404],
  ])('is given up with the reason when %s', async (_, code, status) => {
    const { ask, restart, server } = await startAndRestart()
    const { asked } = await ask()
    const next = await restart()
    await server.failNext({ method: 'POST', route: MESSAGES, status, code, count: 10 })
    next.gateway.deliver({ status: 'COMPLETED', ...recovered(asked), messages: ['because'] })
    await next.ledger.until(({ abandoned }) => abandoned.length > 0)
    expect(next.ledger.abandoned).toEqual([expect.stringContaining(`${asked.id} ${code}: `)])
    expect(next.ledger.delivered).toEqual([])
  })

  it('is given up when its channel is not known to Discord', async () => {
    const { ask, restart } = await startAndRestart()
    const { asked } = await ask()
    const next = await restart()
    const { request } = recovered(asked)
    const gone = { ...request, channelId: '100000000000000000' }
    next.gateway.deliver({ request: gone, statusMessageId: null, status: 'COMPLETED', messages: ['because'] })
    await next.ledger.until(({ abandoned }) => abandoned.length > 0)
    expect(next.ledger.abandoned).toEqual([`${asked.id} 10003: Unknown Channel`])
  })
})

describe('a command that goes on after a restart', () => {
  /** The command, and what it has shown when the process is killed. */
  async function startWithCommand(shownBefore: string | null = 'Thinking') {
    const room = await startAndRestart()
    const { server, userId, queue, see, clock } = room
    await server.advanceClock(clock.now() - Date.now())
    const started = await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    const asked = await queue.next()
    if (shownBefore !== null) {
      asked.start()
      await see(shownBefore)
    }
    const stored = { ...recovered(asked), request: asked.stored(clock.now()) }
    return { ...room, started, stored }
  }

  it.each([null, 'Thinking'])('does so where its answer is awaited, which showed %j', async (shownBefore) => {
    const { restart, sent, started, stored, callsOf } = await startWithCommand(shownBefore)
    const next = await restart()
    await next.goesOn(stored).ends('one', 'two')
    const messages = await sent()
    expect(messages).toMatchObject([
      { content: 'one', interactionId: started.id, loading: false },
      { content: 'two', interactionId: null, referenceId: messages[0]?.id },
    ])
    expect(await callsOf('POST')).toBe(1)
  })

  it('does so where the bot may neither read nor write', async () => {
    const { restart, shown, server, channelId, stored } = await startWithCommand()
    const next = await restart()
    await server.refuseDm(channelId)
    const path = `/channels/${channelId}/messages`
    await server.failNext({ method: 'GET', path, status: 403, code: 50_001 })
    await server.failNext({ method: 'POST', path, status: 403, code: 50_001 })
    await next.goesOn(stored).ends('one', 'two')
    expect(await shown()).toEqual(['one', 'two'])
  })

  it('goes on in a normal message when its quarter of an hour is over', async () => {
    const { restart, shown, sent, server, stored, see } = await startWithCommand()
    const { id } = await see('Thinking')
    await server.advanceClock(15 * MINUTE_MS)
    const next = await restart()
    await next.clock.advance(15 * MINUTE_MS)
    await next.goesOn({ ...stored, statusMessageId: id }).ends('because')
    expect(await shown()).toEqual(['because'])
    expect((await sent()).at(-1)).toMatchObject({ interactionId: null })
  })

  it('goes on in the normal message in which it had gone on', async () => {
    const { restart, sent, server, started, stored, see, clock } = await startWithCommand(null)
    await server.expireToken(started.token)
    await clock.advance(0)
    const before = await restart()
    before.goesOn(stored).begins()
    const { id } = await before.see('Thinking')
    await kill(before)
    const next = await restart()
    await next.goesOn({ ...stored, statusMessageId: id }).ends('because')
    const messages = (await sent()).filter(({ deleted }) => !deleted)
    expect(messages).toMatchObject([{ loading: true }, { id, content: 'because', interactionId: null }])
    await see('because')
  })

  it('takes a normal message when the user has deleted the one that waited for it', async () => {
    const { restart, shown, server, sent, stored } = await startWithCommand(null)
    const [waiting] = await sent()
    await server.deleteMessage(waiting?.id ?? '')
    const next = await restart()
    await next.goesOn(stored).ends('because')
    expect(await shown()).toEqual(['because'])
  })
})
