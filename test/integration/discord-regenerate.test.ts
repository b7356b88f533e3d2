import { describe, expect, it } from 'vitest'
import { PRESS_REPLIES } from '#discord/press-replies.ts'
import { startWithButtons } from '#support/discord-buttons.ts'

const ORIGINAL = '/webhooks/:applicationId/:token/messages/:messageId'

/** Somebody who has an answer. */
async function startAnswered() {
  const room = await startWithButtons()
  const { asked } = await room.ask('why?')
  asked.start().complete('because')
  room.isStored(asked, 'COMPLETED')
  return { ...room, asked }
}

describe('Regenerate', () => {
  it('asks the same again to replace the answer, which keeps standing without its button', async () => {
    const { press, queue, asked, see, called, buttons } = await startAnswered()
    const { messageId } = await press('because', 'regenerate')
    const again = await queue.next()
    expect(again.request).toEqual({ ...asked.request, discordMessageId: messageId, replaces: asked.id })
    again.start().complete('for a better reason')
    expect(await see('for a better reason')).toMatchObject({ referenceId: messageId })
    expect(await buttons('for a better reason')).toEqual(['regenerate'])
    await called('PATCH', ORIGINAL)
    expect(await buttons('because')).toEqual([])
  })

  it('still replaces it when that fails and is tried again', async () => {
    const { press, queue, asked, isStored } = await startAnswered()
    await press('because', 'regenerate')
    const again = await queue.next()
    const failure = { code: 'MODEL_UNREACHABLE', message: 'The model cannot be reached.' } as const
    again.start().tell({ type: 'failed', failure, attempt: 1 })
    isStored(again, 'FAILED')
    await press('cannot be reached', 'retry')
    expect((await queue.next()).request).toMatchObject({ message: 'why?', replaces: asked.id })
  })

  it.each([
    ['is for who asked only', PRESS_REPLIES.notYours, { userId: '77' }, true],
    ['needs a text that was not deleted', PRESS_REPLIES.forgotten, { message: '' }, true],
    ['is for the newest answer only', PRESS_REPLIES.notNewest, {}, false],
  ])('%s', async (_, reply, fields, isNewestTurn) => {
    const { press, queue, whisper, isStored, asked } = await startAnswered()
    isStored(asked, 'COMPLETED', { request: { ...asked.stored(), ...fields }, isNewestTurn })
    await press('because', 'regenerate')
    await whisper(reply)
    expect(queue.added).toHaveLength(1)
  })

  it('says so when nobody knows the question any more', async () => {
    const { press, whisper, ledger } = await startAnswered()
    ledger.known.clear()
    await press('because', 'regenerate')
    await whisper(PRESS_REPLIES.unknown)
  })

  it('is not offered for an answer that is not in the history', async () => {
    const { ask, buttons } = await startWithButtons()
    const { asked } = await ask()
    const facts = { stopReason: 'end', trimmedMessages: 0, stored: false } as const
    asked.start().tell({ type: 'completed', answer: 'lost', parts: ['lost'], ...facts, attempt: 1 })
    expect(await buttons('lost')).toEqual([])
  })

  it('works for what an earlier process has answered, from the file alone', async () => {
    const { press, queue, isStored, ask, gateway, see } = await startWithButtons()
    const { asked } = await ask()
    isStored(asked, 'COMPLETED')
    gateway.deliver({ request: asked.stored(), statusMessageId: null, status: 'COMPLETED', messages: ['because'] })
    await see('because')
    const { messageId } = await press('because', 'regenerate')
    expect((await queue.next()).request).toMatchObject({ discordMessageId: messageId, replaces: asked.id })
  })
})
