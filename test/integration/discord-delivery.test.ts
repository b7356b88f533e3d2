import { describe, expect, it } from 'vitest'
import type { RefusalCode } from '#protocol/queue.ts'
import { startWithUser, WAIT_MS } from '#support/discord-room.ts'

const MESSAGES = '/channels/:id/messages'
const MESSAGE = '/channels/:id/messages/:id'

/** A user, and what becomes of the bot's calls. */
async function startWithCalls(...options: Parameters<typeof startWithUser>) {
  const room = await startWithUser(...options)
  /** Status codes of the calls to a method, in order; 0 for a broken connection. */
  const statuses = async (method: string) => {
    const calls = await room.server.log()
    return calls
      .filter((call) => call.method === method && call.route.startsWith('/channels'))
      .map(({ status }) => status)
  }
  /** Everything the bot has ever sent to the channel, deleted or not. */
  const sent = async () => (await room.server.messages(room.channelId)).filter(({ authorIsBot }) => authorIsBot)
  return { ...room, statuses, sent }
}

describe('a message whose call fails', () => {
  it.each([
    ['is not there when it did not arrive', 'drop'],
    ['is not there a second time when it did', 'dropAfter'],
    ['is not there a second time when the connection was reset', 'resetAfter'],
  ] as const)('%s', async (_, status) => {
    const { ask, see, server, sent } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status })
    const { asked } = await ask()
    asked.accept(3)
    await see('3rd in line')
    asked.tell({ type: 'started', attempt: 1 }).complete('because')
    await see('because')
    expect(await sent()).toMatchObject([{ content: 'because', deleted: false }])
  })

  it('is edited when it turns out that it arrived with what has been overtaken', async () => {
    const { ask, see, server, clock, sent } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    const { asked } = await ask()
    asked.accept(3)
    await server.waitFor({ type: 'calls', method: 'POST', status: 0 }, WAIT_MS)
    await clock.timer()
    asked.tell({ type: 'started', attempt: 1 }).complete('because')
    await see('because')
    const [message, ...others] = await sent()
    expect(others).toEqual([])
    expect(message?.revisions.map(({ content }) => content)).toEqual(['⏳ Queued: you are 3rd in line.', 'because'])
  })

  it('is not there a second time when Discord has forgotten the first by the time it can be reached', async () => {
    const { ask, see, server, clock, sent } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'drop', count: 7 })
    const { asked } = await ask()
    asked.accept(3)
    await server.waitFor({ type: 'calls', method: 'POST', status: 0 }, WAIT_MS)
    await server.advanceClock(6 * 60_000)
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'GET', route: MESSAGES, status: 200 }, WAIT_MS))
    asked.tell({ type: 'started', attempt: 1 }).complete('because')
    await see('because')
    expect(await sent()).toMatchObject([{ content: 'because', deleted: false }])
  })

  it('is not there a second time when Discord took too long to say so', async () => {
    const { ask, see, server, sent, statuses } = await startWithCalls({}, { callTimeoutMs: 200 })
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'hangAfter' })
    const { asked } = await ask()
    asked.start().complete('because')
    await see('because')
    await server.waitFor({ type: 'calls', method: 'POST', status: 200 }, WAIT_MS)
    expect(await sent()).toHaveLength(1)
    expect(await statuses('POST')).toEqual([null, 200])
  })

  it('is sent again until Discord takes it', async () => {
    const { ask, see, server, statuses, shown } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 500, count: 6 })
    const { asked } = await ask()
    asked.start().complete('because')
    await see('because')
    expect(await statuses('POST')).toEqual([500, 500, 500, 500, 500, 500, 200])
    expect(await shown()).toEqual(['because'])
  })

  it('is edited again until Discord takes it, and ends with the newest text', async () => {
    const { ask, see, server, statuses, shown, log } = await startWithCalls()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.failNext({ method: 'PATCH', route: MESSAGE, status: 502, count: 3 })
    await server.failNext({ method: 'PATCH', route: MESSAGE, status: 'drop', count: 5 })
    asked.write('Because')
    asked.complete('Because of the air.')
    await see('of the air')
    expect(await statuses('PATCH')).toEqual([502, 502, 502, 0, 0, 0, 0, 0, 200])
    expect(await shown()).toEqual(['Because of the air.'])
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('waits as long as Discord asks for, without a call meanwhile', async () => {
    const { ask, see, server, clock } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 429, retryAfterSeconds: 1 })
    const { asked } = await ask()
    asked.start()
    await server.waitFor({ type: 'calls', status: 429 }, WAIT_MS)
    for (const text of ['one', 'one two', 'one two three']) {
      asked.write(text)
      await clock.advance(1_000)
    }
    asked.complete('one two three four')
    await see('four')
    const calls = (await server.log()).filter(({ route }) => route.startsWith('/channels'))
    expect(calls.map(({ method, status }) => [method, status])).toEqual([
      ['POST', 429],
      ['POST', 200],
      ['PATCH', 200],
    ])
    const [refused, next] = calls
    expect((next?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1_000)
  })
})

