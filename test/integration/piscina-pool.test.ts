import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { untilSlots } from '#support/pool-slots.ts'
import {
  CANCEL_GRACE_MS,
  openPool,
  openPorts,
  openReady,
  type PoolUnderTest,
  threadOf,
  times,
  told,
} from '#support/pool-under-test.ts'
import { RecordedRun } from '#support/recorded-run.ts'
import { blockUntilAnswered, DELTAS, type Instruction } from '#support/scripted-assistant.ts'
import { requestOf } from '#support/stored-requests.ts'

/** Takes all slots with requests that hang. */
async function fill({ pool, run }: PoolUnderTest): Promise<RecordedRun[]> {
  const runs = times(pool.slots, () => run('hang'))
  await Promise.all(runs.map(told))
  return runs
}

describe('the slots of a pool', () => {
  it('are size × concurrency once the threads are ready, and none before', async () => {
    const { pool, watch } = openPool({ size: 2, concurrency: 3 })
    expect(pool.slots).toBe(0)
    const seen = new Set<number>()
    pool.onSlotsChanged(() => seen.add(pool.slots))
    await untilSlots(pool, 6)
    expect([...seen]).toEqual([3, 6])
    expect(pool.slotsUsed).toBe(0)
    expect(watch.alive).toBe(2)
  })

  it('are spread over the threads, each with at most `concurrency` requests', async () => {
    const harness = await openReady({ size: 2, concurrency: 3 })
    const { pool, run } = harness
    const runs: RecordedRun[] = []
    for (let count = 1; count <= 6; count += 1) {
      runs.push(run('hang'))
      expect(pool.slotsUsed).toBe(count)
    }
    const places = await Promise.all(runs.map(told))
    const [first, second] = [...new Set(places.map(({ threadId }) => threadId))]
    expect(places.map(({ threadId }) => threadId)).toEqual([first, second, first, second, first, second])
    expect(places.map(({ running }) => running)).toEqual([1, 1, 2, 2, 3, 3])
  })

  it('refuse one request too many with an exception that leaves nothing open', async () => {
    const harness = await openReady({ size: 1, concurrency: 2 })
    await fill(harness)
    const ports = openPorts()
    expect(() => harness.run('answer')).toThrow('expected a free slot')
    expect(openPorts()).toBe(ports)
    expect(harness.pool.slotsUsed).toBe(2)
  })

  it('are free again, and told to be, when a request ends', async () => {
    const harness = await openReady({ size: 1, concurrency: 2 })
    const [hanging] = await fill(harness)
    const ports = openPorts()
    const freed = new Promise<number>((resolve) => {
      harness.pool.onSlotsChanged(() => resolve(harness.pool.slotsUsed))
    })
    hanging?.cancel()
    expect(await freed).toBe(1)
    const next = harness.run('answer')
    expect(await next.outcome).toMatchObject({ type: 'answered' })
    // A port closes in a later turn of the event loop.
    while (openPorts() > ports - 1) await turnOfTheEventLoop()
  })

  it('hold in any order of starts and ends', async () => {
    const harness = await openReady({ size: 2, concurrency: 2 })
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom<Instruction>('hang', 'answer', 'throw') },
      { weight: 3, arbitrary: fc.nat({ max: 3 }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const hanging: RecordedRun[] = []
        try {
          for (const next of steps) {
            if (typeof next === 'number') await cancelOneOf(hanging, next)
            else await startOrBeRefused(harness, next, hanging)
            expect(harness.pool.slotsUsed).toBe(hanging.length)
            expect(harness.pool.slots).toBe(4)
          }
        } finally {
          while (hanging.length > 0) await cancelOneOf(hanging, 0)
        }
      }),
      { numRuns: 20 },
    )
  })

  async function cancelOneOf(hanging: RecordedRun[], index: number): Promise<void> {
    const [run] = hanging.splice(index % Math.max(1, hanging.length), 1)
    run?.cancel()
    expect((await run?.outcome)?.type).toBe(run && 'cancelled')
  }

  async function startOrBeRefused(
    { pool, run }: PoolUnderTest,
    next: Instruction,
    hanging: RecordedRun[],
  ): Promise<void> {
    if (hanging.length === pool.slots) {
      expect(() => run(next)).toThrow('expected a free slot')
      return
    }
    const started = run(next)
    expect((await told(started)).running).toBeLessThanOrEqual(2)
    if (next === 'hang') return void hanging.push(started)
    expect((await started.outcome).type).toBe(next === 'answer' ? 'answered' : 'lost')
  }
})

