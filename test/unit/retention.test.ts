import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextStepSize, type PruneStep, Retention } from '#database/retention.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const HOUR_MS = 60 * 60 * 1000
const BOUND_MS = 20

describe('the size of the next step', () => {
  it.each([
    ['doubles after a quick step', 10, 0.1, 20],
    ['doubles after a step too quick to be measured', 10, 0, 20],
    ['stays after a step of the time aimed at', 10, 5, 10],
    ['shrinks after a slow step, in proportion', 100, 50, 10],
    ['never falls below one', 3, 10_000, 1],
    ['has an upper bound', 400, 0.1, 500],
  ])('%s', (_, size, tookMs, expected) => {
    expect(nextStepSize(size, tookMs)).toBe(expected)
  })

  it('keeps the thread less than 20 ms, even when its rows take three times as long as the last ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0.001, max: 1000, noNaN: true }),
        (size, perRowMs) => {
          const next = nextStepSize(size, size * perRowMs)
          if (next > 1) expect(next * perRowMs * 3).toBeLessThan(BOUND_MS)
        },
      ),
    )
  })
})

describe('retention', () => {
  /** Steps whose results a test gives; a step asks for them in turn. */
  function retentionWith(results: (PruneStep | Error)[]) {
    const clock = new SimulatedClock()
    const log = new RecordingLog()
    const limits: number[] = []
    const prune = async (finishedBefore: number, limit: number): Promise<PruneStep> => {
      expect(finishedBefore).toBe(4000)
      limits.push(limit)
      const result = results.shift() ?? { requests: 0, messages: 0, tookMs: 1 }
      if (result instanceof Error) throw result
      return result
    }
    const retention = new Retention({ prune, retentionMs: 6000, now: () => 10_000, clock, log })
    const pass = async (ms: number): Promise<void> => {
      await clock.advance(ms)
      await turnOfTheEventLoop()
    }
    return { clock, log, limits, retention, pass }
  }

  it('goes on in steps, each as large as the last one allows, until nothing is left, and begins anew each hour', async () => {
    const { log, limits, pass, retention } = retentionWith([
      { requests: 4, messages: 8, tookMs: 1 },
      { requests: 8, messages: 16, tookMs: 10 },
      { requests: 1, messages: 2, tookMs: 1 },
    ])
    for (let n = 0; n < 5; n++) await pass(20)
    expect(limits).toEqual([4, 8, 4])
    expect(log.lines).toMatchObject([{ level: 'info', fields: { deleted: 39 } }])
    await pass(HOUR_MS - 100)
    expect(limits).toHaveLength(3)
    await pass(100)
    expect(limits).toHaveLength(4)
    expect(log.lines).toHaveLength(1)
    retention.stop()
  })

  it('leaves the thread to others between two steps', async () => {
    const { limits, pass, retention } = retentionWith([
      { requests: 4, messages: 8, tookMs: 5 },
      { requests: 4, messages: 8, tookMs: 5 },
    ])
    await pass(0)
    await pass(19)
    expect(limits).toHaveLength(1)
    await pass(1)
    expect(limits).toHaveLength(2)
    retention.stop()
  })

  it('tries again in the next hour when the database does not take it', async () => {
    const { log, limits, pass, retention } = retentionWith([new Error('the disk is full')])
    await pass(0)
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { error: 'the disk is full' } }])
    await pass(HOUR_MS)
    expect(limits).toHaveLength(2)
    retention.stop()
  })

  it('ends when it is stopped, also in the middle of a step', async () => {
    const { clock, log, limits, pass, retention } = retentionWith([new Error('the database is closing')])
    const stepping = pass(0)
    retention.stop()
    await stepping
    expect([limits, clock.pending, log.lines]).toEqual([[4], 0, []])
  })
})
