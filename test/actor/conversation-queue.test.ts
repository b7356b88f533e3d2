import { describe, expect, it } from 'vitest'
import { estimateTokens, NO_CLAIM } from '#domain/fair-shares.ts'
import type { NewRequest, RefusalCode } from '#protocol/queue.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { messageOf, openTestDatabase, type QueueSetup, QueueUnderTest } from '#support/queue-under-test.ts'

/** Sends messages of several users in one tick; tells for each what became of it. */
async function burst(test: QueueUnderTest, userIds: readonly string[]): Promise<string[]> {
  const results = await Promise.all(userIds.map((userId) => test.send(userId).result))
  await test.settled()
  return results.map((result) => (result.accepted ? 'accepted' : result.refusal.code))
}

function users(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `u${from + index}`)
}

function startedUsers(test: QueueUnderTest): string[] {
  return test.pool.runs.map(({ request }) => request.userId)
}

describe('a request that is taken in', () => {
  it('is told of to whoever asks for its user, until it has ended', async () => {
    const test = new QueueUnderTest()
    const { id } = await test.ask('ann', { serverId: '7' })
    const waiting = await test.ask('bob')
    const acceptedAt = test.clock.now()
    const ofAnn = { requestId: id, serverId: '7', waiting: false, position: 0, acceptedAt, startedAt: acceptedAt }
    expect(test.queue.active('ann')).toMatchObject(ofAnn)
    expect(test.queue.active('bob')).toMatchObject({ requestId: waiting.id, position: 1, startedAt: undefined })
    test.pool.of('ann').answer('yes')
    await test.settled()
    expect(test.queue.active('ann')).toBeUndefined()
  })

  it('is told to its listener and to everybody in the order of its life', async () => {
    const test = new QueueUnderTest({ store: openTestDatabase().api })
    const { id, heard } = await test.ask('ann')
    const run = test.pool.of('ann')
    run.tell({ type: 'reasoning' })
    run.say('yes')
    run.answer('yes!', { trimmedMessages: 3, stopReason: 'length' })
    await test.settled()
    expect(heard).toEqual([
      { type: 'queued', requestId: id, attempt: 0, position: 1, restored: false },
      { type: 'started', requestId: id, attempt: 1 },
      { type: 'thinking', requestId: id, attempt: 1 },
      { type: 'delta', requestId: id, attempt: 1, text: 'yes', finished: [], tail: 'yes' },
      {
        type: 'completed',
        requestId: id,
        attempt: 1,
        answer: 'yes!',
        parts: ['yes!'],
        stopReason: 'length',
        trimmedMessages: 3,
        stored: true,
      },
    ])
    expect(test.events.filter(({ type }) => type !== 'positionsChanged')).toEqual(heard)
  })

  it('is given id, time and place, and handed to the pool with them', async () => {
    const test = new QueueUnderTest()
    const result = await test.send('ann', { serverId: '7', discordMessageId: 'm1' }).result
    await test.settled()
    const request = {
      ...messageOf('ann', { serverId: '7', discordMessageId: 'm1' }),
      id: 'r1',
      timestamp: test.clock.now(),
      ...NO_CLAIM,
      costEstimate: estimateTokens(messageOf('ann').message),
      notBefore: null,
      replaces: null,
      directServerName: null,
    }
    expect(result).toEqual({ accepted: true, request, position: 1 })
    expect(test.pool.of('ann')).toMatchObject({ request, attempt: 1 })
  })

  it('is acknowledged and started only once it is stored', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    const statuses = connection.prepare('SELECT status FROM requests').pluck()
    let acknowledged = false
    test.store.hold()
    const stored = test.send('ann').result.then(() => {
      acknowledged = true
      return statuses.all()
    })
    await test.settled()
    expect([acknowledged, test.events, test.pool.runs]).toEqual([false, [], []])
    test.store.release()
    expect(await stored).toEqual(['QUEUED'])
    await test.settled()
    expect(statuses.all()).toEqual(['PROCESSING'])
  })

  it('ends in the database as it ended for the user', async () => {
    const { api, connection } = openTestDatabase()
    const test = new QueueUnderTest({ slots: 2, store: api })
    await test.ask('ann')
    const { id } = await test.ask('bob')
    test.pool.of('ann').fail()
    await Promise.all([test.queue.cancel(id), test.settled().then(() => test.pool.of('bob').stop())])
    await test.settled()
    expect(connection.prepare('SELECT status, error_code AS code FROM requests ORDER BY id').all()).toEqual([
      { status: 'FAILED', code: 'MODEL_UNREACHABLE' },
      { status: 'CANCELLED', code: 'REQUEST_CANCELLED' },
    ])
  })
})

