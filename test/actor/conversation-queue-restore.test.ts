import { describe, expect, it } from 'vitest'
import type { DatabaseApi } from '#protocol/database.ts'
import type { RequestEvent } from '#protocol/queue.ts'
import { openTestDatabase, type QueueSetup, QueueUnderTest, soFar } from '#support/queue-under-test.ts'
import { requestOf } from '#support/stored-requests.ts'

interface Left {
  readonly id: string
  readonly attempt?: number
}

/** A queue that goes on with requests of an earlier process, each of a user of its own, and is not open yet. */
function restored(left: readonly Left[], setup: QueueSetup = {}) {
  const test = new QueueUnderTest({ newId: idsFrom(100), ...setup })
  const heard = new Map(left.map(({ id }) => [id, [] as RequestEvent[]]))
  test.queue.restore(
    left.map(({ id, attempt = 0 }) => ({
      request: requestOf(id),
      attempt,
      listener: (event) => heard.get(id)?.push(event),
    })),
  )
  return { test, heard: (id: string) => heard.get(id) ?? [] }
}

function idsFrom(first: number): () => string {
  let next = first
  return () => `r${next++}`
}

/** A queue of an earlier process in which `ann` is at work and `bob` waits; it ends without a word. */
async function crashedQueue(api: DatabaseApi): Promise<void> {
  const test = new QueueUnderTest({ store: api })
  await test.ask('ann', { interactionToken: 'a token', discordMessageId: 'm1' })
  await test.ask('bob')
  test.store.cutOff()
}

