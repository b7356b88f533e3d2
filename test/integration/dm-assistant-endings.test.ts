import { once } from 'node:events'
import { postMessageToThread, Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import type { DatabaseThreadCell } from '#protocol/assistant-thread.ts'
import { AssistantWorld, NOTHING_STORED } from '#support/assistant-world.ts'
import { quotaUsedUp, rateLimited, type Script, serverFailure } from '#support/openai/script.ts'
import { RecordedRun } from '#support/recorded-run.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'
import type { StandInMode } from '#support/stand-in-database-thread.ts'

const KEY = 'test-key-1234'

let world: AssistantWorld
let pool: PiscinaPool
/** What the main thread's side of that pool says. */
const poolLog = new RecordingLog()
/** For the database's supervisor: a dead thread stays dead until a test lets time pass. */
const clock = new SimulatedClock()
const RECOVERY_DELAY_MS = 5000

beforeAll(async () => {
  const entry = new URL('../support/crashable-database-thread.ts', import.meta.url)
  world = await AssistantWorld.start({ entry, clock, errorRecoveryDelayMs: RECOVERY_DELAY_MS })
  pool = await world.openPool({ pool: { log: poolLog } })
})

afterEach(() => world.server.reset())

afterAll(() => world.close())

function httpError(status: number, code: string, message: string): Script {
  return { type: 'error', status, code, message }
}

describe('a model that gives no answer', () => {
  const failures: [string, string, boolean, Script][] = [
    [
      'refuses the key',
      'MODEL_KEY_REFUSED',
      false,
      httpError(401, 'invalid_api_key', `Incorrect API key provided: ${KEY}.`),
    ],
    [
      'is not there',
      'MODEL_UNKNOWN',
      false,
      httpError(404, 'model_not_found', 'The model `test-model` does not exist.'),
    ],
    ['has too much to do', 'MODEL_RATE_LIMITED', true, rateLimited()],
    ['has no credit left', 'MODEL_QUOTA_USED_UP', false, quotaUsedUp()],
    ['breaks', 'MODEL_FAILED', true, serverFailure(500)],
    ['is cut off', 'MODEL_CUT_OFF', true, { type: 'cut', afterChunks: 2 }],
    ['says nothing', 'MODEL_EMPTY_ANSWER', true, { type: 'answer', text: '' }],
  ]

  it.each(failures)('because it %s is a failure %s (can be tried again: %s), and nothing is stored', async (...row) => {
    const [, code, retryable, script] = row
    await world.server.script(script)
    const request = world.newRequest({ message: 'a very private question' })
    const outcome = await new RecordedRun(pool, request).outcome
    expect(outcome).toMatchObject({ type: 'failed', failure: { code, retryable }, database: { ok: 2, failed: 0 } })
    expect(JSON.stringify(outcome)).not.toMatch(new RegExp(`private|${KEY}`))
    expect(world.stored(request)).toEqual(NOTHING_STORED)
    expect(await world.prompts()).toHaveLength(1)
  })

  it('because it falls silent is a failure, and its connection is closed', async () => {
    const impatient = await world.openPool({ model: { silenceTimeoutMs: 100 } })
    await world.server.script({ type: 'silent', afterChunks: 2 })
    const run = world.ask(impatient)
    expect(await run.outcome).toMatchObject({ type: 'failed', failure: { code: 'MODEL_TIMED_OUT', retryable: true } })
    await world.server.waitForAborted(1)
  })

  it('has told what there was of the answer before it was cut off', async () => {
    await world.server.script({ type: 'cut', afterChunks: 3 })
    const run = world.ask(pool)
    await run.outcome
    expect(run.text).toBe('One two three')
    expect(run.order.at(-1)).toBe('failed')
  })
})

describe('a stop', () => {
  it('in the middle of an answer keeps what was written, as the answer and in the history, and says so', async () => {
    await world.server.script({ type: 'silent', afterChunks: 2 })
    const request = world.newRequest()
    const run = new RecordedRun(pool, request)
    const { text } = await run.first('delta')
    run.stopAndKeep()
    const outcome = await run.outcome
    expect(outcome).toMatchObject({ type: 'answered', stopReason: 'stopped', usage: null, stored: true })
    await world.server.waitForAborted(1)
    expect(run.text.startsWith(text)).toBe(true)
    const note = `${run.text.trim()}\n-# Stopped here.`
    expect(outcome).toMatchObject({ text: run.text, parts: [note] })
    expect(world.stored(request)).toEqual({
      status: 'COMPLETED',
      messages: [
        { role: 'user', content: request.message },
        { role: 'assistant', content: run.text },
      ],
    })
    expect(world.toDeliver(request)).toEqual([note])
  })

  it('before anything was written is a cancel', async () => {
    await world.server.script({ type: 'hang' })
    const request = world.newRequest()
    const run = new RecordedRun(pool, request)
    await world.server.waitForRequests(1)
    run.stopAndKeep()
    expect(await run.outcome).toMatchObject({ type: 'cancelled' })
    await world.server.waitForAborted(1)
    expect(world.stored(request)).toEqual(NOTHING_STORED)
  })
})

describe('a cancel', () => {
  it('in the middle of an answer ends the call to the model, and nothing is stored', async () => {
    await world.server.script({ type: 'silent', afterChunks: 2 })
    const request = world.newRequest()
    const run = new RecordedRun(pool, request)
    await run.first('delta')
    run.cancel()
    expect(await run.outcome).toEqual({ type: 'cancelled', database: { ok: 2, failed: 0 } })
    await world.server.waitForAborted(1)
    expect(world.stored(request)).toEqual(NOTHING_STORED)
    await world.ask(pool, { userId: request.userId }).outcome
    expect(await world.lastPrompt()).toHaveLength(2)
  })

  it('before the model has said anything ends the call too', async () => {
    await world.server.script({ type: 'hang' })
    const run = world.ask(pool)
    await world.server.waitForRequests(1)
    run.cancel()
    expect(await run.outcome).toMatchObject({ type: 'cancelled' })
    await world.server.waitForAborted(1)
  })

  it('ends one request only, of many in the same thread', async () => {
    const answers = Array.from({ length: 10 }, (): Script => ({ type: 'held', text: 'after all' }))
    await world.server.script(...answers)
    const runs = answers.map(() => world.ask(pool))
    await world.server.waitForRequests(answers.length)
    runs[3]?.cancel()
    expect(await runs[3]?.outcome).toMatchObject({ type: 'cancelled' })
    await world.server.release()
    const others = await Promise.all(runs.filter((_, index) => index !== 3).map((run) => run.outcome))
    expect(others).toMatchObject(Array(9).fill({ type: 'answered', text: 'after all', stored: true }))
  })
})

/** A thread in place of the database's; nobody can reach it before `become`. */
function startStandIn() {
  const worker = new Worker(new URL('../support/stand-in-database-thread.ts', import.meta.url))
  onTestFinished(async () => void (await worker.terminate()))
  const become = async (mode: StandInMode): Promise<void> => {
    worker.postMessage(mode)
    await once(worker, 'message')
  }
  return { threadId: worker.threadId, become }
}

function cellOf(threadId: number): DatabaseThreadCell {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  cell[0] = threadId
  return cell
}

describe('without the database', () => {
  const unstored = { type: 'answered', stored: false, database: { ok: 0, failed: 3 } }
  const databaseThread = cellOf(-1)
  /** Its calls to the database may take longer than any test. */
  let alone: PiscinaPool

  beforeAll(async () => {
    alone = await world.openPool({ databaseThread, thread: { databaseCallTimeoutMs: 600_000 } })
  })

  it('questions are answered from an empty history, and the answer says that it is not stored', async () => {
    Atomics.store(databaseThread, 0, -1)
    const run = world.ask(alone, { message: 'Anybody there?' })
    expect(await run.outcome).toMatchObject({ ...unstored, text: 'echo: Anybody there? (2 messages)' })
    // A thread that never was, and then the real one.
    Atomics.store(databaseThread, 0, 999_999)
    expect(await world.ask(alone).outcome).toMatchObject(unstored)
    Atomics.store(databaseThread, 0, world.database.threadId)
    expect(await world.ask(alone).outcome).toMatchObject({ stored: true, database: { ok: 3, failed: 0 } })
  })

  it('that could not be reached, the next question finds it when it can be', async () => {
    const { threadId, become } = startStandIn()
    Atomics.store(databaseThread, 0, threadId)
    expect(await world.ask(alone).outcome).toMatchObject(unstored)
    await become('forgetful')
    expect(await world.ask(alone).outcome).toMatchObject({ stored: true, database: { ok: 3, failed: 0 } })
  })

  it('that does not answer, a cancelled question ends at once', async () => {
    const { threadId, become } = startStandIn()
    Atomics.store(databaseThread, 0, threadId)
    await become('silent')
    const run = world.ask(alone)
    run.cancel()
    expect(await run.outcome).toMatchObject({ type: 'cancelled' })
    expect(await world.prompts()).toEqual([])
  })

  it('that does not answer, questions wait only as long as a call may take', async () => {
    const { threadId, become } = startStandIn()
    await become('silent')
    const thread = { databaseCallTimeoutMs: 50 }
    const hasty = await world.openPool({ databaseThread: cellOf(threadId), thread })
    expect(await world.ask(hasty).outcome).toMatchObject(unstored)
  })

  it('that died in the middle, the answer goes out; the same thread finds its successor', async () => {
    const ask = (message: string) => world.ask(pool, { userId: 'ann', message })
    await ask('one').outcome
    await world.server.script({ type: 'silent', afterChunks: 2 })
    const run = ask('two')
    await run.first('delta')
    await crashDatabase()
    await world.server.release()
    const text = 'One two three four five six.'
    expect(await run.outcome).toMatchObject({ text, stored: false, database: { ok: 2, failed: 1 } })
    await restartDatabase()
    expect(await ask('three').outcome).toMatchObject({ stored: true, database: { ok: 3, failed: 0 } })
    expect((await world.lastPrompt()).filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual([
      'one',
      'three',
    ])
    expect(poolLog.lines).toEqual([])
  })

  async function crashDatabase(): Promise<void> {
    const died = world.log.next('died')
    await postMessageToThread(world.database.threadId, 'crash')
    await died
  }

  async function restartDatabase(): Promise<void> {
    const running = world.log.next('running again')
    await clock.advance(RECOVERY_DELAY_MS)
    await running
  }
})