describe('a message that can no longer be edited', () => {
  it('is sent anew when the user deletes it in the middle of an answer', async () => {
    const { ask, see, server, shown } = await startWithCalls()
    const { asked } = await ask()
    asked.start().write('Because')
    const { id } = await see('Because')
    await server.deleteMessage(id)
    asked.write('Because of')
    await see('Because of')
    asked.complete('Because of the air.')
    await see('of the air')
    expect(await shown()).toEqual(['Because of the air.'])
  })

  it('is sent anew when its thread was archived, which brings the thread back', async () => {
    const { ask, see, server, shown } = await startWithCalls()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.failNext({ method: 'PATCH', route: MESSAGE, status: 400, code: 50_083 })
    asked.complete('because')
    await see('because')
    expect(await shown()).toEqual(['💭 Thinking…', 'because'])
  })

  it('answers nothing in particular where the bot may not read what was written before', async () => {
    const { ask, see, server, sent } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 403, code: 160_002 })
    const { asked } = await ask()
    asked.start().complete('one', 'two')
    await see('two')
    expect(await sent()).toMatchObject([
      { content: 'one', referenceId: null },
      { content: 'two', referenceId: null },
    ])
  })
})

describe('an answer that cannot be shown', () => {
  it('is noted and forgotten, and the user can ask again', async () => {
    const { ask, see, server, userId, log, ledger, statuses, shown, gateway } = await startWithCalls()
    await server.refuseDm(userId)
    const noted = log.next('could not be shown')
    const { asked } = await ask()
    asked.start()
    expect(await noted).toMatchObject({
      level: 'error',
      fields: { code: 'DELIVERY_FAILED', requestId: asked.id, reason: expect.stringContaining('50007') },
    })
    asked.write('Because')
    expect(ledger.abandoned).toEqual([])
    asked.complete('Because of the air.')
    await ledger.until(({ abandoned }) => abandoned.length > 0)
    expect(ledger.abandoned).toEqual([`${asked.id} 50007: Cannot send messages to this user`])
    await server.refuseDm(userId, false)
    const again = await ask('and now?')
    again.asked.start().complete('yes')
    await see('yes')
    expect(await statuses('POST')).toEqual([403, 403, 200])
    expect(await shown()).toEqual(['yes'])
    await gateway.stop(10_000)
    expect(log.lines.filter(({ message }) => message.includes('before the end'))).toEqual([])
  })

  it('is shown to who has blocked the bot, and unblocks it before the end', async () => {
    const { ask, see, server, userId, log, ledger } = await startWithCalls()
    await server.refuseDm(userId)
    const noted = log.next('could not be shown')
    const { asked } = await ask()
    asked.start()
    await noted
    await server.refuseDm(userId, false)
    asked.complete('because')
    const { id } = await see('because')
    await ledger.until(({ delivered }) => delivered.length > 0)
    expect([ledger.delivered, ledger.abandoned]).toEqual([[`${asked.id} ${id}`], []])
  })

  it('is replaced by a notice when Discord does not take its words', async () => {
    const { ask, see, server, log, ledger, shown } = await startWithCalls()
    const { asked } = await ask()
    asked.start().write('one')
    await see('one')
    await server.failNext({ method: 'PATCH', route: MESSAGE, status: 400, code: 240_000 })
    asked.complete('one and a link', 'two')
    await see('`/history` shows it.\n-# DELIVERY_FAILED')
    await ledger.until(({ abandoned }) => abandoned.length > 0)
    expect(await shown()).toHaveLength(1)
    expect(ledger.delivered).toEqual([])
    expect(ledger.abandoned).toEqual([expect.stringContaining(`${asked.id} 240000`)])
    expect(log.lines.filter(({ message }) => message.includes('could not be shown'))).toHaveLength(1)
  })

  it('is not there when Discord does not take the notice of that either', async () => {
    const { ask, server, ledger, shown } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 400, code: 50_035, count: 2 })
    const { asked } = await ask()
    asked.start().complete('because')
    await ledger.until(({ abandoned }) => abandoned.length > 0)
    expect([await shown(), ledger.delivered]).toEqual([[], []])
    expect(ledger.abandoned).toEqual([expect.stringContaining(`${asked.id} 50035`)])
  })

  it('is tried but seldom after a quarter of an hour without Discord', async () => {
    const { ask, see, server, log, clock, ledger } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'drop', count: 35 })
    const noted = log.next('could not be shown')
    const { asked } = await ask()
    asked.start().complete('because')
    expect(await clock.passUntil(noted)).toMatchObject({ fields: { code: 'DELIVERY_FAILED', requestId: asked.id } })
    expect([ledger.delivered, ledger.abandoned]).toEqual([[], []])
    const { id } = await see('because')
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length > 0))
    expect([ledger.delivered, ledger.abandoned]).toEqual([[`${asked.id} ${id}`], []])
  })

  it('is left to the next start when the token was taken away', async () => {
    const { ask, see, server, log, clock, ledger } = await startWithCalls()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.failNext({ method: 'PATCH', route: MESSAGE, status: 401 })
    const noted = log.next('could not be shown')
    asked.complete('because')
    expect(await clock.passUntil(noted)).toMatchObject({ fields: { code: 'DELIVERY_FAILED', requestId: asked.id } })
    expect([ledger.delivered, ledger.abandoned]).toEqual([[], []])
  })
})