describe('a restored request', () => {
  it('does not run and is told nothing before the queue is open', async () => {
    const { test, heard } = restored([{ id: 'r1' }], { slots: 3 })
    test.pool.resize(2)
    await test.clock.advance(10_000)
    await test.settled()
    expect([test.pool.runs, test.events, heard('r1')]).toEqual([[], [], []])
    expect(test.queue.position('user of r1')).toBe(1)
    expect(test.queue.stats()).toMatchObject({ queueSize: 1, activeRequests: 0 })
  })

  it('is told that it waits again once the queue is open, and runs with its attempts counted', async () => {
    const { test, heard } = restored([{ id: 'r1', attempt: 1 }, { id: 'r2' }])
    test.queue.open()
    await test.settled()
    test.pool.of('user of r1').answer('yes')
    await test.settled()
    expect(heard('r1')).toMatchObject([
      { type: 'queued', requestId: 'r1', attempt: 1, position: 1, restored: true },
      { type: 'started', attempt: 2 },
      { type: 'completed', attempt: 2, answer: 'yes' },
    ])
    expect(heard('r2')).toMatchObject([
      { type: 'queued', attempt: 0, position: 2, restored: true },
      { type: 'started', attempt: 1 },
    ])
    expect(test.pool.runs.map(({ request, attempt }) => [request, attempt])).toEqual([
      [requestOf('r1'), 2],
      [requestOf('r2'), 1],
    ])
  })

  it('fails when the processes before have used up its attempts, and its user is free', async () => {
    const { api, connection } = openTestDatabase()
    await api.acceptRequest(requestOf('r1'))
    await api.startRequest('r1', 2, 1)
    const { waiting } = await api.recover('discord')
    expect(waiting).toMatchObject([{ attempt: 2 }])
    const { test, heard } = restored([{ id: 'r1', attempt: 2 }], { store: api })
    test.queue.open()
    await test.settled()
    expect(heard('r1')).toMatchObject([
      { type: 'queued', restored: true },
      {
        type: 'failed',
        attempt: 2,
        failure: {
          code: 'REQUEST_INTERRUPTED',
          message: expect.stringMatching(/stopped more than once.*not answered; please ask again/),
        },
      },
    ])
    expect(connection.prepare('SELECT status, error_code AS code FROM requests').all()).toEqual([
      { status: 'FAILED', code: 'REQUEST_INTERRUPTED' },
    ])
    expect(test.pool.runs).toEqual([])
    await test.ask('user of r1')
  })

  it('is in line before everything new, in the order it had', async () => {
    const { test } = restored([{ id: 'r2' }, { id: 'r1' }, { id: 'r3' }])
    await test.ask('ann')
    expect(test.queue.position('ann')).toBe(4)
    test.queue.open()
    await test.settled()
    for (let ended = 0; ended < 4; ended++) {
      for (const run of test.pool.live) run.answer()
      await test.settled()
    }
    expect(test.pool.runs.map(({ request }) => request.id)).toEqual(['r2', 'r1', 'r3', 'r100'])
  })

  it('holds its user’s place and one of the queue’s from the first moment', async () => {
    const { test } = restored([{ id: 'r1' }, { id: 'r2' }], { slots: 0, settings: { maxQueueSize: 3 } })
    const codeOf = async (userId: string, discordMessageId: string | null) => {
      const result = await test.send(userId, { discordMessageId }).result
      return result.accepted ? 'accepted' : result.refusal.code
    }
    expect(await codeOf('user of r1', 'message of r1')).toBe('REQUEST_DUPLICATE')
    expect(await codeOf('user of r1', null)).toBe('REQUEST_ALREADY_ACTIVE')
    expect(await codeOf('ann', null)).toBe('accepted')
    expect(await codeOf('bob', null)).toBe('QUEUE_FULL')
  })

  it('may be more than the queue takes: nothing is lost, and nothing new is taken in', async () => {
    const left = Array.from({ length: 5 }, (_, index) => ({ id: `r${index}` }))
    const { test, heard } = restored(left, { slots: 1, settings: { maxQueueSize: 2 } })
    test.queue.open()
    await test.settled()
    expect(await test.send('ann').result).toMatchObject({ refusal: { code: 'QUEUE_FULL' } })
    while (test.pool.slotsUsed > 0) {
      for (const run of test.pool.live) run.answer()
      await test.settled()
    }
    expect(left.map(({ id }) => heard(id).at(-1)?.type)).toEqual(left.map(() => 'completed'))
  })

  it('that is cancelled before the queue is open is told that it waits, then ends without running', async () => {
    const { test, heard } = restored([{ id: 'r1' }])
    const cancelled = test.queue.cancel('r1')
    expect(await soFar(test, cancelled)).toBe('still open')
    expect(heard('r1')).toEqual([])
    test.queue.open()
    expect(await cancelled).toBe('CANCELLED')
    expect(heard('r1').map(({ type }) => type)).toEqual(['queued', 'cancelled'])
    await test.settled()
    expect(test.pool.runs).toEqual([])
    await test.ask('user of r1')
  })

  it.each(['open', 'stop'] as const)('that ends at the %s while it is being changed is not in line', async (what) => {
    const { test } = restored([{ id: 'r1', attempt: 2 }])
    test.store.hold()
    const amended = test.queue.amend('r1', { type: 'replace', text: 'a better question' }, '901')
    await test.settled()
    const stopped = what === 'open' ? test.queue.open() : test.queue.stop(0)
    await test.settled()
    test.store.release()
    expect(await amended).toBe('notWaiting')
    await stopped
    await test.settled()
    expect([test.queue.stats().queueSize, test.log.lines.filter(({ level }) => level === 'error')]).toEqual([0, []])
  })

  it('is left as silently as it came when the queue stops before it is open', async () => {
    const { test, heard } = restored([{ id: 'r1' }, { id: 'r2' }])
    const cancelled = test.queue.cancel('r2')
    const { result, heard: heardOfNew } = test.send('ann')
    await result
    await test.queue.stop(0)
    test.queue.open()
    await test.settled()
    expect(await cancelled).toBeUndefined()
    expect([heard('r1'), heard('r2'), test.pool.runs]).toEqual([[], [], []])
    expect(heardOfNew.map(({ type }) => type)).toEqual(['queued', 'suspended'])
    expect(test.clock.pending).toBe(0)
  })

  it('is left once more when the queue stops after it is open', async () => {
    const { test, heard } = restored([{ id: 'r1' }, { id: 'r2', attempt: 1 }])
    test.queue.open()
    await test.settled()
    await test.stop()
    expect(heard('r1').at(-1)).toMatchObject({ type: 'suspended', attempt: 1 })
    expect(heard('r2').at(-1)).toMatchObject({ type: 'suspended', attempt: 1 })
  })

  it('has a deadline of its own again', async () => {
    const { test, heard } = restored([{ id: 'r1', attempt: 1 }])
    test.queue.open()
    await test.settled()
    await test.clock.advance(299_999)
    expect(test.pool.of('user of r1').cancels).toBe(0)
    await test.clock.advance(1)
    test.pool.of('user of r1').stop()
    await test.settled()
    expect(heard('r1').at(-1)).toMatchObject({ type: 'failed', failure: { code: 'REQUEST_TIMED_OUT' } })
  })
})

describe('a queue after a crash', () => {
  it('goes on with what the file holds: what was at work, then what waited', async () => {
    const { api, connection } = openTestDatabase()
    await crashedQueue(api)
    const { waiting, interrupted } = await api.recover('discord')
    expect([waiting.length, interrupted]).toEqual([2, 1])
    const test = new QueueUnderTest({ store: api, newId: idsFrom(10) })
    test.queue.restore(waiting.map((left) => ({ ...left, listener: () => undefined })))
    test.queue.open()
    await test.settled()
    const run = test.pool.of('ann')
    expect(run).toMatchObject({ attempt: 2, request: { interactionToken: 'a token', discordMessageId: 'm1' } })
    expect(connection.prepare('SELECT status, attempt FROM requests ORDER BY id').all()).toEqual([
      { status: 'PROCESSING', attempt: 2 },
      { status: 'QUEUED', attempt: 0 },
    ])
  })

  it('that had waited for a next try does not wait for it again', async () => {
    const { api } = openTestDatabase()
    const before = new QueueUnderTest({ store: api })
    await before.ask('ann')
    before.pool.of('ann').fail({ retryable: true })
    await before.settled()
    before.store.cutOff()
    const { waiting } = await api.recover('discord')
    const test = new QueueUnderTest({ store: api })
    test.queue.restore(waiting.map((left) => ({ ...left, listener: () => undefined })))
    test.queue.open()
    await test.settled()
    expect(test.pool.of('ann').attempt).toBe(2)
  })
})
