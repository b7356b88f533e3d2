import { describe, expect, it } from 'vitest'
import { estimateTokens } from '#domain/fair-shares.ts'
import { DEFAULT_TIER } from '#domain/tier.ts'
import type { QueueSettings } from '#queue/queue-options.ts'
import { openTestDatabase, QueueUnderTest, type TestDatabase } from '#support/queue-under-test.ts'
import { turnOf } from '#support/stored-requests.ts'

/** A queue with its usual order, over a database that can outlive it. */
function fairQueue(settings: Partial<QueueSettings> = {}, { api }: TestDatabase = openTestDatabase()) {
  return new QueueUnderTest({ store: api, settings, order: undefined })
}

const PREMIUM = { name: 'premium', weight: 4 }

function linedUp({ queue }: QueueUnderTest, ...users: string[]): string[] {
  return users.toSorted((a, b) => (queue.position(a) ?? 0) - (queue.position(b) ?? 0))
}

describe('the order of a queue', () => {
  it('lets who asks little go before who has just had a long answer, and tells places accordingly', async () => {
    const test = fairQueue()
    await test.ask('heavy')
    await test.ask('other')
    test.pool.of('heavy').answer('long', { usage: { promptTokens: 5_000, completionTokens: 5_000 } })
    await test.settled()
    await test.ask('heavy')
    await test.ask('light')
    expect(linedUp(test, 'heavy', 'light')).toEqual(['light', 'heavy'])
    expect([test.queue.position('light'), test.queue.position('heavy')]).toEqual([1, 2])
  })

  it('charges what an answer has really cost, and nothing for what never ran', async () => {
    const test = fairQueue()
    await test.ask('busy')
    const { id } = await test.ask('ann')
    await test.queue.cancel(id)
    await test.ask('ann')
    await test.ask('bob')
    expect(linedUp(test, 'ann', 'bob')).toEqual(['ann', 'bob'])
  })

  it('charges what an answer has really cost whose worker was lost after it was stored', async () => {
    const database = openTestDatabase()
    const test = fairQueue({}, database)
    await test.ask('heavy')
    await test.ask('other')
    const run = test.pool.of('heavy')
    const usage = { promptTokens: 5_000, completionTokens: 5_000 }
    await database.api.saveTurn(turnOf(run.request, { usage }))
    run.lose()
    await test.settled()
    test.pool.of('other').answer('short', { usage: { promptTokens: 2_000, completionTokens: 0 } })
    await test.settled()
    await test.ask('busy')
    await test.ask('heavy')
    await test.ask('other')
    expect(linedUp(test, 'heavy', 'other')).toEqual(['other', 'heavy'])
  })

  it('serves a tier by its weight, and the others too', async () => {
    const test = fairQueue()
    await test.ask('busy')
    const usage = { promptTokens: 1_000, completionTokens: 0 }
    const order: string[] = []
    const tierOf = (userId: string) => (userId.startsWith('paying') ? { fromTier: PREMIUM } : {})
    // Everybody has one question at a time, so several of each have to wait for there to be a choice.
    for (let n = 0; n < 6; n++)
      for (const who of ['paying', 'free']) await test.ask(`${who} ${n}`, tierOf(`${who} ${n}`))
    for (let round = 0; round < 60; round++) {
      const running = test.pool.runs.at(-1)?.request.userId ?? ''
      order.push(running)
      test.pool.of(running).answer('ok', { usage })
      await test.settled()
      if (running !== 'busy') await test.ask(running, tierOf(running))
    }
    const count = (who: string) => order.filter((one) => one.startsWith(who)).length
    expect(count('free')).toBeGreaterThanOrEqual(6)
    expect(count('paying')).toBeGreaterThanOrEqual(3 * count('free'))
  })

  it('serves a free user under a flood of premium ones, who share the rest equally', async () => {
    const test = fairQueue({ maxWaitMs: null })
    const [PREMIUM_USERS, FREE_SHARES] = [12, 6]
    const usage = { promptTokens: 1_000, completionTokens: 0 }
    const served = new Map<string, number>()
    const gaps: number[] = []
    let sinceFree = 0
    const ask = (userId: string) => test.ask(userId, userId === 'free' ? {} : { fromTier: PREMIUM })
    for (let n = 0; n < PREMIUM_USERS; n++) await ask(`premium ${n}`)
    await ask('free')
    // Whoever is answered asks at once again, so everybody waits all the time.
    while ((served.get('free') ?? 0) <= FREE_SHARES) {
      const running = test.pool.runs.at(-1)?.request.userId ?? ''
      served.set(running, (served.get(running) ?? 0) + 1)
      if (running === 'free') gaps.push(sinceFree)
      sinceFree = running === 'free' ? 0 : sinceFree + 1
      // With strict priority this would go on for ever.
      expect(sinceFree).toBeLessThanOrEqual((PREMIUM.weight + 1) * PREMIUM_USERS)
      test.pool.of(running).answer('ok', { usage })
      await test.settled()
      await ask(running)
    }
    // The first two are shorter: all begin level.
    expect(gaps.slice(2)).toEqual(Array.from({ length: FREE_SHARES - 1 }, () => PREMIUM.weight * PREMIUM_USERS))
    const premium = [...served].filter(([userId]) => userId !== 'free').map(([, count]) => count)
    expect(Math.max(...premium) - Math.min(...premium)).toBeLessThanOrEqual(1)
  })

  it('puts first who has waited for queue.maxWait, and tells places accordingly', async () => {
    const test = fairQueue({ maxWaitMs: 60_000 })
    await test.ask('heavy')
    await test.ask('other')
    test.pool.of('heavy').answer('long', { usage: { promptTokens: 9_000, completionTokens: 0 } })
    await test.settled()
    await test.ask('heavy')
    await test.clock.advance(59_000)
    await test.ask('light')
    expect(linedUp(test, 'heavy', 'light')).toEqual(['light', 'heavy'])
    await test.clock.advance(2_000)
    await test.settled()
    expect(linedUp(test, 'heavy', 'light')).toEqual(['heavy', 'light'])
  })

  it('counts the wait of what was scheduled from when it was taken in, not from when it was due', async () => {
    const test = new QueueUnderTest({ settings: { maxWaitMs: 60_000 }, order: undefined })
    await test.ask('busy')
    const dueAt = test.clock.now()
    await test.clock.advance(600_000)
    await test.ask('light')
    const { result } = test.send('patient', { scheduled: { id: 's1', notBefore: dueAt } })
    expect(await result).toMatchObject({ request: { timestamp: test.clock.now(), notBefore: dueAt } })
    await test.settled()
    expect(linedUp(test, 'light', 'patient')).toEqual(['light', 'patient'])
  })

  it('goes on after a restart: waiting requests keep their places, and who has used more still waits longer', async () => {
    const database = openTestDatabase()
    const before = fairQueue({}, database)
    await before.ask('heavy')
    await before.ask('other')
    const usage = { promptTokens: 9_000, completionTokens: 0 }
    const run = before.pool.of('heavy')
    // As its worker does.
    await database.api.saveTurn(turnOf(run.request, { usage }))
    run.answer('long', { usage })
    await before.settled()
    await before.ask('heavy')
    await before.ask('light')
    const places = linedUp(before, 'light', 'heavy')
    await before.stop()
    const { waiting, fair } = await database.api.recover('discord')
    const after = fairQueue({}, database)
    after.queue.restore(
      waiting.map((left) => ({ ...left, listener: () => undefined })),
      fair,
    )
    expect(linedUp(after, 'light', 'heavy')).toEqual(places)
    after.queue.open()
    await after.settled()
    expect(fair.finishes.find(([userId]) => userId === 'heavy')?.[1]).toBeGreaterThan(9_000)
    await after.ask('new')
    expect(linedUp(after, 'heavy', 'new')).toEqual(['new', 'heavy'])
  })

  it('keeps places that are reserved for a tier for its people', async () => {
    const tiers = [{ ...DEFAULT_TIER, ...PREMIUM, reserved: 1 }]
    const test = fairQueue({ maxQueueSize: 2, tiers })
    await test.ask('busy')
    await test.ask('free')
    expect([test.queue.room('default'), test.queue.room('premium'), test.queue.room()]).toEqual([0, 1, 1])
    expect(await test.send('another').result).toMatchObject({
      refusal: {
        code: 'QUEUE_FULL',
        tier: 'default',
        message: expect.stringMatching(
          /^The queue has no place left for you: 1 is waiting, and the places that are left are kept/,
        ),
      },
    })
    expect(await test.send('paying', { fromTier: PREMIUM }).result).toMatchObject({ accepted: true })
    expect(await test.send('another').result).toMatchObject({
      refusal: { message: expect.stringMatching(/^The queue is full: 2 questions are waiting/) },
    })
    expect(test.queue.room()).toBe(0)
  })

  it('keeps them also while some of its people are about to begin', async () => {
    const tiers = [{ ...DEFAULT_TIER, ...PREMIUM, reserved: 2 }]
    const test = new QueueUnderTest({ slots: 2, settings: { maxQueueSize: 3, tiers } })
    const paying = (userId: string) => test.send(userId, { fromTier: PREMIUM }).result
    const crowd = [paying('p1'), paying('p2'), ...['f1', 'f2', 'f3'].map((userId) => test.send(userId).result)]
    const taken = (await Promise.all(crowd)).map(({ accepted }) => accepted)
    expect(taken).toEqual([true, true, true, false, false])
    await test.settled()
    expect(test.queue.room('premium')).toBe(2)
  })

  it('says how many would be taken in as it takes them in, and none while it is drained', async () => {
    const tiers = [{ ...DEFAULT_TIER, ...PREMIUM, reserved: 2 }]
    const test = fairQueue({ maxQueueSize: 5, tiers })
    for (let room = test.queue.room('default'); room > 0; room--) {
      expect(test.queue.room('default')).toBe(room)
      await test.send(`user ${room}`).result
    }
    expect(await test.send('another').result).toMatchObject({ accepted: false })
    expect(test.queue.room('premium')).toBe(2)
    await test.queue.setMode('draining')
    expect(test.queue.room('premium')).toBe(0)
  })
})

describe('the estimate of a question', () => {
  it('grows with its text', () => {
    expect(estimateTokens('x'.repeat(4_000)) - estimateTokens('')).toBe(1_000)
  })
})
