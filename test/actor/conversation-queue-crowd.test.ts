import { describe, expect, it } from 'vitest'
import { FifoOrder } from '#domain/order.ts'
import type { ActiveRequest } from '#queue/queue-state.ts'
import { QueueUnderTest } from '#support/queue-under-test.ts'

const CROWD = 100_000
const log2 = Math.log2(CROWD)
/** Messages an actor handles at a time. */
const BATCH = 100

/** The queue's own order, which counts how often two requests are compared: their admission numbers are read then. */
class CountedOrder extends FifoOrder<ActiveRequest> {
  #reads = 0

  override add(waiting: ActiveRequest): void {
    const { admission } = waiting
    const count = (): number => {
      this.#reads += 1
      return admission
    }
    Object.defineProperty(waiting, 'admission', { get: count })
    super.add(waiting)
  }

  /** Comparisons since the last call. */
  taken(): number {
    const comparisons = this.#reads / 2
    this.#reads = 0
    return comparisons
  }
}

async function newCrowd() {
  const order = new CountedOrder()
  const settings = { maxQueueSize: CROWD, mailboxSize: CROWD + 1 }
  const test = new QueueUnderTest({ slots: 0, settings, order })
  const sent = Array.from({ length: CROWD + 1 }, (_, index) => test.send(`u${index}`).result)
  const results = await Promise.all(sent)
  await test.settled()
  return { test, order, results }
}

function positionsChanged(test: QueueUnderTest): number {
  return test.events.filter(({ type }) => type === 'positionsChanged').length
}

describe('a queue in which 100,000 requests wait', () => {
  it('takes in, places, cancels, starts and leaves each with a few times log n comparisons', async () => {
    const { test, order, results } = await newCrowd()
    expect(results.findIndex(({ accepted }) => !accepted)).toBe(CROWD)
    expect(results[CROWD]).toMatchObject({
      refusal: { code: 'QUEUE_FULL', message: expect.stringContaining('100000') },
    })
    // Two of an addition, two of the place that is told with it.
    expect(order.taken()).toBeLessThan(CROWD * 8 * log2)
    // One for the messages and one for their being stored, whoever is in line.
    expect(positionsChanged(test)).toBeLessThanOrEqual((2 * CROWD) / BATCH + 2)

    for (let index = 0; index < CROWD; index += 100) expect(test.queue.position(`u${index}`)).toBe(index + 1)
    expect(order.taken()).toBeLessThan((CROWD / 100) * 4 * log2)

    test.events.length = 0
    expect(await test.queue.cancel('r50001')).toBe('CANCELLED')
    expect(order.taken()).toBeLessThan(8 * log2)
    expect(['u49999', 'u50000', 'u50001', 'u99999'].map((userId) => test.queue.position(userId))).toEqual([
      50_000,
      undefined,
      50_001,
      99_999,
    ])
    await test.settled()
    expect(test.events.map(({ type }) => type)).toEqual(['cancelled', 'positionsChanged'])

    order.taken()
    test.events.length = 0
    test.pool.resize(1000)
    await test.settled()
    expect(test.pool.runs.map(({ request }) => request.userId)).toEqual(
      Array.from({ length: 1000 }, (_, index) => `u${index}`),
    )
    expect(order.taken()).toBeLessThan(1000 * 8 * log2)
    expect(positionsChanged(test)).toBe(1)

    test.events.length = 0
    await test.stop()
    expect(test.queue.stats()).toMatchObject({ totalCancelled: 1, queueSize: 0, activeRequests: 0 })
    expect(test.events.filter(({ type }) => type === 'suspended')).toHaveLength(CROWD - 1)
    expect(order.taken()).toBeLessThan(CROWD * 8 * log2)
  })
})
