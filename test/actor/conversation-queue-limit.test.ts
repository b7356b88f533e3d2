import { describe, expect, it } from 'vitest'
import { QueueUnderTest } from '#support/queue-under-test.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

/** A host's clock that can be set back; its timers do not care. */
class JumpingClock extends SimulatedClock {
  setBackMs = 0

  override now(): number {
    return super.now() - this.setBackMs
  }
}

const users = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`)

describe('a model server that has too much to do', () => {
  const busy = { code: 'MODEL_RATE_LIMITED', retryable: true } as const
  const adaptive = { maxAttempts: 9, retryBackoffMs: 0, pollIntervalMs: 3_600_000, adaptConcurrency: true }

  it('gets fewer questions at the same time, and more again as it answers', async () => {
    const test = new QueueUnderTest({ slots: 8, settings: adaptive })
    for (const user of users(40)) await test.ask(user)
    test.pool.live[0]?.fail(busy)
    await test.settled()
    expect(test.queue.stats().model).toMatchObject({ limit: 6, rateLimited: 1 })
    for (const run of test.pool.live) run.answer()
    await test.settled()
    expect(test.pool.live).toHaveLength(6)
    for (let rounds = 0; rounds < 3; rounds++) {
      for (const run of test.pool.live) run.answer()
      await test.settled()
    }
    expect([test.queue.stats().model.limit, test.pool.live.length]).toEqual([null, 8])
  })

  it('shrinks the limit once for a crowd that is refused together, and never below one', async () => {
    const test = new QueueUnderTest({ slots: 8, settings: adaptive })
    for (const user of users(8)) await test.ask(user)
    for (const run of test.pool.live) run.tell({ type: 'modelRetry', call: 2, busy: {} })
    await test.settled()
    expect(test.queue.stats().model).toMatchObject({ limit: 6, rateLimited: 8 })
    for (let rounds = 0; rounds < 20; rounds++) {
      await test.clock.advance(1000)
      test.pool.live[0]?.tell({ type: 'modelRetry', call: 2, busy: {} })
      await test.settled()
    }
    expect(test.queue.stats().model.limit).toBe(1)
  })

  it('makes no more wait than may, however many slots are free', async () => {
    const test = new QueueUnderTest({ slots: 8, settings: { ...adaptive, maxQueueSize: 2 } })
    await test.ask('ann')
    test.pool.of('ann').tell({ type: 'modelRetry', call: 2, busy: {} })
    await test.settled()
    const outcomes = await Promise.all(users(4).map((user) => test.send(user).result))
    expect(outcomes.map(({ accepted }) => accepted)).toEqual([true, true, false, false])
  })

  it('gets nothing before the time it has named', async () => {
    const test = new QueueUnderTest({ slots: 2, settings: adaptive })
    for (const user of users(3)) await test.ask(user)
    for (const run of test.pool.live) run.fail({ ...busy, retryAfterMs: 20_000 })
    await test.settled()
    await test.clock.advance(19_999)
    await test.settled()
    expect(test.pool.live).toEqual([])
    await test.clock.advance(1)
    await test.settled()
    expect(test.pool.live).toHaveLength(1)
  })

  it('gets something at that time although the host’s clock is set back meanwhile', async () => {
    const clock = new JumpingClock()
    const steadyClock = { now: () => clock.now() + clock.setBackMs }
    const test = new QueueUnderTest({ slots: 2, settings: adaptive, clock, steadyClock })
    await test.ask('ann')
    test.pool.of('ann').fail({ ...busy, retryAfterMs: 20_000 })
    await test.settled()
    clock.setBackMs = 3_600_000
    await test.clock.advance(20_000)
    await test.settled()
    expect(test.pool.live).toHaveLength(1)
  })

  it('gets as many as ever when the limit is fixed', async () => {
    const test = new QueueUnderTest({ slots: 8, settings: { ...adaptive, adaptConcurrency: false } })
    for (const user of users(16)) await test.ask(user)
    test.pool.live[0]?.fail({ ...busy, retryAfterMs: 20_000 })
    await test.settled()
    expect(test.pool.live).toHaveLength(8)
    expect(test.queue.stats().model).toMatchObject({ limit: null, rateLimited: 1 })
  })
})
