import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { messageOf, QueueUnderTest } from '#support/queue-under-test.ts'

/** Ann at work, and the queue in a mode. */
async function queueIn(mode: 'paused' | 'draining') {
  const world = await annAndBob()
  await world.test.queue.setMode(mode)
  await world.test.settled()
  return world
}

const atWork = ({ pool }: QueueUnderTest) => pool.live.map(({ request }) => request.userId)

describe('a paused queue', () => {
  it('lets what runs end, takes in and keeps, and begins nothing', async () => {
    const { test, run, ann } = await queueIn('paused')
    run.answer()
    await test.ask('cid')
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed' })
    expect([atWork(test), test.queue.position('bob'), test.queue.position('cid')]).toEqual([[], 1, 2])
    expect(test.queue.stats()).toMatchObject({ mode: 'paused', queueSize: 2 })
  })

  it('begins nothing however long it takes, and goes on in order when it is opened', async () => {
    const { test, run } = await queueIn('paused')
    await test.ask('cid')
    run.answer()
    await test.clock.advance(3_600_000)
    expect(atWork(test)).toEqual([])
    await test.queue.setMode('open')
    await test.settled()
    expect(atWork(test)).toEqual(['bob'])
    test.pool.of('bob').answer()
    await test.settled()
    expect(atWork(test)).toEqual(['cid'])
  })

  it('says why nothing goes on to whoever asks, and tells once that places in line have another meaning now', async () => {
    const { test } = await annAndBob()
    test.events.length = 0
    await test.queue.setMode('paused')
    await test.settled()
    expect(test.events).toEqual([{ type: 'positionsChanged', waiting: 1 }])
    expect(test.queue.outlook(1)).toEqual({ waiting: 1, waitMs: null, heldUp: 'paused' })
    await test.queue.setMode('open')
    await test.settled()
    expect(test.events).toHaveLength(2)
    expect(test.queue.outlook(1)).toEqual({ waiting: 1, waitMs: null })
  })

  it('keeps as many as may wait, and refuses beyond', async () => {
    const test = new QueueUnderTest({ slots: 1, settings: { maxQueueSize: 2 } })
    await test.queue.setMode('paused')
    const outcomes = await Promise.all(['u1', 'u2', 'u3', 'u4'].map((user) => test.send(user).result))
    expect(outcomes.map((outcome) => outcome.accepted)).toEqual([true, true, false, false])
    expect(test.queue.room()).toBe(0)
  })

  it('takes no time off a request that waits for its next try', async () => {
    const { test, run, ann } = await annAndBob()
    await test.clock.advance(290_000)
    run.fail({ retryable: true })
    await test.settled()
    test.pool.of('bob').answer()
    await test.queue.setMode('paused')
    await test.settled()
    await test.clock.advance(3_600_000)
    expect(ann.heard.at(-1)).toMatchObject({ type: 'retrying' })
    await test.queue.setMode('open')
    await test.settled()
    await test.clock.advance(299_999)
    expect([atWork(test), test.pool.of('ann').cancels]).toEqual([['ann'], 0])
    await test.clock.advance(1)
    expect(test.pool.of('ann').cancels).toBe(1)
  })

  it('gives all of its time to a request that was in line for its next try, however short the pause was', async () => {
    const { test, run } = await annAndBob()
    run.fail({ retryable: true })
    await test.settled()
    await test.clock.advance(20_000)
    await test.queue.setMode('paused')
    await test.clock.advance(100_000)
    await test.queue.setMode('open')
    test.pool.of('bob').answer()
    await test.settled()
    await test.clock.advance(299_999)
    expect(test.pool.of('ann').cancels).toBe(0)
  })

  it('gives all of its time to a request that failed while it was paused', async () => {
    const { test, run } = await queueIn('paused')
    await test.clock.advance(10_000)
    run.fail({ retryable: true })
    await test.settled()
    await test.clock.advance(100_000)
    await test.queue.setMode('open')
    await test.settled()
    await test.clock.advance(299_999)
    expect(test.pool.of('ann').cancels).toBe(0)
  })

  it('lets its waiting requests be cancelled', async () => {
    const { test, bob } = await queueIn('paused')
    expect(await test.queue.cancel(bob.id)).toBe('CANCELLED')
  })

  it('leaves what waits to the next process, which is open', async () => {
    const { test, api, bob } = await queueIn('paused')
    await test.stop()
    const next = new QueueUnderTest({ store: api, clock: test.clock })
    const { waiting } = await api.recover('discord')
    next.queue.restore(waiting.map((left) => ({ ...left, listener: () => undefined })))
    next.queue.open()
    await next.settled()
    expect(next.queue.stats()).toMatchObject({ mode: 'open', activeRequests: 1 })
    expect(waiting.map(({ request }) => request.id)).toContain(bob.id)
  })
})

describe('a draining queue', () => {
  it('refuses newcomers politely and lets everything it has end', async () => {
    const { test, run, bob } = await queueIn('draining')
    expect(await test.send('cid').result).toEqual({
      accepted: false,
      refusal: {
        code: 'QUEUE_DRAINING',
        message: expect.stringMatching(/no new questions.*not taken in.*again later/),
      },
    })
    run.answer()
    await test.settled()
    test.pool.of('bob').answer()
    await test.settled()
    expect(bob.heard.at(-1)).toMatchObject({ type: 'completed' })
    expect(test.queue.stats()).toMatchObject({ mode: 'draining', queueSize: 0, rejected: { QUEUE_DRAINING: 1 } })
  })

  it('still tells somebody who has a question there that it is that one which is answered', async () => {
    const { test } = await queueIn('draining')
    expect(await test.send('ann').result).toMatchObject({ refusal: { code: 'REQUEST_ALREADY_ACTIVE' } })
    const replayed = test.queue.addRequest(messageOf('dan', { message: ' ' }))
    expect(await replayed).toMatchObject({ refusal: { code: 'REQUEST_INVALID' } })
  })

  it('takes questions in again when it is opened', async () => {
    const { test } = await queueIn('draining')
    await test.queue.setMode('open')
    await test.ask('cid')
    expect(test.queue.position('cid')).toBe(2)
  })
})
