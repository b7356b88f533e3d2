import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { openTestDatabase, type QueueSetup, QueueUnderTest } from '#support/queue-under-test.ts'

const AVAILABLE = { available: true, unavailableSince: null, pendingWrites: 0, droppedWrites: 0 }

/** A queue over a real database that takes nothing for now, and what is in the file. */
function withoutStorage(setup: QueueSetup = {}) {
  const { api, connection } = openTestDatabase()
  const test = new QueueUnderTest({ slots: 2, store: api, ...setup })
  test.store.mode = 'refusing'
  const rows = () =>
    connection.prepare('SELECT id, status, attempt, error_code AS code FROM requests ORDER BY id').all()
  const count = (table: 'messages' | 'outbox') => connection.prepare(`SELECT count(*) FROM ${table}`).pluck().get()
  /** Lets the database take writes again, and the queue find out. */
  const recover = async () => {
    test.store.mode = 'working'
    await test.clock.advance(30_000)
    await test.settled()
  }
  return { test, api, rows, count, recover }
}

describe('storage that fails', () => {
  it('is seen in the statistics, from the first write that fails until a probe works', async () => {
    const { test, recover } = withoutStorage()
    expect(test.queue.stats().storage).toEqual(AVAILABLE)
    await test.ask('ann')
    const unavailableSince = test.clock.now()
    expect(test.queue.stats().storage).toEqual({
      available: false,
      unavailableSince,
      pendingWrites: 1,
      droppedWrites: 0,
    })
    await test.clock.advance(10_000)
    expect(test.queue.stats().storage).toMatchObject({ unavailableSince })
    await recover()
    expect(test.queue.stats().storage).toEqual(AVAILABLE)
    expect(test.log.lines.at(-1)).toMatchObject({ level: 'info', message: 'everything can be stored again' })
  })

  it('is probed less and less often, while no accept is tried', async () => {
    const { test } = withoutStorage({ slots: 0 })
    await test.ask('ann')
    test.store.calls.length = 0
    for (const [index, pauseMs] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
      await test.ask(`user ${index}`)
      await test.clock.advance(pauseMs - 1)
      expect(test.store.calls).toEqual([])
      await test.clock.advance(1)
      expect(test.store.calls.splice(0)).toEqual(['probe'])
    }
  })

  it('is probed often again after it has worked in between', async () => {
    const { test, recover } = withoutStorage({ slots: 0 })
    await test.ask('ann')
    await test.clock.advance(100_000)
    await recover()
    test.store.mode = 'refusing'
    await test.ask('bob')
    test.store.calls.length = 0
    await test.clock.advance(1000)
    expect(test.store.calls).toEqual(['probe'])
  })

  it('leaves a request in memory that is stored once it works again', async () => {
    const { test, rows, recover } = withoutStorage({ slots: 0 })
    await test.ask('ann')
    await test.ask('bob')
    expect(rows()).toEqual([])
    await recover()
    expect(rows()).toMatchObject([
      { id: 'r1', status: 'QUEUED' },
      { id: 'r2', status: 'QUEUED' },
    ])
    test.pool.resize(1)
    await test.settled()
    test.pool.of('ann').fail()
    await test.settled()
    expect(rows()[0]).toMatchObject({ id: 'r1', status: 'FAILED', code: 'MODEL_UNREACHABLE' })
  })

  it('lets ends be written later, in order, and not shown a second time', async () => {
    const { test, rows, count, recover } = withoutStorage({ slots: 3 })
    test.store.mode = 'working'
    const stored = await test.ask('ann')
    test.store.mode = 'refusing'
    await test.ask('bob')
    await test.ask('cid')
    test.pool.of('ann').fail()
    const cancelled = test.queue.cancel('r2')
    test.pool.of('cid').answer('yes', { stored: false })
    await test.settled()
    test.pool.of('bob').stop()
    await cancelled
    await test.settled()
    // One of `ann`, two of `bob`, and the turn of `cid`, which brings its request along.
    expect(test.queue.stats().storage.pendingWrites).toBe(4)
    expect(stored.heard.at(-1)).toMatchObject({ type: 'failed' })
    await recover()
    expect(rows()).toMatchObject([
      { id: 'r1', status: 'FAILED', code: 'MODEL_UNREACHABLE' },
      { id: 'r2', status: 'CANCELLED', code: 'REQUEST_CANCELLED' },
      { id: 'r3', status: 'COMPLETED', code: null },
    ])
    expect([count('messages'), count('outbox')]).toEqual([2, 0])
  })

  it.each(['refusing', 'deaf'] as const)(
    'keeps the end of a request whose last attempt was to count as none (%s)',
    async (mode) => {
      const { test, ann, run, row } = await annAndBob({ settings: { breakThreshold: 1 } })
      test.store.mode = mode
      run.fail({ retryable: true })
      await test.settled()
      expect(ann.heard.at(-1)).toEqual({ type: 'heldUp', requestId: ann.id, attempt: 0 })
      expect(await test.queue.cancel(ann.id)).toBe('CANCELLED')
      test.store.mode = 'working'
      await test.clock.advance(60_000)
      await test.settled()
      expect(row(ann.id)).toMatchObject({ status: 'CANCELLED' })
    },
  )

  it('does not let an end overtake the request it belongs to', async () => {
    const { test, rows, recover } = withoutStorage()
    await test.ask('ann')
    // The database takes writes again, but the queue has yet to find out.
    test.store.mode = 'working'
    test.pool.of('ann').fail()
    await test.settled()
    await recover()
    expect(rows()).toMatchObject([{ status: 'FAILED', code: 'MODEL_UNREACHABLE' }])
  })

  it('frees users at once: the next question of each is stored behind the end of the last', async () => {
    const { test, rows, recover } = withoutStorage({ slots: 1 })
    test.store.mode = 'working'
    await test.ask('ann')
    test.store.mode = 'refusing'
    test.pool.of('ann').fail()
    await test.settled()
    await test.ask('ann')
    await recover()
    expect(rows()).toMatchObject([{ status: 'FAILED' }, { status: 'QUEUED' }])
    expect(test.queue.stats().storage).toEqual(AVAILABLE)
  })

  it('forgets that a request has yet to be stored once its worker has stored it with its answer', async () => {
    const { test } = withoutStorage()
    await test.ask('ann')
    test.pool.of('ann').answer('yes', { stored: true })
    await test.settled()
    expect(test.queue.stats().storage.pendingWrites).toBe(0)
  })

  it('keeps an answer that its worker could not store although all else worked', async () => {
    const { test, rows, count, recover } = withoutStorage()
    test.store.mode = 'working'
    const { heard } = await test.ask('ann')
    test.pool.of('ann').answer('yes', { stored: false })
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed', stored: false })
    expect(test.queue.stats().storage).toMatchObject({ available: false, pendingWrites: 1 })
    await recover()
    expect(rows()).toMatchObject([{ status: 'COMPLETED' }])
    expect([count('messages'), count('outbox')]).toEqual([2, 0])
  })

  it('that works again while a message is taken in stores that one too, and does not wait for the next trouble', async () => {
    const test = new QueueUnderTest({ slots: 0 })
    test.store.mode = 'refusing'
    await test.ask('ann')
    test.store.mode = 'working'
    test.store.hold()
    await test.clock.advance(1000)
    // The probe is under way, so this message is not tried to be stored; before the queue hears that, the probe has worked.
    const { result } = test.send('bob')
    await turnOfTheEventLoop()
    test.store.release()
    await result
    await test.clock.advance(1000)
    expect(test.store.calls.filter((call) => call === 'acceptRequest')).toHaveLength(3)
    expect(test.queue.stats().storage).toEqual(AVAILABLE)
  })

  it('is tried once more by a stop, which writes all that waits', async () => {
    const { test, rows } = withoutStorage()
    await test.ask('ann')
    test.pool.of('ann').answer('yes', { stored: false })
    await test.settled()
    test.store.mode = 'working'
    await test.queue.stop(0)
    expect(rows()).toMatchObject([{ status: 'COMPLETED' }])
    expect(test.clock.pending).toBe(0)
  })

  it('does not hold a stop up for ever, and the log says what was lost', async () => {
    const { test } = withoutStorage()
    await test.ask('ann')
    await test.stop()
    expect(test.log.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { pendingWrites: 2 },
      message: 'some writes could not be made before the end',
    })
    expect(test.clock.pending).toBe(0)
  })
})