describe('a run', () => {
  it('tells its events before its outcome, also to a thread that was busy when both came', async () => {
    const { run, signals } = await openReady({ size: 1 })
    const answering = run('answer')
    blockUntilAnswered(signals)
    expect(await answering.outcome).toMatchObject({ type: 'answered', text: DELTAS.join('') })
    expect(answering.order).toEqual(['delta', 'delta', 'delta', 'delta', 'answered'])
    expect(answering.events.slice(1)).toMatchObject(DELTAS.map((text) => ({ text })))
  })

  it('is cancelled by its thread, which goes on with its other requests', async () => {
    const harness = await openReady({ size: 1, concurrency: 2 })
    const { run, clock } = harness
    const [cancelled, other] = [run('hang'), run('hang')]
    await Promise.all([told(cancelled), told(other)])
    cancelled.cancel()
    cancelled.cancel()
    expect(clock.pending).toBe(1)
    expect(await cancelled.outcome).toEqual({ type: 'cancelled', database: { ok: 0, failed: 0 } })
    expect(clock.pending).toBe(0)
    cancelled.cancel()
    await clock.advance(10 * CANCEL_GRACE_MS)
    expect(await threadOf(run('hang'))).toBe(await threadOf(other))
    expect(other.order).toEqual(['delta'])
  })

  it('may be cancelled before its thread has taken it', async () => {
    const { run } = await openReady({ size: 1 })
    const cancelled = run('hang')
    cancelled.cancel()
    expect(await cancelled.outcome).toMatchObject({ type: 'cancelled' })
  })

  it('is lost when the task function throws; thread and neighbours go on', async () => {
    const { run, watch, pool } = await openReady({ size: 1 })
    const neighbour = run('hang')
    const throwing = run('throw')
    expect(await throwing.outcome).toEqual({ type: 'lost', reason: 'thrown by the task' })
    expect(await threadOf(run('hang'))).toBe(await threadOf(neighbour))
    expect(pool.slots).toBe(3)
    expect(watch.alive).toBe(1)
  })

  it('is lost when it cannot be handed over, and leaves nothing open', async () => {
    const { pool } = await openReady({ size: 1 })
    const ports = openPorts()
    // No message can hold a function.
    const unsendable = requestOf('unsendable', { message: (() => 'text') as never })
    const run = new RecordedRun(pool, unsendable)
    expect(await run.outcome).toMatchObject({ type: 'lost', reason: expect.stringContaining('could not be cloned') })
    while (openPorts() > ports) await turnOfTheEventLoop()
    expect(pool.slotsUsed).toBe(0)
  })
})

describe('stopping a pool', () => {
  it('ends all threads and loses what runs', async () => {
    const { pool, run, watch } = await openReady({ size: 2, concurrency: 2 })
    const runs = [run('hang'), run('ignore'), run('hang')]
    await Promise.all(runs.map(told))
    const cancelled = runs[0]
    cancelled?.cancel()
    await Promise.all([pool.stop(), pool.stop()])
    expect(watch.alive).toBe(0)
    expect(pool.slots).toBe(0)
    expect((await Promise.all(runs.map((each) => each.outcome))).map(({ type }) => type)).toContain('lost')
    expect(() => run('answer')).toThrow('expected a free slot')
  })

  it('ends threads that are just starting', async () => {
    const { pool, watch } = openPool({ size: 2 })
    await pool.stop()
    expect(watch.alive).toBe(0)
    expect(pool.slots).toBe(0)
  })

  it('starts no thread in place of one that is dying', async () => {
    const { pool, run, watch } = await openReady({ size: 2 })
    await run('crash').outcome
    const { started } = watch
    await pool.stop()
    await watch.untilAlive(0)
    expect(watch.started).toBe(started)
  })
})
