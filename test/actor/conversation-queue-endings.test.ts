import { describe, expect, it } from 'vitest'
import { CONSOLE_ID } from '#domain/request.ts'
import { annAndBob } from '#support/ann-and-bob.ts'
import { openTestDatabase, QueueUnderTest, soFar } from '#support/queue-under-test.ts'

describe('cancelling', () => {
  it('ends a waiting request at once and frees its user', async () => {
    const { test, bob, row } = await annAndBob()
    expect(await test.queue.cancel(bob.id)).toBe('CANCELLED')
    expect(bob.heard.at(-1)).toEqual({ type: 'cancelled', requestId: bob.id, attempt: 0, reason: 'user' })
    expect(test.queue.position('bob')).toBeUndefined()
    await test.settled()
    expect(row(bob.id)).toEqual({ status: 'CANCELLED', attempt: 0, error_code: 'REQUEST_CANCELLED' })
    await test.ask('bob')
  })

  it('asks the run of a running request to stop, and ends with what the run says', async () => {
    const { test, ann, run } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    expect(await soFar(test, cancelled)).toBe('still open')
    expect([run.cancels, test.queue.position('ann')]).toEqual([1, 0])
    run.stop()
    expect(await cancelled).toBe('CANCELLED')
    expect(ann.heard.at(-1)).toEqual({ type: 'cancelled', requestId: ann.id, attempt: 1, reason: 'user' })
    await test.settled()
    expect(test.pool.of('bob').attempt).toBe(1)
  })

  it('comes too late for a run that has just answered: the answer stands', async () => {
    const { test, ann, run } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    await test.settled()
    run.answer('in time')
    expect(await cancelled).toBe('COMPLETED')
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', answer: 'in time' })
  })

  it('comes too late for a run that has just failed', async () => {
    const { test, ann, run } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    run.fail()
    expect(await cancelled).toBe('FAILED')
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'MODEL_UNREACHABLE' } })
  })

  it('ends a request whose thread is lost while it stops', async () => {
    const { test, ann, run, row } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    await test.settled()
    run.lose('wedged and ended')
    expect(await cancelled).toBe('CANCELLED')
    await test.settled()
    expect(test.queue.stats()).toMatchObject({ totalRetried: 0, totalCancelled: 1 })
    expect(row(ann.id)).toMatchObject({ status: 'CANCELLED' })
  })

  it('ends a request that is being stored once it is stored, and it never runs', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    test.store.hold()
    const { result, heard } = test.send('ann')
    const cancelled = test.queue.cancel('r1')
    expect(await soFar(test, cancelled)).toBe('still open')
    test.store.release()
    expect(await result).toMatchObject({ accepted: true })
    expect(await cancelled).toBe('CANCELLED')
    await test.settled()
    expect(heard.map(({ type }) => type)).toEqual(['queued', 'cancelled'])
    expect(test.pool.runs).toEqual([])
    expect(connection.prepare('SELECT status FROM requests').pluck().all()).toEqual(['CANCELLED'])
    await test.ask('ann')
  })

  it('is answered for a request that turns out to be a duplicate while it is being stored', async () => {
    const test = new QueueUnderTest({ store: openTestDatabase().api })
    await test.ask('ann', { discordMessageId: 'm1' })
    test.store.hold()
    const { result } = test.send('bob', { discordMessageId: 'm1' })
    const cancelled = test.queue.cancel('r2')
    await test.settled()
    test.store.release()
    expect(await cancelled).toBeUndefined()
    expect(await result).toMatchObject({ refusal: { code: 'REQUEST_DUPLICATE' } })
  })

  it('ends a request that waits for its retry', async () => {
    const { test, ann, run } = await annAndBob()
    test.pool.slots = 0
    run.lose()
    await test.settled()
    expect(test.queue.position('ann')).toBe(1)
    expect(await test.queue.cancel(ann.id)).toBe('CANCELLED')
    expect(ann.heard.at(-1)).toEqual({ type: 'cancelled', requestId: ann.id, attempt: 1, reason: 'user' })
  })

  it('finds nothing to cancel once a request has ended, or never was', async () => {
    const { test, ann, run } = await annAndBob()
    run.answer()
    await test.settled()
    expect(await test.queue.cancel(ann.id)).toBeUndefined()
    expect(await test.queue.cancel('r99')).toBeUndefined()
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 1, totalCancelled: 0 })
  })

  it('answers everybody who cancels the same request, and keeps the first reason', async () => {
    const { test, ann, run } = await annAndBob()
    const answers = [test.queue.cancel(ann.id, 'shutdown'), test.queue.cancel(ann.id), test.queue.cancel(ann.id)]
    await test.settled()
    run.stop()
    expect(await Promise.all(answers)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED'])
    expect(ann.heard.at(-1)).toMatchObject({ reason: 'shutdown' })
  })
})

describe('the active request of a user', () => {
  it('is told with whether it waits, until it has ended', async () => {
    const { test, ann, bob, run } = await annAndBob()
    expect(test.queue.active('ann')).toMatchObject({ requestId: ann.id, channelId: 'channel of ann', waiting: false })
    expect(test.queue.active('bob')).toMatchObject({ requestId: bob.id, channelId: 'channel of bob', waiting: true })
    run.answer()
    await test.settled()
    expect([test.queue.active('ann'), test.queue.active('bob')?.waiting]).toEqual([undefined, false])
  })
})

