import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { QueueUnderTest } from '#support/queue-under-test.ts'
import { turnOf } from '#support/stored-requests.ts'

describe('a request whose thread is lost', () => {
  it('goes back to its place in line and is tried again', async () => {
    const { test, ann, run, row } = await annAndBob()
    test.pool.slots = 0
    run.lose()
    await test.settled()
    expect([test.queue.position('ann'), test.queue.position('bob')]).toEqual([1, 2])
    expect(row(ann.id)).toMatchObject({ status: 'QUEUED', attempt: 1 })
    test.pool.resize(1)
    await test.settled()
    test.pool.of('ann').answer()
    await test.settled()
    expect(ann.heard.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'queued 0',
      'started 1',
      'retrying 1',
      'started 2',
      'completed 2',
    ])
    expect(test.queue.stats()).toMatchObject({ totalRetried: 1, totalProcessed: 1, totalFailed: 0 })
  })

  it('fails with a notice when its thread is lost again, and its user is free', async () => {
    const { test, ann, run, row } = await annAndBob({ slots: 2 })
    run.lose()
    await test.settled()
    test.pool.of('ann').lose()
    await test.settled()
    expect(ann.heard.at(-1)).toEqual({
      type: 'failed',
      requestId: ann.id,
      attempt: 2,
      failure: {
        code: 'THREAD_LOST',
        message: expect.stringMatching(/broke more than once.*not answered; please ask again/),
        retryable: true,
      },
    })
    expect(row(ann.id)).toEqual({ status: 'FAILED', attempt: 2, error_code: 'THREAD_LOST' })
    await test.ask('ann')
  })

  it('leaves its slot to the next one until it is back in line', async () => {
    const { test, run } = await annAndBob()
    run.lose()
    await test.settled()
    expect([test.queue.position('ann'), test.queue.position('bob')]).toEqual([1, 0])
    test.pool.of('bob').answer()
    await test.settled()
    expect(test.pool.of('ann').attempt).toBe(2)
  })

  it.each([1, 3])('is tried %i times when so many attempts are allowed', async (maxAttempts) => {
    const test = new QueueUnderTest({ settings: { maxAttempts } })
    const { id } = await test.ask('ann')
    while (test.pool.slotsUsed > 0) {
      test.pool.of('ann').lose()
      await test.settled()
    }
    expect(test.pool.runs).toHaveLength(maxAttempts)
    expect(test.typesOf(id).at(-1)).toBe('failed')
  })

  it('has its answer when the thread had committed it', async () => {
    const { test, ann, run, api } = await annAndBob()
    const answer = `${'long '.repeat(500)}end`
    await api.saveTurn(turnOf(run.request, { attempt: 1, answer }))
    run.lose()
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', attempt: 1, answer, stored: true })
    const completed = ann.heard.at(-1)
    if (completed?.type !== 'completed') throw new Error('expected an answer')
    expect(completed.parts.length).toBeGreaterThan(1)
    expect(Math.max(...completed.parts.map((part) => part.length))).toBeLessThanOrEqual(2000)
    expect(test.pool.runs.map(({ request }) => request.userId)).toEqual(['ann', 'bob'])
  })

  it('has the committed answer even when it was cancelled or out of time', async () => {
    const { test, ann, run, api } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    await api.saveTurn(turnOf(run.request, { attempt: 1, answer: 'done' }))
    run.lose()
    expect(await cancelled).toBe('COMPLETED')
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', answer: 'done' })
  })
})

describe('what comes late from an older attempt', () => {
  it('is dropped and counted, whether news or an end', async () => {
    const { test, ann, run } = await annAndBob({ slots: 2 })
    run.lose()
    await test.settled()
    const before = ann.heard.length
    run.say('late')
    run.tell({ type: 'reasoning' })
    const { attempt } = run
    const late = { type: 'cancelled', database: { ok: 0, failed: 0 } } as const
    test.queue.completeRequest(ann.id, attempt, late)
    await test.settled()
    expect(ann.heard).toHaveLength(before)
    expect(test.queue.stats().lateEvents).toBe(3)
    test.pool.of('ann').answer()
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', attempt: 2 })
  })

  it('is dropped while the request is on its way back into line', async () => {
    const { test, ann, run } = await annAndBob()
    test.store.hold()
    run.lose()
    await test.settled()
    run.say('late')
    test.queue.completeRequest(ann.id, 1, { type: 'lost', reason: 'told twice' })
    await test.settled()
    expect(test.queue.stats().lateEvents).toBe(2)
    test.store.release()
    await test.settled()
    expect(test.queue.stats().totalRetried).toBe(1)
  })

  it('is dropped after the end of the request', async () => {
    const { test, ann, run } = await annAndBob()
    run.answer()
    await test.settled()
    run.say('late')
    test.queue.completeRequest(ann.id, 1, { type: 'lost', reason: 'told twice' })
    test.queue.completeRequest('r99', 1, { type: 'lost', reason: 'never was' })
    await test.settled()
    expect(test.typesOf(ann.id).filter((type) => type === 'completed')).toHaveLength(1)
    expect(test.queue.stats()).toMatchObject({ lateEvents: 3, totalProcessed: 1, totalFailed: 0 })
  })
})
