import { describe, expect, it } from 'vitest'
import { readButtons } from '#discord/card-buttons.ts'
import { CONTINUE, PRESS_REPLIES } from '#discord/press-replies.ts'
import { startWithButtons } from '#support/discord-buttons.ts'
import { WAIT_MS } from '#support/discord-room.ts'

const CALLBACK = '/interactions/:id/:token/callback'
const MESSAGES = '/channels/:id/messages'
const ORIGINAL = '/webhooks/:applicationId/:token/messages/:messageId'
const FAILURE = { code: 'MODEL_UNREACHABLE', message: 'The model cannot be reached.' } as const

describe('the buttons of a card', () => {
  it('are those that apply, on the last message', async () => {
    const { ask, buttons, queue, userId } = await startWithButtons()
    const { asked } = await ask()
    asked.accept(2)
    expect(await buttons('2nd in line')).toEqual(['cancel'])
    queue.move(userId, 1)
    asked.tell({ type: 'started', attempt: 1 })
    expect(await buttons('Thinking')).toEqual(['cancel'])
    asked.write('part t', 'part one')
    expect(await buttons('part t')).toEqual(['stop', 'cancel'])
    expect(await buttons('part one')).toEqual([])
    asked.complete('part one', 'part two')
    expect(await buttons('part two')).toEqual(['regenerate'])
  })

  it('offer to try again what failed or was cancelled, and to continue what was cut', async () => {
    const { ask, buttons } = await startWithButtons()
    const failed = (await ask()).asked
    failed.start().tell({ type: 'failed', failure: FAILURE, attempt: 1 })
    expect(await buttons('cannot be reached')).toEqual(['retry'])
    const cancelled = (await ask()).asked
    cancelled.start().tell({ type: 'cancelled', reason: 'user', attempt: 1 })
    expect(await buttons('Cancelled')).toEqual(['retry'])
    const cut = (await ask()).asked
    const facts = { stopReason: 'length', trimmedMessages: 0, stored: true } as const
    cut.start().tell({ type: 'completed', answer: 'half', parts: ['half'], ...facts, attempt: 1 })
    expect(await buttons('half')).toEqual(['continue', 'regenerate'])
  })
})

describe('Cancel', () => {
  it('cancels, acknowledged first', async () => {
    const { ask, press, isActive, queue, called, server } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    isActive(asked)
    queue.ending = 'CANCELLED'
    await press('Thinking', 'cancel')
    const [callback] = await called('POST', CALLBACK)
    expect(callback?.body).toEqual({ type: 6 })
    await queue.untilCommanded()
    expect(queue.commands).toEqual([`cancel ${asked.id}`])
    expect((await server.log()).filter(({ route }) => route.startsWith('POST /webhooks'))).toEqual([])
  })

  it('is for who asked only', async () => {
    const { ask, press, isActive, isStored, whisper, queue, server } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    isActive(asked)
    isStored(asked, 'PROCESSING')
    await press('Thinking', 'cancel', await server.addUser({ username: 'bob' }))
    expect((await whisper(PRESS_REPLIES.notYours)).ephemeral).toBe(true)
    expect(queue.commands).toEqual([])
  })

  it('says so when the question has ended', async () => {
    const { ask, press, isStored, whisper, queue } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    isStored(asked, 'COMPLETED')
    await press('Thinking', 'cancel')
    await whisper(PRESS_REPLIES.ended)
    expect(queue.commands).toEqual([])
  })

  it('says so when the database cannot be asked', async () => {
    const { ask, press, ledger, whisper, log } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    await press('Thinking', 'cancel')
    await whisper(PRESS_REPLIES.ended)
    ledger.failure = new Error('The database is away.')
    await press('Thinking', 'cancel')
    await whisper(PRESS_REPLIES.broken)
    expect(log.lines.map(({ message }) => message)).toContain('a pressed button could not be dealt with')
  })
})