describe('stopping an answer', () => {
  it('ends with what the run has kept', async () => {
    const { test, ann, run } = await annAndBob()
    const stopped = test.queue.stopAndKeep(ann.id)
    expect(await soFar(test, stopped)).toBe('still open')
    expect([run.stops, run.cancels]).toEqual([1, 0])
    run.answer('half', { stopReason: 'stopped' })
    expect(await stopped).toBe('COMPLETED')
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', answer: 'half', stopReason: 'stopped' })
  })

  it('cancels the request when there was nothing to keep, or its thread is lost meanwhile', async () => {
    for (const how of ['stop', 'lose'] as const) {
      const { test, ann, run } = await annAndBob()
      const stopped = test.queue.stopAndKeep(ann.id)
      await test.settled()
      run[how]()
      expect(await stopped).toBe('CANCELLED')
      expect(ann.heard.at(-1)).toMatchObject({ type: 'cancelled', reason: 'user' })
      expect(test.queue.stats()).toMatchObject({ totalRetried: 0 })
    }
  })

  it('does not concern a request that waits, has ended or never was', async () => {
    const { test, ann, bob, run } = await annAndBob()
    expect(await test.queue.stopAndKeep(bob.id)).toBeUndefined()
    expect(test.queue.position('bob')).toBe(1)
    run.answer()
    await test.settled()
    expect(await test.queue.stopAndKeep(ann.id)).toBeUndefined()
    expect(await test.queue.stopAndKeep('r99')).toBeUndefined()
  })
})

describe('the timeout of a request', () => {
  it('counts from the start of its processing, not from when it was sent', async () => {
    const { test, bob, run } = await annAndBob()
    await test.clock.advance(200_000)
    run.answer()
    await test.settled()
    await test.clock.advance(299_999)
    expect(test.pool.of('bob').cancels).toBe(0)
    await test.clock.advance(1)
    await test.settled()
    expect(test.pool.of('bob').cancels).toBe(1)
    expect(bob.heard.at(-1)).toMatchObject({ type: 'started' })
  })

  it('ends in a failure that says so, frees the user and lets the next one run', async () => {
    const { test, ann, run, row } = await annAndBob()
    await test.clock.advance(300_000)
    run.stop()
    await test.settled()
    expect(ann.heard.at(-1)).toEqual({
      type: 'failed',
      requestId: ann.id,
      attempt: 1,
      failure: {
        code: 'REQUEST_TIMED_OUT',
        message: expect.stringMatching(/longer than 300 seconds.*not kept; please ask again/),
      },
    })
    expect(row(ann.id)).toEqual({ status: 'FAILED', attempt: 1, error_code: 'REQUEST_TIMED_OUT' })
    expect(test.pool.of('bob').attempt).toBe(1)
    await test.ask('ann')
  })

  it('survives a retry', async () => {
    const { test, ann, run } = await annAndBob({ slots: 2 })
    await test.clock.advance(200_000)
    run.lose()
    await test.settled()
    const second = test.pool.of('ann')
    expect(second.attempt).toBe(2)
    await test.clock.advance(99_999)
    expect(second.cancels).toBe(0)
    await test.clock.advance(1)
    expect(second.cancels).toBe(1)
    second.stop()
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', attempt: 2, failure: { code: 'REQUEST_TIMED_OUT' } })
  })

  it('ends a request that waits for a slot to be tried again', async () => {
    const { test, ann, run } = await annAndBob()
    test.pool.slots = 0
    run.lose()
    await test.clock.advance(300_000)
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', attempt: 1, failure: { code: 'REQUEST_TIMED_OUT' } })
  })

  it('gives way to an answer that is ready at the same moment', async () => {
    const { test, ann, run } = await annAndBob()
    run.answer()
    await test.clock.advance(300_000)
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed' })
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 1, totalFailed: 0 })
  })

  it('sets no timer for what waits, and leaves none behind', async () => {
    const { test, run } = await annAndBob()
    const poll = 1
    expect(test.clock.pending).toBe(poll + 1)
    run.answer()
    await test.settled()
    test.pool.of('bob').fail()
    await test.settled()
    expect(test.clock.pending).toBe(poll)
    await test.stop()
    expect(test.clock.pending).toBe(0)
  })
})

describe('the notice of an end without an answer', () => {
  /** One request of each user that fails, and one that is cancelled while it waits; what the file says is to be shown. */
  async function noticesOf(failing: string, cancelled: string) {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    await test.ask(failing)
    const { id } = await test.ask(cancelled)
    await test.queue.cancel(id)
    test.pool.of(failing).fail()
    await test.settled()
    const statement = connection.prepare('SELECT request_id AS id, content FROM outbox ORDER BY request_id')
    return { notices: statement.all(), statuses: connection.prepare('SELECT status FROM requests ORDER BY id').pluck() }
  }

  it('is in the file with the end, to be delivered on Discord even after a crash', async () => {
    const { notices } = await noticesOf('ann', 'bob')
    expect(notices).toEqual([
      { id: 'r1', content: '⚠️ The model cannot be reached; please ask again.\n-# MODEL_UNREACHABLE · ref r1' },
      { id: 'r2', content: '🛑 Cancelled. Nothing was kept.' },
    ])
  })

  it('is not kept for the terminal, which is gone after a crash', async () => {
    const { notices, statuses } = await noticesOf(CONSOLE_ID, 'bob')
    expect(notices).toMatchObject([{ id: 'r2' }])
    expect(statuses.all()).toEqual(['FAILED', 'CANCELLED'])
  })
})