describe('a message that is refused', () => {
  const fullQueue: QueueSetup = { slots: 1, settings: { maxQueueSize: 1, maxMessageLength: 20 } }

  /** One request at work, of `u0`, and one waiting, of `u1`: the queue is full. */
  async function full(): Promise<QueueUnderTest> {
    const test = new QueueUnderTest(fullQueue)
    expect(await burst(test, users(2))).toEqual(['accepted', 'accepted'])
    return test
  }

  it.each<[RefusalCode, string, Partial<NewRequest>, RegExp]>([
    ['REQUEST_INVALID', 'u0', { message: '  \n' }, /no text.*Nothing was taken in; please write/],
    [
      'REQUEST_INVALID',
      'u0',
      { message: 'x'.repeat(21) },
      /longer than 20 characters.*not taken in; please send a shorter/,
    ],
    ['REQUEST_ALREADY_ACTIVE', 'u0', {}, /last question is still.*not taken in; please send it again after/],
    ['REQUEST_ALREADY_ACTIVE', 'u1', {}, /last question is still/],
    ['QUEUE_FULL', 'u2', {}, /queue is full: 1 .*not taken in; please send it again in a few minutes/],
  ])('is told %s first, with why and what to do', async (code, userId, fields, words) => {
    const test = await full()
    const { result, heard } = test.send(userId, fields)
    const tier = code === 'QUEUE_FULL' ? { tier: 'default' } : {}
    expect(await result).toEqual({ accepted: false, refusal: { code, message: expect.stringMatching(words), ...tier } })
    await test.settled()
    expect(heard).toEqual([])
    expect(test.queue.stats().rejected[code]).toBe(1)
    expect(Object.values(test.queue.stats().rejected).reduce((sum, count) => sum + count)).toBe(1)
  })

  it('is told that Parley is stopping before anything else', async () => {
    const test = await full()
    const stopped = test.stop()
    expect(await test.send('u0', { message: '' }).result).toMatchObject({
      refusal: { code: 'QUEUE_STOPPING', message: expect.stringMatching(/shutting down.*send it again when/) },
    })
    await stopped
    expect(test.queue.stats().rejected.QUEUE_STOPPING).toBe(1)
  })

  it('leaves the lock of the request that stands in its way alone', async () => {
    const test = new QueueUnderTest()
    const { heard } = await test.ask('ann')
    expect(await burst(test, ['ann', 'ann', 'ann'])).toEqual(Array.from({ length: 3 }, () => 'REQUEST_ALREADY_ACTIVE'))
    expect(test.queue.position('ann')).toBe(0)
    test.pool.of('ann').answer()
    await test.settled()
    expect(heard.at(-1)).toMatchObject({ type: 'completed' })
    expect(await burst(test, ['ann'])).toEqual(['accepted'])
  })

  it('leaves no lock of its own behind', async () => {
    const test = await full()
    expect(await burst(test, ['u2'])).toEqual(['QUEUE_FULL'])
    test.pool.of('u0').answer()
    await test.settled()
    expect(await burst(test, ['u2'])).toEqual(['accepted'])
  })

  it('is one of two that a user sent at the same moment', async () => {
    const test = new QueueUnderTest({ slots: 5, store: openTestDatabase().api })
    expect(await burst(test, ['ann', 'ann', 'bob'])).toEqual(['accepted', 'REQUEST_ALREADY_ACTIVE', 'accepted'])
    expect(startedUsers(test)).toEqual(['ann', 'bob'])
  })

  it('counts a user as one person in all servers', async () => {
    const test = new QueueUnderTest()
    await test.ask('ann', { serverId: '1' })
    expect(await test.send('ann', { serverId: '2' }).result).toMatchObject({
      refusal: { code: 'REQUEST_ALREADY_ACTIVE' },
    })
  })
})

describe('a Discord message that comes twice', () => {
  it('is refused after its request has ended, and leaves no lock behind', async () => {
    const test = new QueueUnderTest({ store: openTestDatabase().api })
    await test.ask('ann', { discordMessageId: 'm1' })
    test.pool.of('ann').answer()
    await test.settled()
    const { result, heard } = test.send('ann', { discordMessageId: 'm1' })
    expect(await result).toMatchObject({
      refusal: { code: 'REQUEST_DUPLICATE', message: expect.stringMatching(/already taken in.*do not need/) },
    })
    expect(heard).toEqual([])
    expect(test.queue.stats()).toMatchObject({ rejected: { REQUEST_DUPLICATE: 1 }, queueSize: 0, activeRequests: 0 })
    await test.ask('ann', { discordMessageId: 'm2' })
  })

  it('is a duplicate and no second question while its request is at work', async () => {
    const test = new QueueUnderTest({ store: openTestDatabase().api })
    await test.ask('ann', { discordMessageId: 'm1' })
    expect(await test.send('ann', { discordMessageId: 'm1' }).result).toMatchObject({
      refusal: { code: 'REQUEST_DUPLICATE' },
    })
    expect(await test.send('ann', { discordMessageId: 'm2' }).result).toMatchObject({
      refusal: { code: 'REQUEST_ALREADY_ACTIVE' },
    })
    expect(await test.send('ann').result).toMatchObject({ refusal: { code: 'REQUEST_ALREADY_ACTIVE' } })
  })

  it('does not touch the lock of the user whose request it belongs to', async () => {
    const test = new QueueUnderTest({ slots: 2, store: openTestDatabase().api })
    await test.ask('ann', { discordMessageId: 'm1' })
    expect(await test.send('bob', { discordMessageId: 'm1' }).result).toMatchObject({
      refusal: { code: 'REQUEST_DUPLICATE' },
    })
    expect([test.queue.position('ann'), test.queue.position('bob')]).toEqual([0, undefined])
    expect(await burst(test, ['ann', 'bob'])).toEqual(['REQUEST_ALREADY_ACTIVE', 'accepted'])
  })
})

