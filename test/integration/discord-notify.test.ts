import { describe, expect, it } from 'vitest'
import { startWithUser, WAIT_MS } from '#support/discord-room.ts'

const NOTIFY_AFTER_MS = 60_000

async function startAsked() {
  const room = await startWithUser({}, { notifyAfterMs: NOTIFY_AFTER_MS })
  const { asked, messageId } = await room.ask()
  asked.accept(2)
  const { id: statusId } = await room.see('2nd in line')
  return { ...room, asked, messageId, statusId }
}

describe('an answer to somebody who waited long', () => {
  it('comes as a new reply, and the message that showed the wait goes', async () => {
    const { asked, messageId, statusId, clock, see, shown, server, channelId, ledger } = await startAsked()
    await clock.advance(NOTIFY_AFTER_MS)
    asked.tell({ type: 'started', attempt: 1 }).write('beca')
    expect(await see('beca')).toMatchObject({ id: statusId })
    asked.complete('because')
    const answer = await see('because')
    expect(answer).toMatchObject({ referenceId: messageId })
    expect(answer.id).not.toBe(statusId)
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length > 0))
    expect(await shown()).toEqual(['because'])
    expect((await server.messages(channelId)).find(({ id }) => id === statusId)?.deleted).toBe(true)
    expect(ledger.delivered).toEqual([`${asked.id} ${answer.id}`])
  })

  it('stays where it is when somebody could read along before', async () => {
    const { asked, statusId, clock, see, shown } = await startAsked()
    await clock.advance(NOTIFY_AFTER_MS - 1)
    asked.tell({ type: 'started', attempt: 1 }).write('beca')
    await see('beca')
    await clock.advance(NOTIFY_AFTER_MS)
    asked.complete('because')
    expect(await see('because')).toMatchObject({ id: statusId })
    expect(await shown()).toEqual(['because'])
  })

  it('comes as a new reply from the next process, and not once more when it was there', async () => {
    const { asked, messageId, statusId, gateway, clock, see, shown, ledger } = await startAsked()
    const reply = {
      request: asked.stored(0),
      statusMessageId: statusId,
      status: 'COMPLETED',
      messages: ['why not'],
    } as const
    gateway.deliver(reply)
    const answer = await see('why not')
    expect(answer).toMatchObject({ referenceId: messageId })
    expect(answer.id).not.toBe(statusId)
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length === 1))
    gateway.deliver(reply)
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length === 2))
    expect(await shown()).toEqual(['why not'])
    expect((await see('why not')).id).toBe(answer.id)
  })

  it('leaves a pointer in place of the answer to a command, with which the question would go', async () => {
    const { server, userId, channelId, queue, clock, see, shown } = await startWithUser(
      {},
      { notifyAfterMs: NOTIFY_AFTER_MS },
    )
    await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    const asked = await queue.next()
    asked.start()
    await see('Thinking')
    await clock.advance(NOTIFY_AFTER_MS)
    asked.complete('because')
    await see('because')
    await clock.passUntil(
      server.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes: 'Answered below' }, WAIT_MS),
    )
    expect(await shown()).toEqual(['⤵️ Answered below.', 'because'])
  })

  it('takes away the answer to a command whose interaction Discord has ended early', async () => {
    const { server, userId, queue, clock, see, shown, ledger, log } = await startWithUser(
      {},
      { notifyAfterMs: NOTIFY_AFTER_MS },
    )
    const { token } = await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    const asked = await queue.next()
    asked.start()
    await see('Thinking')
    await clock.advance(NOTIFY_AFTER_MS)
    await server.expireToken(token)
    asked.complete('because')
    const { id } = await see('because')
    await clock.passUntil(ledger.until(({ delivered }) => delivered.length > 0))
    expect([await shown(), ledger.delivered]).toEqual([['because'], [`${asked.id} ${id}`]])
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
