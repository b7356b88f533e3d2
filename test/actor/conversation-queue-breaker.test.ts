import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { QueueUnderTest } from '#support/queue-under-test.ts'
import type { ScriptedRun } from '#support/scripted-pool.ts'

const DEAD = { code: 'MODEL_UNREACHABLE', retryable: true } as const
const PAUSE_MS = 5000
const SETTINGS = {
  breakThreshold: 3,
  breakPauseMs: PAUSE_MS,
  maxAttempts: 9,
  retryBackoffMs: 0,
  pollIntervalMs: 3_600_000,
}

const users = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`)

/** A queue with `count` questions whose first three executions at work have failed, which opens the breaker. */
async function silentModel({ count = 6, slots = 3, settings = {} } = {}) {
  const test = new QueueUnderTest({ slots, settings: { ...SETTINGS, ...settings } })
  for (const user of users(count)) await test.ask(user)
  for (const run of test.pool.live.slice(0, SETTINGS.breakThreshold)) run.fail(DEAD)
  await test.settled()
  return test
}

async function passes(test: QueueUnderTest, ms: number): Promise<void> {
  await test.clock.advance(ms)
  await test.settled()
}

const state = (test: QueueUnderTest) => test.queue.stats().model.state

/** The one execution that finds out whether the model is back. */
function theTry(test: QueueUnderTest): ScriptedRun {
  const [run, ...others] = test.pool.live
  if (!run || others.length > 0) throw new Error(`expected one execution, got ${test.pool.live.length}`)
  return run
}

describe('a model that does not answer several times in a row', () => {
  it('is asked nothing for a while, and those in line are told why', async () => {
    const test = await silentModel()
    expect(test.pool.runs).toHaveLength(3)
    expect(test.queue.outlook(1)).toEqual({ waiting: 6, waitMs: null, heldUp: 'model' })
    expect(test.queue.stats().model).toMatchObject({ state: 'silent', silences: 1 })
    await passes(test, PAUSE_MS - 1)
    expect(test.pool.runs).toHaveLength(3)
  })

  it('makes no more wait than may, however many slots are free', async () => {
    const test = await silentModel({ count: 3, settings: { maxQueueSize: 4 } })
    const outcomes = await Promise.all(['ann', 'bob'].map((user) => test.send(user).result))
    expect(outcomes.map(({ accepted }) => accepted)).toEqual([true, false])
  })

  it('is tried with one question after a pause that doubles from try to try, up to a minute', async () => {
    const test = await silentModel()
    for (const pauseMs of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      await passes(test, pauseMs - 1)
      expect(test.pool.live).toEqual([])
      await passes(test, 1)
      expect([state(test), test.pool.live.length]).toEqual(['tried', 1])
      theTry(test).fail(DEAD)
      await test.settled()
      expect(state(test)).toBe('silent')
    }
    expect(test.queue.stats()).toMatchObject({ totalFailed: 0, queueSize: 6, model: { silences: 7 } })
  })

  it('is tried when its pause is over, although nothing else happens then', async () => {
    const test = await silentModel()
    // Whatever is asked of the queue would make it look.
    await test.clock.advance(PAUSE_MS)
    expect([state(test), test.pool.live.length]).toEqual(['tried', 1])
  })

  it('gets all the questions again with the first word of the try, which need not be over', async () => {
    const test = await silentModel()
    await passes(test, PAUSE_MS)
    theTry(test).say('Hello')
    await test.settled()
    expect([state(test), test.pool.live.length]).toEqual(['answering', 3])
    expect(test.queue.outlook(1)).not.toHaveProperty('heldUp')
    for (let rounds = 0; test.pool.live.length > 0; rounds++) {
      expect(rounds).toBeLessThan(9)
      for (const run of test.pool.live) run.answer()
      await test.settled()
    }
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 6, totalFailed: 0 })
  })

  it('is judged by the try alone, not by what fails late of before', async () => {
    const test = await silentModel({ slots: 4 })
    await passes(test, PAUSE_MS)
    const [before, theTry] = test.pool.live
    before?.fail(DEAD)
    await test.settled()
    expect(state(test)).toBe('tried')
    theTry?.say('Hello')
    await test.settled()
    expect(state(test)).toBe('answering')
  })

  it('begins again with the short pause after it had answered', async () => {
    const test = await silentModel({ slots: 1, count: 2, settings: { breakThreshold: 1 } })
    await passes(test, PAUSE_MS)
    theTry(test).fail(DEAD)
    await test.settled()
    await passes(test, 2 * PAUSE_MS)
    theTry(test).answer()
    await test.settled()
    theTry(test).fail(DEAD)
    await test.settled()
    await passes(test, PAUSE_MS)
    expect(state(test)).toBe('tried')
  })

  it('costs no question an attempt while it is silent', async () => {
    const test = await silentModel({ settings: { maxAttempts: 2 } })
    for (let tries = 0; tries < 5; tries++) {
      await passes(test, 60_000)
      theTry(test).fail(DEAD)
      await test.settled()
    }
    await passes(test, 60_000)
    theTry(test).answer()
    await test.settled()
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 1, totalFailed: 0 })
  })

  it('is the fault of nobody in the file either', async () => {
    const { test, ann, run, row } = await annAndBob({ settings: { ...SETTINGS, breakThreshold: 1 } })
    run.fail(DEAD)
    await test.settled()
    expect(row(ann.id)).toEqual({ status: 'QUEUED', attempt: 0, error_code: null })
    expect(ann.heard.at(-1)).toEqual({ type: 'heldUp', requestId: ann.id, attempt: 0 })
    await passes(test, PAUSE_MS)
    test.pool.of('ann').answer()
    await test.settled()
    expect(ann.heard.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'queued 0',
      ...['started 1', 'heldUp 0', 'started 1', 'completed 1'],
    ])
  })

  it('is the fault of nobody while the queue is paused or stops either', async () => {
    for (const end of ['pause', 'stop'] as const) {
      const { test, ann, run, row } = await annAndBob({ settings: { ...SETTINGS, breakThreshold: 1, maxAttempts: 1 } })
      const ended = end === 'pause' ? test.queue.setMode('paused') : test.queue.stop(0)
      await test.settled()
      run.fail(DEAD)
      await ended
      await test.settled()
      expect([state(test), row(ann.id)]).toEqual(['silent', { status: 'QUEUED', attempt: 0, error_code: null }])
    }
  })

  it('keeps nobody waiting when it is one question that it cannot answer', async () => {
    const test = await silentModel({ settings: { maxAttempts: 2 } })
    for (let minutes = 0; minutes < 30; minutes++) {
      for (const run of test.pool.live) {
        if (run.request.userId === 'u0') run.fail(DEAD)
        else run.answer()
      }
      await test.settled()
      await passes(test, 60_000)
    }
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 5, totalFailed: 1 })
  })

  it('is tried with each question in line once before any is sent a second time', async () => {
    const test = await silentModel({ count: 3 })
    const tried: string[] = []
    for (let tries = 0; tries < 6; tries++) {
      await passes(test, 60_000)
      tried.push(theTry(test).request.userId)
      theTry(test).fail(DEAD)
      await test.settled()
    }
    expect(tried).toEqual(['u0', 'u1', 'u2', 'u0', 'u1', 'u2'])
    expect(users(3).map((user) => test.queue.position(user))).toEqual([1, 2, 3])
  })

  it('takes none of the time a question may be worked on', async () => {
    const test = await silentModel({ count: 1, slots: 1, settings: { breakThreshold: 1 } })
    await passes(test, PAUSE_MS)
    for (let tries = 0; tries < 10; tries++) {
      theTry(test).fail(DEAD)
      await test.settled()
      await passes(test, 60_000)
    }
    await passes(test, 299_999)
    expect(theTry(test).cancels).toBe(0)
    await passes(test, 1)
    expect(theTry(test).cancels).toBe(1)
  })

  it('is still silent when its try ends without a word at the deadline', async () => {
    const test = await silentModel()
    await passes(test, PAUSE_MS)
    await passes(test, 300_000)
    theTry(test).stop()
    await test.settled()
    expect([state(test), test.queue.stats().totalFailed]).toEqual(['silent', 1])
  })

  it('is tried with the next question at once when the user of the try cancels it', async () => {
    const test = await silentModel()
    await passes(test, PAUSE_MS)
    const run = theTry(test)
    const cancelled = test.queue.cancel(run.request.id)
    await test.settled()
    run.stop()
    expect(await cancelled).toBe('CANCELLED')
    await test.settled()
    expect([state(test), theTry(test).request.userId]).toEqual(['tried', 'u1'])
  })

  it('answers, when its try is refused for a reason of the question', async () => {
    const test = await silentModel()
    await passes(test, PAUSE_MS)
    theTry(test).fail({ code: 'MODEL_REFUSED', retryable: false })
    await test.settled()
    expect(state(test)).toBe('answering')
  })

  it('is not waited for by a question that is cancelled, and the next one can be asked', async () => {
    const test = await silentModel()
    expect(await test.queue.cancel('r6')).toBe('CANCELLED')
    await test.ask('u5')
  })

  it('leaves no timer when the queue stops', async () => {
    const test = await silentModel()
    await test.stop()
    expect(test.clock.pending).toBe(0)
  })
})

describe('a model that fails now and then', () => {
  it('is asked on when an answer came in between', async () => {
    const test = new QueueUnderTest({ slots: 1, settings: SETTINGS })
    for (let round = 0; round < 3; round++) {
      for (const how of ['fail', 'fail', 'answer'] as const) {
        await test.ask(`${how} ${round} ${test.pool.runs.length}`)
        const [run] = test.pool.live
        if (how === 'answer') run?.answer()
        else run?.fail({ ...DEAD, retryable: false })
        await test.settled()
      }
    }
    expect(test.queue.stats().model).toMatchObject({ state: 'answering', silences: 0 })
  })

  it.each(['MODEL_KEY_REFUSED', 'MODEL_REFUSED', 'MODEL_RATE_LIMITED', 'MODEL_EMPTY_ANSWER'] as const)(
    'is asked on when it answers with %s',
    async (code) => {
      const test = new QueueUnderTest({ slots: 1, settings: SETTINGS })
      for (const user of users(6)) {
        await test.ask(user)
        test.pool.of(user).fail({ code, retryable: false })
        await test.settled()
      }
      expect(test.queue.stats()).toMatchObject({ totalFailed: 6, model: { state: 'answering' } })
    },
  )

  it('is asked on for ever when the breaker is off', async () => {
    const test = new QueueUnderTest({ slots: 1, settings: { ...SETTINGS, breakThreshold: 0 } })
    for (const user of users(20)) {
      await test.ask(user)
      test.pool.of(user).fail({ ...DEAD, retryable: false })
      await test.settled()
    }
    expect(test.queue.stats()).toMatchObject({ totalFailed: 20, model: { state: 'answering' } })
  })
})
