import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { QueueUnderTest } from '#support/queue-under-test.ts'

const RETRYABLE = { retryable: true, code: 'MODEL_RATE_LIMITED' } as const

/** One request that has failed once and waits for its next try: two seconds, with the random number 1. */
async function failedOnce(settings = {}) {
  const world = await annAndBob({ settings: { maxAttempts: 3, ...settings } })
  world.run.fail(RETRYABLE)
  await world.test.settled()
  return world
}

describe('a request that failed in a way that can be tried again', () => {
  it('is told so, is QUEUED in the file, and its slot goes to the next one', async () => {
    const { test, ann, row } = await failedOnce()
    expect(ann.heard.at(-1)).toEqual({
      type: 'retrying',
      requestId: ann.id,
      attempt: 1,
      nextAttempt: 2,
      maxAttempts: 3,
    })
    expect(row(ann.id)).toEqual({ status: 'QUEUED', attempt: 1, error_code: null })
    expect(test.queue.stats()).toMatchObject({ totalRetried: 1, totalFailed: 0, queueSize: 1, activeRequests: 1 })
    expect([test.queue.position('ann'), test.queue.position('bob')]).toEqual([1, 0])
  })

  it('is told so only once the file says that it waits', async () => {
    const { test, ann, run, row } = await annAndBob()
    test.store.hold()
    run.fail(RETRYABLE)
    await test.settled()
    expect([ann.heard.at(-1)?.type, row(ann.id)]).toMatchObject(['started', { status: 'PROCESSING' }])
    test.store.release()
    await test.settled()
    expect([ann.heard.at(-1)?.type, row(ann.id)]).toMatchObject(['retrying', { status: 'QUEUED' }])
  })

  it('hears nothing any more of the execution that failed', async () => {
    const { test, ann, run } = await failedOnce()
    const before = ann.heard.length
    run.say('late')
    test.queue.completeRequest(ann.id, 1, { type: 'lost', reason: 'told twice' })
    await test.settled()
    expect(ann.heard).toHaveLength(before)
    expect(test.queue.stats()).toMatchObject({ lateEvents: 2, totalRetried: 1 })
  })

  it('holds its user’s place meanwhile', async () => {
    const { test } = await failedOnce()
    expect(await test.send('ann').result).toMatchObject({ refusal: { code: 'REQUEST_ALREADY_ACTIVE' } })
  })

  it('is in no line until its pause is over, then where it was', async () => {
    const { test, ann } = await failedOnce()
    await test.ask('cid')
    expect([test.queue.position('cid'), test.queue.position('ann')]).toEqual([1, 2])
    await test.clock.advance(1999)
    expect([test.queue.position('cid'), test.queue.position('ann')]).toEqual([1, 2])
    test.events.length = 0
    await test.clock.advance(1)
    expect([test.queue.position('cid'), test.queue.position('ann')]).toEqual([2, 1])
    expect(test.events.map(({ type }) => type)).toEqual(['positionsChanged'])
    test.pool.of('bob').answer()
    await test.settled()
    expect(test.pool.of('ann').attempt).toBe(2)
    expect(ann.heard.at(-1)).toMatchObject({ type: 'started', attempt: 2 })
  })

  it('runs at once after its pause when a slot is free', async () => {
    const { test } = await failedOnce()
    test.pool.resize(2)
    await test.clock.advance(1999)
    expect(test.pool.runs.map(({ request }) => request.userId)).toEqual(['ann', 'bob'])
    await test.clock.advance(1)
    expect(test.pool.of('ann').attempt).toBe(2)
  })

  it('pauses twice as long before each further try, and shows its last failure in the end', async () => {
    const test = new QueueUnderTest({ settings: { maxAttempts: 4 } })
    const { heard } = await test.ask('ann')
    for (const pauseMs of [2000, 4000, 8000]) {
      test.pool.of('ann').fail(RETRYABLE)
      await test.settled()
      await test.clock.advance(pauseMs - 1)
      expect(test.pool.live).toEqual([])
      await test.clock.advance(1)
      expect(test.pool.slotsUsed).toBe(1)
    }
    test.pool.of('ann').fail({ retryable: true, code: 'MODEL_TIMED_OUT', message: 'the last one' })
    await test.settled()
    expect(heard.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'queued 0',
      ...['started 1', 'retrying 1', 'started 2', 'retrying 2', 'started 3', 'retrying 3', 'started 4', 'failed 4'],
    ])
    expect(heard.at(-1)).toMatchObject({ failure: { code: 'MODEL_TIMED_OUT', message: 'the last one' } })
    expect(test.queue.stats()).toMatchObject({ totalRetried: 3, totalFailed: 1 })
    await test.ask('ann')
  })

  it('takes half the pause when chance says so', async () => {
    const test = new QueueUnderTest({ random: () => 0 })
    await test.ask('ann')
    test.pool.of('ann').fail(RETRYABLE)
    await test.settled()
    await test.clock.advance(999)
    expect(test.pool.live).toEqual([])
    await test.clock.advance(1)
    expect(test.pool.of('ann').attempt).toBe(2)
  })

  it('does not pause when it was its thread that failed', async () => {
    const { test, run } = await annAndBob({ slots: 2 })
    run.lose()
    await test.settled()
    expect(test.pool.of('ann').attempt).toBe(2)
  })

  it('fails at once when the next try would begin after the deadline', async () => {
    const { test, ann, run, row } = await annAndBob()
    await test.clock.advance(298_000)
    run.fail(RETRYABLE)
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', attempt: 1, failure: { code: 'MODEL_RATE_LIMITED' } })
    expect(row(ann.id)).toMatchObject({ status: 'FAILED', error_code: 'MODEL_RATE_LIMITED' })
  })

  it('ends at the deadline when its pause or its line is longer', async () => {
    const { test, ann, run } = await annAndBob()
    await test.clock.advance(297_999)
    run.fail(RETRYABLE)
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'retrying' })
    await test.clock.advance(2001)
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', attempt: 1, failure: { code: 'REQUEST_TIMED_OUT' } })
  })

  it.each([
    [0, 'in its pause'],
    [2000, 'in line again'],
  ])('is cancelled after %i ms, %s, and never runs again', async (passedMs) => {
    const { test, ann, row } = await failedOnce()
    await test.clock.advance(passedMs)
    expect(await test.queue.cancel(ann.id)).toBe('CANCELLED')
    expect(ann.heard.at(-1)).toEqual({ type: 'cancelled', requestId: ann.id, attempt: 1, reason: 'user' })
    test.pool.of('bob').answer()
    await test.clock.advance(10_000)
    expect(row(ann.id)).toEqual({ status: 'CANCELLED', attempt: 1, error_code: 'REQUEST_CANCELLED' })
    expect(test.pool.runs).toHaveLength(2)
    const poll = 1
    expect(test.clock.pending).toBe(poll)
    await test.ask('ann')
  })

  it('does not come back to life when it is cancelled in the moment in which its pause ends', async () => {
    const { test, ann } = await failedOnce()
    test.pool.resize(2)
    await test.clock.advance(1999)
    const cancelled = test.queue.cancel(ann.id)
    await test.clock.advance(1)
    expect(await cancelled).toBe('CANCELLED')
    await test.settled()
    expect(test.pool.runs).toHaveLength(2)
    expect(test.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('that is cancelled on its way back into line ends there', async () => {
    const { test, ann, run } = await annAndBob()
    test.store.hold()
    run.fail(RETRYABLE)
    await test.settled()
    const cancelled = test.queue.cancel(ann.id)
    await test.settled()
    test.store.release()
    expect(await cancelled).toBe('CANCELLED')
    expect(ann.heard.map(({ type }) => type)).toEqual(['queued', 'started', 'cancelled'])
  })

  it('does not come back to life when its user asks again before its old pause would be over', async () => {
    const { test, ann } = await failedOnce()
    await test.queue.cancel(ann.id)
    const next = await test.ask('ann')
    await test.clock.advance(10_000)
    expect(test.queue.position('ann')).toBe(1)
    test.pool.of('bob').answer()
    await test.settled()
    expect(test.pool.of('ann').request.id).toBe(next.id)
  })
})

describe('a request that failed when it was to end anyway', () => {
  it('is not tried again after a cancel: its failure stands', async () => {
    const { test, ann, run, row } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    await test.settled()
    run.fail(RETRYABLE)
    expect(await cancelled).toBe('FAILED')
    await test.settled()
    expect(ann.heard.map(({ type }) => type)).toEqual(['queued', 'started', 'failed'])
    expect(row(ann.id)).toEqual({ status: 'FAILED', attempt: 1, error_code: 'MODEL_RATE_LIMITED' })
  })

  it('is not tried again after its deadline', async () => {
    const { test, ann, run } = await annAndBob()
    await test.clock.advance(300_000)
    run.fail(RETRYABLE)
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'MODEL_RATE_LIMITED' } })
    expect(test.queue.stats().totalRetried).toBe(0)
  })
})

describe('a request that failed for good', () => {
  it('fails at once, whatever attempts are left', async () => {
    const { test, ann, run, row } = await annAndBob({ settings: { maxAttempts: 9 } })
    run.fail({ retryable: false, code: 'MODEL_KEY_REFUSED' })
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'failed', attempt: 1, failure: { code: 'MODEL_KEY_REFUSED' } })
    expect(row(ann.id)).toEqual({ status: 'FAILED', attempt: 1, error_code: 'MODEL_KEY_REFUSED' })
    expect(test.queue.stats()).toMatchObject({ totalRetried: 0, totalFailed: 1 })
  })
})