describe('storage that fails while messages are only taken in when they can be stored', () => {
  const setup: QueueSetup = { slots: 1, settings: { whenUnavailable: 'refuse' } }

  it('refuses each with why and what to do, and takes it in when it works again', async () => {
    const { test, recover } = withoutStorage(setup)
    for (const userId of ['ann', 'ann', 'bob']) {
      const { result, heard } = test.send(userId)
      expect(await result).toEqual({
        accepted: false,
        refusal: {
          code: 'REQUEST_NOT_STORED',
          message: expect.stringMatching(/cannot store.*not taken in; please send it again/),
        },
      })
      expect(heard).toEqual([])
    }
    expect(test.store.calls).toEqual(['acceptRequest'])
    expect(test.queue.stats()).toMatchObject({ queueSize: 0, activeRequests: 0, rejected: { REQUEST_NOT_STORED: 3 } })
    await recover()
    await test.ask('ann')
  })

  it('still lets what runs be answered', async () => {
    const { test, rows, recover } = withoutStorage(setup)
    test.store.mode = 'working'
    const { heard } = await test.ask('ann')
    test.store.mode = 'refusing'
    test.pool.of('ann').answer('yes', { stored: false })
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed', answer: 'yes' })
    await recover()
    expect(rows()).toMatchObject([{ status: 'COMPLETED' }])
  })

  it('takes back what had been stored after all, so that it never runs', async () => {
    const { test, rows, recover } = withoutStorage(setup)
    test.store.mode = 'deaf'
    expect(await test.send('ann').result).toMatchObject({ refusal: { code: 'REQUEST_NOT_STORED' } })
    await test.settled()
    expect(rows()).toMatchObject([{ status: 'QUEUED' }])
    await recover()
    expect(rows()).toEqual([{ id: 'r1', status: 'CANCELLED', attempt: 0, code: 'REQUEST_NOT_STORED' }])
    expect(test.pool.runs).toEqual([])
    await test.ask('ann')
  })

  it('tells whoever cancels a message that is then refused that there is nothing to cancel', async () => {
    const { test } = withoutStorage(setup)
    test.store.hold()
    const { result } = test.send('ann')
    const cancelled = test.queue.cancel('r1')
    await test.settled()
    test.store.release()
    expect(await cancelled).toBeUndefined()
    expect(await result).toMatchObject({ refusal: { code: 'REQUEST_NOT_STORED' } })
  })
})
