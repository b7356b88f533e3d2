import { describe, expect, it } from 'vitest'
import { AMENDED, PRESS_REPLIES } from '#discord/press-replies.ts'
import { startWithButtons } from '#support/discord-buttons.ts'
import { REFUSAL_INTERVAL_MS } from '#support/discord-room.ts'

const ACTIVE = { code: 'REQUEST_ALREADY_ACTIVE', message: 'Your last question is still being worked on.' } as const

/** Somebody whose first question waits and whose second message was refused. */
async function startRefused({ waiting = true } = {}) {
  const room = await startWithButtons()
  const first = (await room.ask('why?')).asked
  first.accept(2)
  await room.see('2nd in line')
  room.isActive(first, { waiting })
  const second = await room.ask('and how?')
  second.asked.refuse(ACTIVE)
  await room.see('still being worked on')
  return { ...room, first, secondId: second.messageId }
}

describe('the refusal of a second message', () => {
  it('offers to replace the question that waits or to add to it', async () => {
    const { buttons } = await startRefused()
    expect(await buttons('still being worked on')).toEqual(['replace', 'append'])
  })

  it('offers nothing once the question is being worked on', async () => {
    const { buttons } = await startRefused({ waiting: false })
    expect(await buttons('still being worked on')).toEqual([])
  })

  it('offers nothing for a question of another place', async () => {
    const { server, userId, queue, first, isActive, clock } = await startRefused({ waiting: false })
    await clock.advance(REFUSAL_INTERVAL_MS)
    isActive(first, { waiting: true })
    const guildId = await server.addGuild('home')
    const channelId = await server.addGuildChannel(guildId, 'general')
    await server.sendGuildMessage({ channelId, userId, content: 'and here?', mentionsBot: true })
    const here = await queue.next()
    here.refuse({ ...ACTIVE, message: 'Not here.' })
    await server.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes: 'Not here' }, 5_000)
    const [shown] = (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)
    expect(shown?.components).toEqual([])
  })

  it('offers nothing any more once the question begins', async () => {
    const { buttons, first, see, called, clock } = await startRefused()
    expect(await buttons('still being worked on')).toEqual(['replace', 'append'])
    first.tell({ type: 'started', attempt: 1 })
    await see('Thinking')
    await clock.advance(1_000)
    await called('PATCH', '/channels/:channelId/messages/:messageId', 2)
    expect(await buttons('still being worked on')).toEqual([])
  })

  it('offers it three times, however much somebody writes', async () => {
    const { ask, server, channelId, see, clock } = await startRefused()
    for (const text of ['one', 'two', 'three']) {
      await clock.advance(REFUSAL_INTERVAL_MS)
      const { asked } = await ask(text)
      asked.refuse({ ...ACTIVE, message: `Not ${text}.` })
      await see(`Not ${text}.`)
    }
    const offers = (await server.messages(channelId)).filter(({ content }) => content.startsWith('⚠️'))
    expect(offers.map(({ components }) => components.length)).toEqual([1, 1, 1, 0])
  })

  it.each(['replace', 'append'] as const)('does as its button says: %s', async (action) => {
    const { press, queue, see, first, secondId, gateway } = await startRefused()
    const { messageId } = await press('still being worked on', action)
    expect(await see(AMENDED[action])).toMatchObject({ id: messageId, components: [] })
    expect(queue.commands).toEqual([`${action} ${first.id} ${secondId} and how?`])
    // What the card showed before must not come back.
    first.tell({ type: 'started', attempt: 1 }).complete('because')
    await see('because')
    expect(await see(AMENDED[action])).toMatchObject({ id: messageId })
    await gateway.stop(1_000)
  })

  it.each([
    ['notWaiting', PRESS_REPLIES.notWaiting, 0],
    ['duplicate', PRESS_REPLIES.doneAlready, 0],
    ['tooLong', PRESS_REPLIES.tooLong, 2],
    ['notStored', PRESS_REPLIES.notStored, 2],
  ] as const)('says so when the question cannot be changed: %s', async (amended, reply, left) => {
    const { press, queue, whisper, buttons } = await startRefused()
    queue.amended = amended
    await press('still being worked on', 'append')
    await whisper(reply)
    expect(await buttons('still being worked on')).toHaveLength(left)
  })

  it('says so when the question has begun meanwhile', async () => {
    const { press, queue, whisper, userId } = await startRefused()
    queue.actives.delete(userId)
    await press('still being worked on', 'append')
    await whisper(PRESS_REPLIES.notWaiting)
    expect(queue.commands).toEqual([])
  })

  it('says so when the message was deleted', async () => {
    const { press, queue, whisper, server, secondId } = await startRefused()
    await server.deleteMessage(secondId)
    await press('still being worked on', 'append')
    await whisper(PRESS_REPLIES.messageGone)
    expect(queue.commands).toEqual([])
  })
})
