import { describe, expect, it } from 'vitest'
import { CONTINUE } from '#discord/press-replies.ts'
import { connected, onDiscord, PersonOnDiscord, startServers, stop } from '#support/parley-on-discord.ts'
import { storedRows } from '#support/stored-rows.ts'

/** What the model says before it falls silent. */
const BEGINNING = { type: 'silent', afterChunks: 3 } as const

async function startWithAda() {
  const place = await startServers()
  return { ...place, place, ada: await PersonOnDiscord.join(place, 'ada') }
}

describe('the buttons of an answer', () => {
  it('cancel it, and the call to the model ends', async () => {
    const { place, model, ada } = await startWithAda()
    const parley = await connected(place)
    await model.script(BEGINNING)
    await ada.write('why?')
    await model.waitForRequests(1)
    const card = await ada.sees('')
    await ada.press(card, 'cancel')
    await model.waitForAborted(1)
    expect((await ada.sees('🛑 Cancelled.')).id).toBe(card.id)
    await stop(parley)
    expect(storedRows(parley.databasePath)).toMatchObject({ requests: [{ status: 'CANCELLED' }], messages: [] })
    expect(await model.stats()).toMatchObject({ requests: 1, aborted: 1, open: 0 })
  })

  it('stop it, and what was written is the answer and is remembered', async () => {
    const { place, model, ada } = await startWithAda()
    const parley = await connected(place, { env: { PARLEY_EDIT_INTERVAL: '250ms' } })
    await model.script({ type: 'answer', chunks: ['One ', 'two ', 'three'], finishReason: null, lingers: true })
    await ada.write('count')
    await ada.press(await ada.sees('One two three'), 'stop')
    await model.waitForAborted(1)
    const { content } = await ada.sees('Stopped here.')
    expect(content).toBe('One two three\n-# Stopped here.')
    const second = await ada.write('go on')
    await ada.isAnswered('echo: go on', second)
    await stop(parley)
    const [, last] = await model.requests()
    expect(last?.body.messages?.slice(1)).toMatchObject([{ content: 'count' }, { content: 'One two three' }, {}])
    expect(storedRows(parley.databasePath).requests.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED'])
  })

  it('ask again after a failure, also in another process, and once however often they are pressed', async () => {
    const { place, model, ada } = await startWithAda()
    const first = await connected(place)
    await model.script({ type: 'error', status: 400 })
    await ada.write('why?')
    const failed = await ada.sees('⚠️')
    await stop(first)
    const second = await connected(place, { folder: first.folder })
    await Promise.all([ada.press(failed, 'retry'), ada.press(failed, 'retry')])
    const answer = await ada.isAnswered('echo: why?')
    expect(answer.referenceId).toBe(failed.id)
    await stop(second)
    expect(storedRows(second.databasePath).requests).toMatchObject([
      { message: 'why?', status: 'FAILED' },
      { message: 'why?', status: 'COMPLETED' },
    ])
  })

  it('go on with an answer that was cut, after a restart', async () => {
    const { place, model, ada } = await startWithAda()
    const first = await connected(place)
    await model.script({ type: 'answer', text: 'Once upon a', finishReason: 'length' })
    await ada.write('tell me a story')
    const cut = await ada.sees('reached its length limit')
    await stop(first)
    const second = await connected(place, { folder: first.folder })
    await model.script({ type: 'answer', text: 'time.' })
    await ada.press(cut, 'continue')
    expect(await ada.isAnswered('time.')).toMatchObject({ content: 'time.', referenceId: cut.id })
    await stop(second)
    const [, last] = await model.requests()
    expect(last?.body.messages?.slice(1)).toMatchObject([
      { content: 'tell me a story' },
      { content: 'Once upon a' },
      { content: CONTINUE },
    ])
    const [message] = await ada.shown()
    expect(message?.components).toEqual([])
  })
})

describe('an answer that is longer than its messages may be', () => {
  const text = 'A paragraph of some words.\n\n'.repeat(400).trim()
  const env = { PARLEY_MAX_MESSAGES: '2' }

  it.each(['', 'answer.after', 'delivery.before', 'delivery.after'])(
    'is there in two messages and a file, each once, after a kill at %j',
    async (point) => {
      const { place, model, ada } = await startWithAda()
      await model.setDefault({ type: 'answer', text })
      const first = await connected(place, { env: { ...env, ...(point !== '' && { PARLEY_CRASH_AT: point }) } })
      await ada.write('tell me all')
      if (point === '') {
        await ada.sees('all of it is in answer.md')
        await stop(first)
      } else expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' })
      const second = onDiscord(place, { folder: first.folder, env })
      await second.logged('Parley is ready')
      await ada.sees('all of it is in answer.md')
      await stop(second)
      const messages = await ada.shown()
      expect(messages.map(({ attachments }) => attachments.map((file) => [file.filename, file.text]))).toEqual([
        [],
        [['answer.md', text]],
      ])
      expect((await model.stats()).requests).toBe(1)
      expect(storedRows(second.databasePath).messages.at(1)?.content).toBe(text)
    },
  )
})