describe('Stop & keep', () => {
  it('stops the answer that is being written', async () => {
    const { ask, press, isActive, queue } = await startWithButtons()
    const { asked } = await ask()
    asked.start().write('half an ans')
    isActive(asked)
    queue.ending = 'COMPLETED'
    await press('half an ans', 'stop')
    await queue.untilCommanded()
    expect(queue.commands).toEqual([`stopAndKeep ${asked.id}`])
  })

  it('says so when there is nothing to keep', async () => {
    const { ask, press, isActive, whisper } = await startWithButtons()
    const { asked } = await ask()
    asked.start().write('half an ans')
    isActive(asked)
    await press('half an ans', 'stop')
    await whisper(PRESS_REPLIES.nothingToKeep)
  })
})

describe('Retry', () => {
  async function startFailed() {
    const room = await startWithButtons()
    const { asked } = await room.ask('why?')
    asked.start().tell({ type: 'failed', failure: FAILURE, attempt: 1 })
    room.isStored(asked, 'FAILED')
    return { ...room, asked }
  }

  it('asks the same again as a reply to the failure, whose button goes', async () => {
    const { press, queue, asked, see, called, ledger, server } = await startFailed()
    const { messageId } = await press('cannot be reached', 'retry')
    const again = await queue.next()
    expect(again.request).toEqual({ ...asked.request, discordMessageId: messageId })
    // Once by its card and, before the new question was offered, once more.
    expect(ledger.delivered).toEqual([`${asked.id} ${messageId}`, `${asked.id} ${messageId}`])
    again.start().complete('because')
    expect(await see('because')).toMatchObject({ referenceId: messageId })
    await called('PATCH', ORIGINAL)
    const failed = (await server.messages(again.request.channelId)).find(({ id }) => id === messageId)
    expect(failed).toMatchObject({ components: [], content: expect.stringContaining('cannot be reached') })
  })

  it('is answered in follow-ups where the bot may not write', async () => {
    const { server, userId, queue, clock, isStored } = await startWithButtons()
    const channelId = await server.addGuildChannel(await server.addGuild('lab'), 'general')
    const see = (contentIncludes: string) =>
      clock.passUntil(server.waitFor({ type: 'message', channelId, contentIncludes }, WAIT_MS))
    await server.refuseDm(channelId)
    await server.runCommand({ userId, name: 'ask', options: { message: 'why?' }, channelId })
    const asked = await queue.next()
    asked.start().tell({ type: 'failed', failure: FAILURE, attempt: 1 })
    const { id: messageId, components } = await see('cannot be reached')
    isStored(asked, 'FAILED')
    await server.pressButton({ userId, messageId, customId: readButtons(components) })
    ;(await queue.next()).start().complete('because', 'of the air')
    await see('of the air')
    const contents = (await server.messages(channelId)).map(({ content }) => content)
    expect(contents).toEqual([expect.stringContaining('cannot be reached'), 'because', 'of the air'])
  })

  it('leaves the failure as it is when the answer has to be looked for', async () => {
    const { press, queue, server, clock, see, channelId } = await startFailed()
    const { messageId } = await press('cannot be reached', 'retry')
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'drop', count: 7 })
    const again = await queue.next()
    again.accept(3)
    await server.waitFor({ type: 'calls', method: 'POST', status: 0 }, WAIT_MS)
    await server.advanceClock(6 * 60_000)
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'GET', route: MESSAGES, status: 200 }, WAIT_MS))
    again.tell({ type: 'started', attempt: 1 }).complete('because')
    await see('because')
    const [failed, ...answers] = (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)
    expect(failed).toMatchObject({ id: messageId, content: expect.stringContaining('cannot be reached') })
    expect(answers).toMatchObject([{ content: 'because', referenceId: messageId }])
  })

  it('leaves the button when the queue does not take it in', async () => {
    const { press, queue, whisper, buttons } = await startFailed()
    await press('cannot be reached', 'retry')
    const again = await queue.next()
    again.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await whisper('The queue is full.')
    expect(await buttons('cannot be reached')).toEqual(['retry'])
  })

  it('says so when it was done already, and the button goes', async () => {
    const { press, queue, whisper, buttons } = await startFailed()
    await press('cannot be reached', 'retry')
    const again = await queue.next()
    again.refuse({ code: 'REQUEST_DUPLICATE', message: 'It was taken in.' })
    await whisper(PRESS_REPLIES.doneAlready)
    expect(await buttons('cannot be reached')).toEqual([])
  })

  it.each([
    ['is for who asked only', PRESS_REPLIES.notYours, { userId: '77' }, 'FAILED' as const],
    ['needs a text that was not deleted', PRESS_REPLIES.forgotten, { message: '' }, 'FAILED' as const],
    ['is not for what has its answer', PRESS_REPLIES.notFailed, {}, 'COMPLETED' as const],
  ])('%s', async (_, reply, fields, status) => {
    const { press, queue, whisper, isStored, asked } = await startFailed()
    isStored(asked, status, { request: { ...asked.stored(), ...fields } })
    await press('cannot be reached', 'retry')
    await whisper(reply)
    expect(queue.added).toHaveLength(1)
  })

  it('says so when nobody knows the question any more', async () => {
    const { press, whisper, ledger } = await startFailed()
    ledger.known.clear()
    await press('cannot be reached', 'retry')
    await whisper(PRESS_REPLIES.unknown)
  })

  it('waits for nothing when Parley is being stopped', async () => {
    const { press, whisper, gateway, queue } = await startFailed()
    gateway.stopIntake()
    await press('cannot be reached', 'retry')
    await whisper('Parley is shutting down')
    expect(queue.added).toHaveLength(1)
  })

  it('works for what an earlier process has answered, from the file alone', async () => {
    const { press, queue, isStored, ask, gateway, see } = await startWithButtons()
    const { asked } = await ask()
    isStored(asked, 'FAILED')
    gateway.deliver({ request: asked.stored(), statusMessageId: null, status: 'FAILED', messages: ['⚠️ It broke.'] })
    await see('It broke')
    const { messageId } = await press('It broke', 'retry')
    expect((await queue.next()).request).toMatchObject({ message: 'why?', discordMessageId: messageId })
  })
})