describe('what is noted in the database', () => {
  it('is where an end stands, once all of it does', async () => {
    const { ask, server, channelId, clock, ledger } = await startWithCalls()
    const answered = await ask()
    answered.asked.start().complete('one', 'two')
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length === 1))
    const ids = (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot).map(({ id }) => id)
    expect(ledger.delivered).toEqual([[answered.asked.id, ...ids].join(' ')])
    const failed = await ask()
    failed.asked.start().tell({ type: 'failed', failure: { code: 'MODEL_FAILED', message: 'It broke.' }, attempt: 1 })
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length === 2))
    const cancelled = await ask()
    cancelled.asked.start().tell({ type: 'cancelled', reason: 'user', attempt: 1 })
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length === 3))
    expect(ledger.abandoned).toEqual([])
  })

  it('is waited for by a stop', async () => {
    const { ask, clock, ledger, gateway } = await startWithCalls()
    const held = Promise.withResolvers<void>()
    ledger.held = held.promise
    const { asked } = await ask()
    const callsBefore = ledger.calls
    asked.start().complete('because')
    // The message that shows it, and that this is the end.
    await clock.passUntil(ledger.until(({ calls }) => calls === callsBefore + 2))
    const stopped = gateway.stop(10_000)
    await clock.advance(1)
    // The timer of the stop: it has not gone on to disconnect.
    expect(clock.pending).toBe(1)
    held.resolve()
    await stopped
    expect(ledger.delivered).toHaveLength(1)
  })

  it('is only a line of the log when the database does not take it', async () => {
    const { ask, see, server, log, ledger, userId } = await startWithCalls()
    ledger.failure = new Error('disk full')
    const delivered = log.next('that a reply was delivered was not stored')
    const first = await ask()
    first.asked.start().complete('because')
    await see('because')
    expect(await delivered).toMatchObject({ level: 'error', fields: { requestId: first.asked.id, error: 'disk full' } })
    await server.refuseDm(userId)
    const abandoned = log.next('that a reply can never be delivered was not stored')
    const second = await ask()
    second.asked.start().complete('because')
    expect(await abandoned).toMatchObject({ level: 'error', fields: { requestId: second.asked.id } })
  })
})

describe('a refusal', () => {
  const codes: Exclude<RefusalCode, 'REQUEST_DUPLICATE'>[] = [
    'REQUEST_INVALID',
    'REQUEST_ALREADY_ACTIVE',
    'QUEUE_FULL',
    'QUEUE_BUSY',
    'QUEUE_STOPPING',
  ]

  it.each(codes)('says why, what to do, and its code: %s', async (code) => {
    const { ask, see, log, sent } = await startWithCalls()
    const { asked, messageId } = await ask()
    asked.refuse({ code, message: 'No, <@1>. Please send it again.' })
    await see('No')
    expect(await sent()).toMatchObject([
      { content: `⚠️ No, <@1>. Please send it again.\n-# ${code}`, referenceId: messageId, pinged: [] },
    ])
    expect(log.lines).toContainEqual({
      level: 'info',
      fields: { code, discordMessageId: messageId },
      message: 'a message was refused',
    })
  })

  it('is not told for an event that Discord has sent again', async () => {
    const { ask, see, shown } = await startWithCalls()
    const first = await ask()
    first.asked.refuse({ code: 'REQUEST_DUPLICATE', message: 'This was taken in already.' })
    const second = await ask()
    second.asked.start().complete('because')
    await see('because')
    expect(await shown()).toEqual(['because'])
  })

  it('reaches the user once, also when the connection breaks', async () => {
    const { ask, see, server, clock, sent } = await startWithCalls()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'drop' })
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    const { asked } = await ask()
    asked.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await see('The queue is full.')
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'POST', route: MESSAGES, status: 200 }, WAIT_MS))
    expect(await sent()).toHaveLength(1)
  })
})
