import { describe, expect, it } from 'vitest'
import { untilSlots } from '#support/pool-slots.ts'
import {
  CANCEL_GRACE_MS,
  openPool,
  openReady,
  type PoolUnderTest,
  RECOVERY_DELAY_MS,
  threadOf,
  times,
} from '#support/pool-under-test.ts'
import type { RecordingLog } from '#support/recording-log.ts'
import { letGoOn, setStart } from '#support/scripted-assistant.ts'
import { DATABASE_CALL_TIMEOUT_MS } from '#support/thread-data.ts'

describe('a thread that ignores a cancel', () => {
  it('is ended after the grace time and replaced; its requests are lost, those of other threads go on', async () => {
    const harness = await openReady({ size: 2, concurrency: 3 })
    const { pool, run, clock, log } = harness
    const runs = [run('hang'), run('hang'), run('hang'), run('hang'), run('ignore')]
    const [neighbour, elsewhere, neighbour2, elsewhere2, wedged] = runs
    if (!(neighbour && elsewhere && neighbour2 && elsewhere2 && wedged)) throw new Error('expected five runs')
    const threads = await Promise.all(runs.map(threadOf))
    wedged.cancel()
    neighbour.cancel()
    await clock.advance(CANCEL_GRACE_MS - 1)
    expect(pool.slots).toBe(6)
    await clock.advance(1)
    expect(pool.slots).toBe(3)
    const lost = await Promise.all([wedged, neighbour, neighbour2].map((each) => each.outcome))
    expect(lost.map(({ type }) => type)).toEqual(['lost', 'lost', 'lost'])
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { threadId: threads[0], requests: 3 }, message: 'a pool thread does not react and is ended' },
    ])
    await untilSlots(pool, 6)
    expect(pool.slotsUsed).toBe(2)
    const next = times(4, () => run('hang'))
    const nextThreads = new Set(await Promise.all(next.map(threadOf)))
    expect(nextThreads.size).toBe(2)
    expect(nextThreads).not.toContain(threads[0])
    elsewhere.cancel()
    expect(await elsewhere.outcome).toMatchObject({ type: 'cancelled' })
    expect(elsewhere2.order).toEqual(['delta'])
  })
})

describe('a thread that is to keep an answer', () => {
  it('has the time of a call to the database beside the grace time, as it stores the answer first', async () => {
    const harness = await openReady({ size: 1, concurrency: 1 })
    const { pool, run, clock } = harness
    const kept = run('ignore')
    await threadOf(kept)
    kept.stopAndKeep()
    await clock.advance(CANCEL_GRACE_MS + DATABASE_CALL_TIMEOUT_MS - 1)
    expect(pool.slots).toBe(1)
    await clock.advance(1)
    expect(await kept.outcome).toMatchObject({ type: 'lost' })
    await untilSlots(pool, 1)
  })
})

describe('the death of a thread', () => {
  it.each([
    ['exits', 'exit', 'worker exited with code: 7'],
    ['outgrows its heap', 'exhaust', expect.stringContaining('memory')],
    ['has an error that nobody catches', 'crash', 'thrown outside of the task'],
  ] as const)('loses its requests and brings a new thread when it %s', async (_how, instruction, reason) => {
    const { pool, run, watch } = await openReady({ size: 2, concurrency: 2 })
    const neighbour = run('hang')
    const elsewhere = run('hang')
    const deadThread = await threadOf(neighbour)
    const deadly = run(instruction)
    expect(await deadly.outcome).toEqual({ type: 'lost', reason })
    expect(await neighbour.outcome).toEqual({ type: 'lost', reason })
    await untilSlots(pool, 4)
    await watch.untilAlive(2)
    const next = times(3, () => run('hang'))
    expect(await Promise.all(next.map(threadOf))).not.toContain(deadThread)
    expect(elsewhere.order).toEqual(['delta'])
    elsewhere.cancel()
    expect(await elsewhere.outcome).toMatchObject({ type: 'cancelled' })
  })

  it('takes no other thread with it when it outgrows its heap, time after time', async () => {
    // Without a small young generation one of these three ends this whole process about every third time.
    const { pool, run } = await openReady({ size: 2, concurrency: 1, maxHeapMiB: 48 })
    const elsewhere = run('hang')
    await threadOf(elsewhere)
    for (let round = 0; round < 3; round += 1) {
      expect(await run('exhaust').outcome).toMatchObject({ type: 'lost' })
      await untilSlots(pool, 2)
    }
    expect(elsewhere.order).toEqual(['delta'])
    elsewhere.cancel()
    expect(await elsewhere.outcome).toMatchObject({ type: 'cancelled' })
  })

  it('takes its slots away before anyone hears of the lost requests', async () => {
    const { pool, run } = await openReady({ size: 1, concurrency: 2 })
    const crashing = run('crash')
    const slots = crashing.outcome.then(() => pool.slots)
    // What was handed to a dying thread would wait in a queue of Piscina, in no thread, where no cancel reaches it.
    const next = crashing.outcome.then(() => run('answer'))
    await expect(next).rejects.toThrow('expected a free slot')
    expect(await slots).toBe(0)
    await untilSlots(pool, 2)
    expect(await run('answer').outcome).toMatchObject({ type: 'answered' })
  })
})

