import { describe, expect, it } from 'vitest'
import { FifoOrder } from '#domain/order.ts'
import type { RequestEvent } from '#protocol/queue.ts'
import type { ActiveRequest } from '#queue/queue-state.ts'
import { messageOf, openTestDatabase, QueueUnderTest } from '#support/queue-under-test.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

/** Sees that a question of a user who is free is answered as if nothing had happened. */
async function expectAnswer(test: QueueUnderTest, userId: string): Promise<void> {
  const { heard } = await test.ask(userId)
  test.pool.of(userId).answer()
  await test.settled()
  expect(heard.map(({ type }) => type)).toEqual(['queued', 'started', 'completed'])
}

function errorsOf(test: QueueUnderTest): string[] {
  return test.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)
}

describe('a database that takes nothing', () => {
  it.each(['refusing', 'broken'] as const)('still lets a question be answered (%s)', async (mode) => {
    const test = new QueueUnderTest()
    test.store.mode = mode
    await expectAnswer(test, 'ann')
    await expectAnswer(test, 'ann')
    // The second one is not even tried to be stored; its start is.
    expect(test.queue.stats()).toMatchObject({ totalProcessed: 2, database: { ok: 0, failed: 3 } })
    const took = 'the database did not take a request’s status; the request goes on in memory'
    expect(errorsOf(test)).toEqual([
      'nothing can be stored; Parley goes on in memory and tries again',
      ...[took, took, took],
    ])
  })

  it.each(['refusing', 'broken'] as const)(
    'still lets a request fail, be cancelled and be tried again (%s)',
    async (mode) => {
      const test = new QueueUnderTest({ slots: 3 })
      test.store.mode = mode
      const [failing, cancelled, lost] = [await test.ask('ann'), await test.ask('bob'), await test.ask('cid')]
      test.pool.of('ann').fail()
      const status = test.queue.cancel(cancelled.id)
      test.pool.of('cid').lose()
      await test.settled()
      test.pool.of('bob').stop()
      expect(await status).toBe('CANCELLED')
      test.pool.of('cid').answer()
      await test.settled()
      expect([failing, cancelled, lost].map(({ heard }) => heard.at(-1)?.type)).toEqual([
        'failed',
        'cancelled',
        'completed',
      ])
      for (const userId of ['ann', 'bob', 'cid']) await expectAnswer(test, userId)
    },
  )

  it('that comes back keeps the turn of a request it had not taken in', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    test.store.mode = 'refusing'
    await test.ask('ann')
    test.store.mode = 'working'
    const run = test.pool.of('ann')
    await api.saveTurn(turnOf(run.request, { answer: 'yes' }))
    run.answer('yes')
    await test.settled()
    expect(connection.prepare('SELECT status FROM requests').pluck().all()).toEqual(['COMPLETED'])
    expect(connection.prepare('SELECT role, content FROM messages').all()).toHaveLength(2)
  })

  it('counts what it did and did not do, the assistant’s calls among them', async () => {
    const test = new QueueUnderTest({ slots: 2 })
    await test.ask('ann')
    await test.ask('bob')
    test.pool.of('ann').answer('yes', { database: { ok: 2, failed: 0 } })
    test.pool.of('bob').answer('yes', { stored: false, database: { ok: 0, failed: 2 } })
    await test.settled()
    expect(test.queue.stats().database).toEqual({ ok: 6, failed: 2 })
  })
})

