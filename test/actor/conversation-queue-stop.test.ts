import { describe, expect, it } from 'vitest'
import { CONSOLE_ID } from '#domain/request.ts'
import { annAndBob } from '#support/ann-and-bob.ts'
import { openTestDatabase, QueueUnderTest, soFar } from '#support/queue-under-test.ts'
import { turnOf } from '#support/stored-requests.ts'

const SUSPENDED = { type: 'suspended', attempt: 0 }

describe('a stop without grace', () => {
  it('leaves what waits in the file at once, and what runs once its run has ended', async () => {
    const { test, ann, bob, run, row } = await annAndBob()
    const stopped = test.queue.stop(0)
    expect(await soFar(test, stopped)).toBe('still open')
    expect([run.cancels, ann.heard.at(-1)?.type]).toEqual([1, 'started'])
    expect(bob.heard.at(-1)).toEqual({ ...SUSPENDED, requestId: bob.id })
    run.stop()
    await stopped
    expect(ann.heard.at(-1)).toEqual({ type: 'suspended', requestId: ann.id, attempt: 1 })
    // Parley's own end is no attempt that failed.
    expect(row(ann.id)).toEqual({ status: 'QUEUED', attempt: 0, error_code: null })
    expect(row(bob.id)).toEqual({ status: 'QUEUED', attempt: 0, error_code: null })
    expect(test.queue.stats()).toMatchObject({ totalCancelled: 0, totalFailed: 0, queueSize: 0, activeRequests: 0 })
    expect(test.clock.pending).toBe(0)
  })

  it('tells that a request is left only once the file says that it waits', async () => {
    const { test, ann, run, row } = await annAndBob()
    const stopped = test.queue.stop(0)
    await test.settled()
    test.store.hold()
    run.stop()
    await test.settled()
    expect([ann.heard.at(-1)?.type, row(ann.id)]).toMatchObject(['started', { status: 'PROCESSING' }])
    test.store.release()
    await stopped
    expect([ann.heard.at(-1)?.type, row(ann.id)]).toMatchObject(['suspended', { status: 'QUEUED' }])
  })

  it.each([
    ['fails in a way that can be tried again', { retryable: true }, 'suspended'],
    ['fails for good', {}, 'failed'],
  ])('of a request that %s instead of stopping', async (_, fields, end) => {
    const { test, ann, run } = await annAndBob()
    const stopped = test.queue.stop(0)
    await test.settled()
    run.fail(fields)
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: end })
  })

  it('leaves a request whose thread is lost meanwhile, unless it had been answered', async () => {
    const { test, ann, bob, run, api, row } = await annAndBob({ slots: 2 })
    const stopped = test.queue.stop(0)
    await test.settled()
    await api.saveTurn(turnOf(run.request, { answer: 'in time' }))
    for (const each of test.pool.live) each.lose()
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', answer: 'in time' })
    expect(bob.heard.at(-1)).toMatchObject({ type: 'suspended', attempt: 1 })
    expect([row(ann.id), row(bob.id)]).toMatchObject([{ status: 'COMPLETED' }, { status: 'QUEUED', attempt: 1 }])
  })

  it('tells whoever cancels a request that is then left that it has not ended', async () => {
    const { test, run } = await annAndBob()
    const stopped = test.queue.stop(0)
    const cancelled = test.queue.cancel('r1')
    await test.settled()
    run.stop()
    await stopped
    expect(await cancelled).toBeUndefined()
  })

  it('cancels what the user wanted cancelled before', async () => {
    const { test, ann, run, row } = await annAndBob()
    const cancelled = test.queue.cancel(ann.id)
    const stopped = test.queue.stop(0)
    await test.settled()
    run.stop()
    await stopped
    expect(await cancelled).toBe('CANCELLED')
    expect(row(ann.id)).toMatchObject({ status: 'CANCELLED', error_code: 'REQUEST_CANCELLED' })
  })
})

