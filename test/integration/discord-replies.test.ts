import { describe, expect, it } from 'vitest'
import { EDIT_INTERVAL_MS, startWithUser, WAIT_MS } from '#support/discord-room.ts'

const POST = 'POST /channels/:channelId/messages'
const EDIT = 'PATCH /channels/:channelId/messages/:messageId'

describe('the placeholder', () => {
  it('answers the question at once with the place in line, sent so that it is stored once', async () => {
    const { ask, see, server } = await startWithUser()
    const { asked, messageId } = await ask()
    asked.accept(3)
    const { pinged, referenceId } = await see('Queued: you are 3rd in line.')
    expect({ pinged, referenceId }).toEqual({ pinged: [], referenceId: messageId })
    const [post] = (await server.log()).filter(({ method, route }) => `${method} ${route}` === POST)
    expect(post?.body).toMatchObject({ nonce: expect.stringMatching(/^[\w-]{23}$/), enforce_nonce: true })
  })

  it('says at once that Parley thinks when there is a free place', async () => {
    const { ask, see, server } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    const { revisions } = await see('Thinking')
    expect(revisions).toHaveLength(1)
    expect((await server.counts()).byRoute[POST]?.calls).toBe(1)
  })

  it('follows the place in line, each change once and not more often than the interval', async () => {
    const { ask, see, queue, userId, server, clock } = await startWithUser()
    const { asked } = await ask()
    asked.accept(5)
    await see('5th in line')
    for (const place of [4, 3, 2]) queue.move(userId, place)
    expect(clock.pending).toBe(1)
    const { revisions } = await see('2nd in line')
    expect(revisions).toHaveLength(2)
    queue.move(userId, 2)
    await clock.advance(2 * EDIT_INTERVAL_MS)
    queue.move(userId, 1)
    await see('you are next')
    expect((await server.counts()).byRoute[EDIT]?.calls).toBe(2)
  })

  it('says once that the model is silent, and the place in line again when it is not any more', async () => {
    const { ask, see, queue, userId, server, clock } = await startWithUser()
    const { asked } = await ask()
    asked.accept(1).tell({ type: 'started', attempt: 1 })
    await see('Thinking')
    queue.wait = { waiting: 3, waitMs: null, heldUp: 'model' }
    asked.tell({ type: 'heldUp', attempt: 0 })
    await see('The model does not answer at the moment')
    const edits = (await server.counts()).byRoute[EDIT]?.calls
    for (const place of [2, 1]) {
      queue.move(userId, place)
      await clock.advance(2 * EDIT_INTERVAL_MS)
    }
    expect((await server.counts()).byRoute[EDIT]?.calls).toBe(edits)
    queue.wait = { waiting: 3, waitMs: null }
    queue.move(userId, 2)
    await see('you are 2nd of 3')
  })

  it('says so to who waits for the next try, too, and only then', async () => {
    const { ask, see, queue, userId } = await startWithUser()
    const { asked } = await ask()
    asked.start().tell({ type: 'retrying', attempt: 1, nextAttempt: 2, maxAttempts: 3 })
    await see('Trying again (2 of 3)')
    queue.move(userId, 2)
    queue.wait = { waiting: 3, waitMs: null, heldUp: 'paused' }
    queue.move(userId, 1)
    await see('Parley is paused')
    asked.tell({ type: 'started', attempt: 2 }).complete('because')
    await see('because')
  })

  it('does not go back to the place in line when the work has begun', async () => {
    const { ask, see, queue, userId, clock, shown } = await startWithUser()
    const { asked } = await ask()
    asked.accept(2)
    await see('2nd in line')
    queue.move(userId, 1)
    asked.tell({ type: 'started', attempt: 1 })
    await see('Thinking')
    await clock.advance(2 * EDIT_INTERVAL_MS)
    asked.complete('because')
    await see('because')
    expect(await shown()).toEqual(['because'])
  })

  it('is known to the database by its id, also when that fails', async () => {
    const first = await startWithUser()
    const { asked } = await first.ask()
    asked.start().complete('because')
    const { id } = await first.see('because')
    await first.ledger.until(({ statusMessages }) => statusMessages.length > 0)
    expect(first.stored).toEqual([`${asked.id} ${id}`])

    const second = await startWithUser()
    second.ledger.failure = new Error('disk full')
    const noted = second.log.next('was not stored')
    const question = await second.ask()
    question.asked.start().complete('because')
    await second.see('because')
    expect(await noted).toMatchObject({ level: 'error', fields: { requestId: question.asked.id, error: 'disk full' } })
  })
})