describe('the size of the queue', () => {
  it.each([0, 1, 16])('is 50 waiting requests beyond those that %i free slots take at once', async (slots) => {
    const test = new QueueUnderTest({ slots })
    const results = await burst(test, users(slots + 51))
    expect(results).toEqual([...users(slots + 50).map(() => 'accepted'), 'QUEUE_FULL'])
    expect(test.queue.stats()).toMatchObject({ queueSize: 50, activeRequests: slots, maxQueueSize: 50 })
    expect(await burst(test, ['late'])).toEqual(['QUEUE_FULL'])
  })

  it('has room again for each request that begins, is cancelled or ends', async () => {
    const test = new QueueUnderTest({ settings: { maxQueueSize: 2 } })
    expect(await burst(test, users(4))).toEqual(['accepted', 'accepted', 'accepted', 'QUEUE_FULL'])
    test.pool.of('u0').answer()
    await test.settled()
    expect(await burst(test, users(2, 4))).toEqual(['accepted', 'QUEUE_FULL'])
    await test.queue.cancel('r3')
    expect(await burst(test, users(2, 6))).toEqual(['accepted', 'QUEUE_FULL'])
  })

  it('counts a request from the moment it is admitted, stored or not', async () => {
    const test = new QueueUnderTest({ slots: 0, settings: { maxQueueSize: 2 } })
    test.store.hold()
    const first = users(2).map((userId) => test.send(userId).result)
    expect(await test.send('u2').result).toMatchObject({ refusal: { code: 'QUEUE_FULL' } })
    test.store.release()
    for (const result of await Promise.all(first)) expect(result.accepted).toBe(true)
  })
})

describe('the order of requests', () => {
  it('is first come, first served, in whatever order they end', async () => {
    const test = new QueueUnderTest({ slots: 2, store: openTestDatabase().api })
    await burst(test, users(8))
    for (let ended = 0; ended < 8; ended++) {
      test.pool.live.at(ended % 2 === 0 ? -1 : 0)?.answer()
      await test.settled()
    }
    expect(startedUsers(test)).toEqual(users(8))
    expect(test.pool.overfilled).toBe(0)
  })

  it('keeps every slot busy while a request waits', async () => {
    const test = new QueueUnderTest({ slots: 3 })
    await burst(test, users(5))
    expect(test.pool.slotsUsed).toBe(3)
    test.pool.resize(4)
    await test.settled()
    expect(startedUsers(test)).toEqual(users(4))
    for (const run of test.pool.live) run.answer()
    await test.settled()
    expect(startedUsers(test)).toEqual(users(5))
  })

  it('fills all free slots at once when it hears of them', async () => {
    const test = new QueueUnderTest({ slots: 0 })
    await burst(test, users(4))
    // One message to the queue, and no other that would make it look again.
    test.pool.resize(3)
    await turnOfTheEventLoop()
    expect(startedUsers(test)).toEqual(users(3))
  })

  it('tells each user the place in line: 0 at work, 1 next, last while being stored', async () => {
    const test = new QueueUnderTest()
    await burst(test, users(3))
    test.store.hold()
    const being = test.send('u3').result
    await test.settled()
    expect(users(5).map((userId) => test.queue.position(userId))).toEqual([0, 1, 2, 3, undefined])
    test.store.release()
    expect(await being).toMatchObject({ position: 3 })
  })

  it('moves everybody behind up when one leaves, and says once that places changed', async () => {
    const test = new QueueUnderTest()
    await burst(test, users(5))
    test.events.length = 0
    await Promise.all([test.queue.cancel('r2'), test.queue.cancel('r4')])
    await test.settled()
    expect(users(5).map((userId) => test.queue.position(userId))).toEqual([0, undefined, 1, undefined, 2])
    expect(test.events.filter(({ type }) => type === 'positionsChanged')).toEqual([
      { type: 'positionsChanged', waiting: 2 },
    ])
  })

  it('says nothing about places when none has changed', async () => {
    const test = new QueueUnderTest()
    await burst(test, users(3))
    test.events.length = 0
    test.pool.of('u0').say('word')
    await test.send('u0').result
    await test.settled()
    expect(test.events.map(({ type }) => type)).toEqual(['delta'])
  })

  it('looks for a free slot on its own when nobody tells it of one', async () => {
    const test = new QueueUnderTest({ slots: 0 })
    test.pool.telling = false
    await test.ask('ann')
    // From here on nothing goes through the mailbox: that would be reason enough to look.
    test.pool.slots = 1
    await test.clock.advance(999)
    expect(test.pool.runs).toEqual([])
    await test.clock.advance(1)
    expect(startedUsers(test)).toEqual(['ann'])
    test.pool.slots = 2
    await test.ask('bob')
    expect(startedUsers(test)).toEqual(['ann', 'bob'])
  })
})