describe('a listener that throws', () => {
  it('harms neither the request nor the other listeners', async () => {
    const test = new QueueUnderTest()
    const seen: string[] = []
    test.queue.on(() => {
      throw new Error('everybody’s listener')
    })
    test.queue.on(({ type }) => seen.push(type))
    const result = test.queue.addRequest(messageOf('ann'), () => {
      throw new Error('ann’s listener')
    })
    expect(await result).toMatchObject({ accepted: true })
    await test.settled()
    test.pool.of('ann').answer()
    await test.settled()
    expect(seen).toEqual(['queued', 'started', 'positionsChanged', 'completed'])
    expect(new Set(errorsOf(test))).toEqual(new Set(['a listener of the queue failed']))
    expect(errorsOf(test)).toHaveLength(7)
    await expectAnswer(test, 'ann')
  })

  it('is told nothing any more once it has left', async () => {
    const test = new QueueUnderTest()
    const seen: string[] = []
    const leave = test.queue.on(({ type }) => seen.push(type))
    await test.ask('ann')
    leave()
    test.pool.of('ann').answer()
    await test.settled()
    expect(seen).not.toContain('completed')
  })

  it('can ask and cancel from inside an event', async () => {
    const test = new QueueUnderTest()
    const heard: RequestEvent[] = []
    const answers: unknown[] = []
    const result = test.queue.addRequest(messageOf('ann'), (event) => {
      heard.push(event)
      answers.push(test.queue.position('ann'))
      if (event.type === 'queued') void test.queue.cancel(event.requestId)
    })
    await result
    await test.settled()
    test.pool.of('ann').stop()
    await test.settled()
    expect(heard.map(({ type }) => type)).toEqual(['queued', 'started', 'cancelled'])
    expect(answers).toEqual([1, 0, undefined])
  })
})

describe('a mailbox that is full', () => {
  it('refuses a message with QUEUE_BUSY, at once and counted, and takes it later', async () => {
    const test = new QueueUnderTest({ slots: 9, settings: { mailboxSize: 3 } })
    const sent = ['a', 'b', 'c', 'd', 'e'].map((userId) => test.send(userId))
    const results = await Promise.all(sent.map(({ result }) => result))
    expect(results.map(({ accepted }) => accepted)).toEqual([true, true, true, false, false])
    expect(results[3]).toEqual({
      accepted: false,
      refusal: {
        code: 'QUEUE_BUSY',
        message: expect.stringMatching(/Too many messages.*not taken in; please send it again/),
      },
    })
    expect(test.queue.stats().rejected.QUEUE_BUSY).toBe(2)
    expect(sent[3]?.heard).toEqual([])
    await test.settled()
    await test.ask('d')
  })

  it('still takes what the queue itself waits for', async () => {
    const test = new QueueUnderTest({ settings: { mailboxSize: 1 } })
    const { id } = await test.ask('ann')
    const blocked = test.send('bob')
    const refused = test.send('cid')
    test.pool.of('ann').answer()
    await test.settled()
    expect(test.typesOf(id).at(-1)).toBe('completed')
    expect(await blocked.result).toMatchObject({ accepted: true })
    expect(await refused.result).toMatchObject({ refusal: { code: 'QUEUE_BUSY' } })
  })
})