describe('Continue', () => {
  async function startCut() {
    const room = await startWithButtons()
    const { asked } = await room.ask('why?')
    const facts = { stopReason: 'length', trimmedMessages: 0, stored: true } as const
    asked.start().tell({ type: 'completed', answer: 'half', parts: ['half'], ...facts, attempt: 1 })
    room.isStored(asked, 'COMPLETED')
    return { ...room, asked }
  }

  it('asks for the rest', async () => {
    const { press, queue, asked } = await startCut()
    const { messageId } = await press('half', 'continue')
    expect((await queue.next()).request).toEqual({ ...asked.request, message: CONTINUE, discordMessageId: messageId })
  })

  it('says so when the conversation has gone on', async () => {
    const { press, queue, asked, isStored, whisper } = await startCut()
    isStored(asked, 'COMPLETED', { isNewestTurn: false })
    await press('half', 'continue')
    await whisper(PRESS_REPLIES.goneOn)
    expect(queue.added).toHaveLength(1)
  })

  it('is offered for what an earlier process has stored', async () => {
    const { ask, gateway, buttons } = await startWithButtons()
    const { asked } = await ask()
    const messages = ['half\n-# The answer reached its length limit and stops here.']
    gateway.deliver({ request: asked.stored(), statusMessageId: null, status: 'COMPLETED', messages })
    expect(await buttons('half')).toEqual(['continue', 'regenerate'])
  })
})

describe('a press', () => {
  it('that Discord sends twice counts once', async () => {
    const { ask, press, isActive, queue, server, see } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    isActive(asked)
    queue.ending = 'CANCELLED'
    const { token } = await press('Thinking', 'cancel')
    await server.replayInteraction(token)
    await queue.untilCommanded()
    const next = await ask('what?')
    next.asked.refuse({ code: 'QUEUE_FULL', message: 'Full.' })
    await see('Full.')
    expect((await server.log()).filter(({ route }) => route.includes('/callback'))).toHaveLength(1)
    expect(queue.commands).toHaveLength(1)
  })

  it('does what it says although Discord does not take the acknowledgement', async () => {
    const { ask, press, isActive, queue, server } = await startWithButtons()
    const { asked } = await ask()
    asked.start()
    isActive(asked)
    await server.failNext({ method: 'POST', route: CALLBACK, status: 404, count: 3 })
    await press('Thinking', 'cancel')
    await queue.untilCommanded()
    expect(queue.commands).toEqual([`cancel ${asked.id}`])
  })
})
