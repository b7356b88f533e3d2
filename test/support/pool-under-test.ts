import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { ParleyError } from '#domain/errors.ts'
import { PiscinaPool, type PoolOptions } from '#pool/piscina-pool.ts'
import { untilSlots } from './pool-slots.ts'
import { RecordedRun } from './recorded-run.ts'
import { RecordingLog } from './recording-log.ts'
import { type Instruction, newSignals, type Signals, type Start, setStart, type Told } from './scripted-assistant.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { requestOf } from './stored-requests.ts'
import { threadData } from './thread-data.ts'
import { ThreadWatch } from './thread-watch.ts'

const ENTRY = fileURLToPath(new URL('./scripted-assistant-thread.ts', import.meta.url))
export const CANCEL_GRACE_MS = 1000
export const RECOVERY_DELAY_MS = 5000

export interface PoolUnderTest {
  readonly pool: PiscinaPool
  readonly clock: SimulatedClock
  readonly log: RecordingLog
  readonly givenUp: ParleyError[]
  readonly signals: Signals
  readonly watch: ThreadWatch
  readonly run: (instruction: Instruction) => RecordedRun
}

/** A pool of scripted threads whose time only a test makes pass; leaves no thread behind, or the test fails. */
export function openPool(options: Partial<PoolOptions> = {}, start: Start = 'works'): PoolUnderTest {
  const signals = newSignals()
  setStart(signals, start)
  const clock = new SimulatedClock()
  const log = new RecordingLog()
  const givenUp: ParleyError[] = []
  const watch = new ThreadWatch()
  const pool = new PiscinaPool({
    entry: ENTRY,
    size: 2,
    concurrency: 3,
    maxHeapMiB: 32,
    cancelGraceMs: CANCEL_GRACE_MS,
    errorRecoveryDelayMs: RECOVERY_DELAY_MS,
    historyLimit: 20,
    thread: threadData(signals),
    clock,
    log,
    onGivenUp: (error) => givenUp.push(error),
    ...options,
  })
  onTestFinished(async () => {
    await pool.stop()
    // One that failed ends by itself.
    await watch.untilAlive(0)
    watch[Symbol.dispose]()
    expect(clock.pending).toBe(0)
  })
  let runs = 0
  const run = (message: Instruction) => {
    runs += 1
    return new RecordedRun(pool, requestOf(`${runs}`, { message }))
  }
  return { pool, clock, log, givenUp, signals, watch, run }
}

export async function openReady(options: Partial<PoolOptions> = {}): Promise<PoolUnderTest> {
  const harness = openPool(options)
  const { size, concurrency } = { size: 2, concurrency: 3, ...options }
  await untilSlots(harness.pool, size * concurrency)
  return harness
}

/** Where a request runs, once it does. */
export async function told(run: RecordedRun): Promise<Told> {
  const { text } = await run.first('delta')
  return JSON.parse(text)
}

export async function threadOf(run: RecordedRun): Promise<number> {
  return (await told(run)).threadId
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

export function openPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
}