describe('an exception that nobody foresaw', () => {
  it('when an id is made refuses that message, and the queue goes on', async () => {
    let ids = 0
    const test = new QueueUnderTest({
      newId: () => {
        ids += 1
        if (ids === 1) throw new Error('no randomness left')
        return `r${ids}`
      },
    })
    const [first, second] = [test.send('ann'), test.send('bob')]
    expect(await first.result).toEqual({
      accepted: false,
      refusal: {
        code: 'QUEUE_BUSY',
        message: expect.stringMatching(/unexpected broke.*not taken in; please send it again/),
      },
    })
    expect(await second.result).toMatchObject({ accepted: true })
    await test.settled()
    expect(first.heard).toEqual([])
    expect(errorsOf(test)).toEqual(['the queue could not handle a message'])
    test.pool.of('bob').answer()
    await expectAnswer(test, 'ann')
  })

  it('when the same id is made twice refuses the second message, and the first goes on', async () => {
    const test = new QueueUnderTest({ slots: 2, newId: () => 'the same' })
    const { heard } = await test.ask('ann')
    expect(await test.send('bob').result).toMatchObject({ accepted: false })
    test.pool.of('ann').answer()
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed' })
    await expectAnswer(test, 'bob')
  })

  it('when a run is started counts as a lost thread: the request is tried again', async () => {
    const test = new QueueUnderTest()
    test.pool.runErrors.push(new Error('the pool broke'))
    const { heard } = await test.ask('ann')
    test.pool.of('ann').answer()
    await test.settled()
    expect(heard.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'queued 0',
      'started 1',
      'retrying 1',
      'started 2',
      'completed 2',
    ])
  })

  it('whenever a run is started fails each request with a notice and frees its user', async () => {
    const test = new QueueUnderTest()
    const userIds = ['ann', 'bob', 'cid']
    test.pool.runErrors.push(...Array.from({ length: 6 }, () => new Error('the pool broke')))
    const sent = userIds.map((userId) => test.send(userId))
    await test.settled()
    for (const { heard } of sent) {
      expect(heard.at(-1)).toMatchObject({ type: 'failed', attempt: 2, failure: { code: 'THREAD_LOST' } })
    }
    expect(test.queue.stats()).toMatchObject({ queueSize: 0, activeRequests: 0, totalFailed: 3 })
    for (const userId of userIds) await expectAnswer(test, userId)
  })

  it('that a run rejects with counts as a lost thread', async () => {
    const test = new QueueUnderTest()
    const { heard } = await test.ask('ann')
    test.pool.of('ann').reject(new Error('expected never to reject'))
    await test.settled()
    test.pool.of('ann').answer()
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed', attempt: 2 })
  })

  it('when one run is asked to stop keeps no other from being asked', async () => {
    const test = new QueueUnderTest({ slots: 2 })
    await test.ask('ann')
    await test.ask('bob')
    test.pool.of('ann').cancelError = new Error('the port is closed')
    const stopped = test.queue.stop(0)
    await test.settled()
    expect(test.pool.live.map(({ cancels }) => cancels)).toEqual([1, 1])
    for (const run of test.pool.live) run.stop()
    await stopped
  })

  it('when a request is put in line fails it with a notice, frees the user and lets the others run', async () => {
    class BreakableOrder extends FifoOrder<ActiveRequest> {
      broken = false

      override add(waiting: ActiveRequest): void {
        if (this.broken) throw new Error('the order broke')
        super.add(waiting)
      }
    }
    const order = new BreakableOrder()
    const test = new QueueUnderTest({ order })
    const waiting = await test.ask('ann')
    order.broken = true
    const { result, heard } = test.send('bob')
    expect(await result).toMatchObject({ accepted: true })
    expect(heard).toEqual([
      {
        type: 'failed',
        requestId: 'r2',
        attempt: 0,
        failure: { code: 'MODEL_FAILED', message: expect.stringMatching(/unexpected broke.*please ask again/) },
      },
    ])
    test.pool.of('ann').lose()
    await test.settled()
    expect(waiting.heard.at(-1)).toMatchObject({ type: 'failed', failure: { code: 'MODEL_FAILED' } })
    order.broken = false
    for (const userId of ['ann', 'bob']) await expectAnswer(test, userId)
  })

  it('about a restored request before the queue is open ends it once, and its user is free', async () => {
    class BreakableOrder extends FifoOrder<ActiveRequest> {
      broken = true

      override remove(waiting: ActiveRequest): boolean {
        if (!this.broken) return super.remove(waiting)
        this.broken = false
        throw new Error('the order broke')
      }
    }
    const test = new QueueUnderTest({ order: new BreakableOrder(), settings: { maxAttempts: 1 } })
    const heard: string[] = []
    const request = requestOf('left', { userId: 'ann' })
    test.queue.restore([{ request, attempt: 1, listener: ({ type }) => heard.push(type) }])
    expect(await test.queue.amend('left', { type: 'replace', text: 'another' }, 'm2')).toBe('notStored')
    test.queue.open()
    await test.settled()
    expect(heard).toEqual(['failed'])
    await expectAnswer(test, 'ann')
  })

  it('when the next request is chosen costs nobody anything once it is over', async () => {
    class BreakableOrder extends FifoOrder<ActiveRequest> {
      broken = true

      override next(now: number): ActiveRequest | undefined {
        if (this.broken) throw new Error('the order broke')
        return super.next(now)
      }
    }
    const order = new BreakableOrder()
    const test = new QueueUnderTest({ order })
    const { heard } = await test.ask('ann')
    expect(test.pool.runs).toEqual([])
    order.broken = false
    await test.clock.advance(1000)
    test.pool.of('ann').answer()
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed' })
  })
})