describe('a stop with grace', () => {
  it('lets what runs end, and leaves what waits', async () => {
    const { test, ann, bob, run } = await annAndBob()
    const stopped = test.queue.stop(10_000)
    await test.settled()
    expect([run.cancels, bob.heard.at(-1)?.type]).toEqual([0, 'suspended'])
    await test.clock.advance(9_999)
    run.answer()
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed' })
    expect(test.pool.runs).toHaveLength(1)
    expect(test.clock.pending).toBe(0)
  })

  it('asks what still runs to stop when the grace is over', async () => {
    const { test, ann, run } = await annAndBob()
    const stopped = test.queue.stop(10_000)
    await test.clock.advance(10_000)
    expect(run.cancels).toBe(1)
    run.stop()
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: 'suspended', attempt: 1 })
  })

  it('tries a request again whose thread is lost within it', async () => {
    const { test, ann, run } = await annAndBob()
    const stopped = test.queue.stop(10_000)
    await test.settled()
    run.lose()
    await test.settled()
    test.pool.of('ann').answer()
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: 'completed', attempt: 2 })
  })

  it('leaves a request that waits for its next try when it is over', async () => {
    const { test, ann, run, row } = await annAndBob()
    const stopped = test.queue.stop(1000)
    await test.settled()
    run.fail({ retryable: true })
    await test.settled()
    expect(ann.heard.at(-1)).toMatchObject({ type: 'retrying' })
    await test.clock.advance(1000)
    await stopped
    expect(ann.heard.at(-1)).toMatchObject({ type: 'suspended', attempt: 1 })
    expect(row(ann.id)).toMatchObject({ status: 'QUEUED', attempt: 1 })
    expect(test.clock.pending).toBe(0)
  })
})

describe('a stop', () => {
  it('cancels what came from the terminal', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    const { heard } = await test.ask(CONSOLE_ID)
    await test.stop()
    expect(heard.at(-1)).toMatchObject({ type: 'cancelled', reason: 'shutdown' })
    expect(connection.prepare('SELECT status, error_code AS code FROM requests').all()).toEqual([
      { status: 'CANCELLED', code: 'REQUEST_INTERRUPTED' },
    ])
  })

  it('cancels what could not be stored, at work or in line', async () => {
    const test = new QueueUnderTest()
    test.store.mode = 'refusing'
    const { heard } = await test.ask('ann')
    const waiting = await test.ask('bob')
    await test.stop()
    for (const { heard: last } of [{ heard }, waiting]) {
      expect(last.at(-1)).toMatchObject({ type: 'cancelled', reason: 'shutdown' })
    }
  })

  it('cancels what could not be stored and is on its way back into line', async () => {
    const test = new QueueUnderTest()
    test.store.mode = 'refusing'
    const { heard } = await test.ask('ann')
    test.store.hold()
    test.pool.of('ann').lose()
    await test.settled()
    const stopped = test.queue.stop(0)
    await test.settled()
    test.store.release()
    await stopped
    expect(heard.at(-1)).toMatchObject({ type: 'cancelled', reason: 'shutdown' })
  })

  it.each([
    ['leaves', 'working', 'suspended'],
    ['cancels, when that fails,', 'refusing', 'cancelled'],
  ] as const)('%s a request that is being stored', async (_, mode, end) => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    test.store.mode = mode
    test.store.hold()
    const { result, heard } = test.send('ann')
    await test.settled()
    const stopped = test.queue.stop(10_000)
    expect(await soFar(test, stopped)).toBe('still open')
    test.store.release()
    await stopped
    expect(await result).toMatchObject({ accepted: true })
    expect(heard.map(({ type }) => type)).toEqual(['queued', end])
    expect(test.pool.runs).toEqual([])
    const statuses = connection.prepare('SELECT status FROM requests').pluck().all()
    expect(statuses).toEqual(end === 'suspended' ? ['QUEUED'] : [])
  })

  it('is over at once when nothing is active, and for everybody who asks', async () => {
    const test = new QueueUnderTest()
    await Promise.all([test.queue.stop(0), test.queue.stop(10_000)])
    await test.queue.stop(0)
    expect(test.clock.pending).toBe(0)
  })

  it('waits for what is being written, and tries it once more when it fails', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    const { heard } = await test.ask('ann')
    test.store.mode = 'refusing'
    test.store.hold()
    test.pool.of('ann').fail()
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'failed' })
    test.store.mode = 'working'
    const stopped = test.queue.stop(0)
    expect(await soFar(test, stopped)).toBe('still open')
    test.store.release()
    await stopped
    expect(connection.prepare('SELECT status FROM requests').pluck().all()).toEqual(['FAILED'])
    expect(test.clock.pending).toBe(0)
  })
})