describe('a thread that cannot be started', () => {
  /** Each Piscina starts a thread once more before it gives up. */
  async function failedStarts(log: RecordingLog, count: number): Promise<void> {
    for (let seen = 0; seen < count; seen += 1) await log.next('a pool thread failed')
  }

  it('offers no slot, so no request is lost to it', async () => {
    const { pool, log } = openPool({ size: 1 }, 'throws')
    const seen: number[] = []
    pool.onSlotsChanged(() => seen.push(pool.slots))
    await failedStarts(log, 2)
    expect(Math.max(0, ...seen)).toBe(0)
  })

  it('is started anew after the recovery delay, until it works', async () => {
    const { pool, log, clock, signals, givenUp, run } = openPool({ size: 1, concurrency: 2 }, 'throws')
    await failedStarts(log, 2)
    expect(log.lines).toEqual(
      times(2, () => ({ level: 'error', fields: { error: 'the start failed' }, message: 'a pool thread failed' })),
    )
    const again = failedStarts(log, 2)
    await clock.advance(RECOVERY_DELAY_MS - 1)
    expect(log.lines).toHaveLength(2)
    await clock.advance(1)
    await again
    setStart(signals, 'works')
    await clock.advance(RECOVERY_DELAY_MS)
    await untilSlots(pool, 2)
    expect(await run('answer').outcome).toMatchObject({ type: 'answered' })
    await clock.advance(RECOVERY_DELAY_MS)
    expect(clock.pending).toBe(0)
    expect(givenUp).toEqual([])
  })

  it('is given up after ten restarts', async () => {
    const { pool, log, clock, givenUp } = openPool({ size: 1, entry: '/nowhere/assistant.ts' })
    await failedStarts(log, 2)
    for (let restart = 1; restart <= 10; restart += 1) {
      const failed = failedStarts(log, 2)
      await clock.advance(RECOVERY_DELAY_MS)
      await failed
    }
    expect(givenUp).toEqual([])
    await clock.advance(RECOVERY_DELAY_MS)
    expect(givenUp).toMatchObject([{ name: 'ParleyError', code: 'RESTART_LIMIT_REACHED' }])
    await clock.advance(10 * RECOVERY_DELAY_MS)
    expect(givenUp).toHaveLength(1)
    expect(pool.slots).toBe(0)
  })

  it('is noticed when it exits without a word', async () => {
    const { pool, clock, signals, run, watch } = await openReady({ size: 1, concurrency: 2 })
    setStart(signals, 'exits')
    await run('exit').outcome
    await watch.untilAlive(0)
    setStart(signals, 'works')
    await clock.advance(RECOVERY_DELAY_MS)
    await untilSlots(pool, 2)
  })

  it('is noticed however long its start took', async () => {
    const { pool, log, clock, signals, run } = await openReady({ size: 1, concurrency: 2 })
    setStart(signals, 'waitsAndThrows')
    await run('exit').outcome
    await clock.advance(RECOVERY_DELAY_MS)
    const failed = failedStarts(log, 1)
    letGoOn(signals)
    await failed
    setStart(signals, 'works')
    const anew = log.next('starting the assistant threads anew')
    await clock.advance(RECOVERY_DELAY_MS)
    await anew
    await untilSlots(pool, 2)
  })

  it('leaves the requests of healthy threads alone when all threads are started anew', async () => {
    const harness = await openReady({ size: 2, concurrency: 2 })
    const { pool, run, watch } = harness
    const healthy = run('hang')
    await startAnew(harness)
    expect(pool.slotsUsed).toBe(0)
    expect(watch.alive).toBe(3)
    const threads = await Promise.all(times(4, () => threadOf(run('hang'))))
    expect(threads).not.toContain(await threadOf(healthy))
    healthy.cancel()
    expect(await healthy.outcome).toMatchObject({ type: 'cancelled' })
    await watch.untilAlive(2)
  })

  it('has all threads started anew, and a stop ends the old ones as well', async () => {
    const harness = await openReady({ size: 2, concurrency: 2 })
    const healthy = harness.run('hang')
    await startAnew(harness)
    await harness.pool.stop()
    expect(harness.watch.alive).toBe(0)
    expect(await healthy.outcome).toMatchObject({ type: 'lost' })
  })

  /** Kills one of two threads of which the other is busy; the one in its place cannot start. */
  async function startAnew({ pool, log, clock, signals, run }: PoolUnderTest): Promise<void> {
    setStart(signals, 'throws')
    const failed = failedStarts(log, 1)
    await run('exit').outcome
    await failed
    setStart(signals, 'works')
    await clock.advance(RECOVERY_DELAY_MS)
    await untilSlots(pool, 4)
  }
})