describe('the answer', () => {
  it('grows in the placeholder and ends there', async () => {
    const { ask, see, shown } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    asked.write('Because')
    await see('Because')
    asked.write('Because of the air.')
    await see('of the air')
    asked.complete('Because of the air. Really.')
    const { revisions } = await see('Really')
    const contents = ['💭 Thinking…', 'Because', 'Because of the air.', 'Because of the air. Really.']
    expect(revisions.map(({ content }) => content)).toEqual(contents)
    expect(await shown()).toEqual(['Because of the air. Really.'])
  })

  it('goes on in further messages, each of them once, in order and within the limit', async () => {
    const { ask, see, shown, server, channelId } = await startWithUser()
    const { asked } = await ask()
    const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(2_000))
    asked.start().write('a')
    await see('a')
    asked.write('b', ...parts.slice(0, 1))
    await see('b')
    asked.complete(...parts)
    await see('c'.repeat(2_000))
    expect(await shown()).toEqual(parts)
    const sent = (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)
    expect(new Set(sent.map(({ nonce }) => nonce)).size).toBe(3)
  })

  it('keeps the placeholder while there is only white space to show', async () => {
    const { ask, see, ledger } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    await ledger.until(({ statusMessages }) => statusMessages.length > 0)
    asked.write('')
    await see('Thinking')
    asked.write('b')
    await see('b')
    asked.complete('because')
    const { revisions } = await see('because')
    expect(revisions.map(({ content }) => content)).toEqual(['💭 Thinking…', 'b', 'because'])
  })

  it('mentions nobody, neither in new messages nor in edits', async () => {
    const { ask, see, server, userId, channelId } = await startWithUser()
    const { asked } = await ask()
    const everyone = `@everyone, @here, <@${userId}>`
    asked.start().write(everyone)
    await see('@everyone')
    asked.complete(`${everyone}!`, `again ${everyone}`)
    await see('again')
    const sent = (await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)
    expect(sent.map(({ pinged }) => pinged)).toEqual([[], []])
    const revisions = sent.flatMap((message) => message.revisions)
    expect(revisions.length).toBeGreaterThan(2)
    for (const { allowedMentions } of revisions) expect(allowedMentions).toEqual({ parse: [], replied_user: false })
  })

  it('is edited once per interval, however fast it comes', async () => {
    const { ask, see, server, clock } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    for (let n = 1; n <= 100; n++) {
      asked.write(`${n} words`)
      await clock.advance(EDIT_INTERVAL_MS / 10)
      // Every call has time to arrive before the next delta.
      await server.counts()
    }
    asked.complete('101 words')
    await see('101 words')
    const edits = (await server.counts()).byRoute[EDIT]?.calls ?? 0
    expect(edits).toBeGreaterThan(1)
    expect(edits).toBeLessThanOrEqual(11)
  })

  it('has one edit under way, and skips what was overtaken meanwhile', async () => {
    const { ask, see, server, clock } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.failNext({ method: 'PATCH', status: 'hang' })
    asked.write('one')
    const held = server.waitFor({ type: 'calls', method: 'PATCH', phase: 'arrived' }, WAIT_MS)
    await clock.passUntil(held)
    for (const text of ['two', 'three', 'four']) {
      asked.write(text)
      await clock.advance(5 * EDIT_INTERVAL_MS)
    }
    await server.releaseHeld()
    asked.complete('four five')
    const { revisions } = await see('five')
    expect(revisions.map(({ content }) => content)).toEqual(['💭 Thinking…', 'one', 'four five'])
  })
})

describe('the end without an answer', () => {
  const failure = { code: 'MODEL_UNREACHABLE', message: 'The model cannot be reached. Please ask again.' } as const

  it('says what happened and what to do, below what was written', async () => {
    const { ask, see, shown } = await startWithUser()
    const { asked } = await ask()
    asked.start().write('Because')
    await see('Because')
    asked.tell({ type: 'failed', failure, attempt: 1 })
    await see('cannot be reached')
    const notice = `⚠️ The model cannot be reached. Please ask again.\n-# MODEL_UNREACHABLE · ref ${asked.id.slice(-8)}`
    expect(await shown()).toEqual([`Because\n${notice}`])
  })

  it('says what to do when Parley is stopped', async () => {
    const { ask, see } = await startWithUser()
    const { asked } = await ask()
    asked.accept(2).tell({ type: 'cancelled', reason: 'shutdown', attempt: 0 })
    await see('please send it again in a moment')
  })

  it('is not yet there when the request is tried again: what was shown of the first try disappears', async () => {
    const { ask, see, shown, server, clock } = await startWithUser()
    const { asked } = await ask()
    asked.start().write('two', 'one')
    await see('two')
    asked.tell({ type: 'retrying', nextAttempt: 2, maxAttempts: 3, attempt: 1 })
    await see('Trying again (2 of 3)…')
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'DELETE' }, WAIT_MS))
    asked.tell({ type: 'started', attempt: 2 }).complete('all of it')
    await see('all of it')
    expect(await shown()).toEqual(['all of it'])
  })
})

describe('a long wait for the first word', () => {
  it('shows the seconds and that Parley types, until there is something to read', async () => {
    const { ask, see, server, clock } = await startWithUser({}, { signsOfLife: true })
    const { asked } = await ask()
    asked.start()
    await see('💭 Thinking… 10 s')
    expect((await server.log()).some(({ route }) => route.endsWith('/typing'))).toBe(true)
    asked.write('be')
    await see('be')
    expect(clock.pending).toBe(0)
    asked.complete('because')
    await see('because')
  })
})
