import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SlidingDurations } from '#domain/durations.ts'
import { queueStatistics } from '#support/queue-statistics.ts'
import { QueueUnderTest } from '#support/queue-under-test.ts'

/** One request from its admission to its answer, as long as the test says. */
async function answered(test: QueueUnderTest, waitingMs: number, processingMs: number): Promise<void> {
  test.pool.slots = 0
  await test.ask('ann')
  await test.clock.advance(waitingMs)
  test.pool.resize(1)
  await test.settled()
  await test.clock.advance(processingMs)
  test.pool.of('ann').answer()
  await test.settled()
}

describe('the outlook of somebody in line', () => {
  it('says when more are before them than the setting allows without a word', async () => {
    const crowded = (warnAbove: number, place: number) =>
      new QueueUnderTest({ settings: { warnAbove } }).queue.outlook(place).crowded
    expect([crowded(2, 3), crowded(2, 4)]).toEqual([undefined, true])
    expect([crowded(0, 1), crowded(0, 2)]).toEqual([undefined, true])
  })

  it('tells how many wait, and how long it takes once enough was measured', async () => {
    const test = new QueueUnderTest({ slots: 2 })
    for (const user of ['ann', 'bob', 'cem']) {
      await test.ask(user)
      await test.clock.advance(9_000)
      expect(test.queue.outlook(3)).toEqual({ waiting: 0, waitMs: null })
      test.pool.of(user).answer()
      await test.settled()
    }
    expect(test.queue.outlook(4)).toEqual({ waiting: 0, waitMs: 18_000 })
    for (const user of ['dan', 'eve', 'fay']) await test.ask(user)
    expect(test.queue.outlook(1)).toEqual({ waiting: 1, waitMs: 4_500 })
  })

  it('is worked out once for all who are told at the same time', async () => {
    const test = new QueueUnderTest()
    await answered(test, 0, 1_000)
    const mean = vi.spyOn(SlidingDurations.prototype, 'mean')
    onTestFinished(() => mean.mockRestore())
    for (let place = 1; place <= 50; place++) test.queue.outlook(place)
    expect(mean).toHaveBeenCalledTimes(1)
    await test.clock.advance(1_000)
    test.queue.outlook(1)
    expect(mean).toHaveBeenCalledTimes(2)
  })
})

describe('the statistics of the queue', () => {
  it('are zero at the start', () => {
    const test = new QueueUnderTest({ slots: 3 })
    expect(test.queue.stats()).toEqual(queueStatistics({ slots: { used: 0, total: 3 } }))
  })

  it('add up: what was accepted has ended or is active', async () => {
    const test = new QueueUnderTest({ slots: 3 })
    const asked = []
    for (const userId of ['a', 'b', 'c', 'd', 'e']) asked.push(await test.ask(userId))
    test.pool.of('a').answer('yes', { trimmedMessages: 4 })
    test.pool.of('b').fail()
    await test.queue.cancel(asked[4]?.id ?? '')
    await test.settled()
    expect(test.queue.stats()).toMatchObject({
      totalProcessed: 1,
      totalFailed: 1,
      totalCancelled: 1,
      activeRequests: 2,
      queueSize: 0,
      slots: { used: 2, total: 3 },
      requestsPerMinute: 3,
      trimmedMessages: 4,
    })
  })

  it('tell how long requests waited, were worked on, and both together', async () => {
    const test = new QueueUnderTest()
    for (let index = 1; index <= 20; index++) await answered(test, index * 10, index * 100)
    expect(test.queue.stats()).toMatchObject({
      waiting: { count: 20, p50Ms: 100, p95Ms: 190, p99Ms: 200 },
      processing: { count: 20, p50Ms: 1000, p95Ms: 1900, p99Ms: 2000 },
      total: { count: 20, p50Ms: 1100, p95Ms: 2090, p99Ms: 2200 },
    })
  })

  it('forget durations after ten minutes', async () => {
    const test = new QueueUnderTest()
    await answered(test, 0, 5000)
    await test.clock.advance(300_000)
    await answered(test, 0, 1000)
    expect(test.queue.stats().total).toMatchObject({ count: 2, p99Ms: 5000 })
    await test.clock.advance(299_001)
    expect(test.queue.stats().total).toMatchObject({ count: 1, p99Ms: 1000 })
    await test.clock.advance(301_000)
    expect(test.queue.stats().total).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 })
  })

  it('count a request’s time from its first start when it is tried again', async () => {
    const test = new QueueUnderTest()
    await test.ask('ann')
    await test.clock.advance(2000)
    test.pool.of('ann').lose()
    await test.settled()
    await test.clock.advance(3000)
    test.pool.of('ann').answer()
    await test.settled()
    expect(test.queue.stats()).toMatchObject({ waiting: { p99Ms: 0 }, processing: { p99Ms: 5000 }, totalRetried: 1 })
  })

  it('leave cancelled requests and those that never ran out of the durations', async () => {
    const test = new QueueUnderTest()
    const { id } = await test.ask('ann')
    const waiting = await test.ask('bob')
    await test.queue.cancel(waiting.id)
    const cancelled = test.queue.cancel(id)
    await test.settled()
    test.pool.of('ann').stop()
    await cancelled
    expect(test.queue.stats()).toMatchObject({ totalCancelled: 2, total: { count: 0 }, requestsPerMinute: 2 })
  })

  it('count the requests that ended in the last minute', async () => {
    const test = new QueueUnderTest()
    for (let index = 0; index < 3; index++) await answered(test, 0, 20_000)
    expect(test.queue.stats().requestsPerMinute).toBe(3)
    await test.clock.advance(20_000)
    expect(test.queue.stats().requestsPerMinute).toBe(2)
    await test.clock.advance(40_000)
    expect(test.queue.stats().requestsPerMinute).toBe(0)
  })
})
