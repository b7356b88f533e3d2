import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Clock } from '#actors/clock.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { Schedule } from '#domain/schedule.ts'
import { DEFAULT_TIER, type Tier } from '#domain/tier.ts'
import type { UndeliveredReply } from '#protocol/database.ts'
import type { GateRefusal } from '#protocol/queue.ts'
import type { Promotion, PromotionFacts } from '#protocol/schedules.ts'
import { Scheduler, type SchedulerOptions } from '#queue/scheduler.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { openTestDatabase, type QueueSetup, QueueUnderTest } from '#support/queue-under-test.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'
import { turnOf } from '#support/stored-requests.ts'
import { DUE_AT, scheduleOf } from '#support/stored-schedules.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** The time at which tests begin, unless they say otherwise. */
const BEFORE = DUE_AT - 10 * MINUTE_MS

type World = Awaited<ReturnType<typeof start>>

/** What its people are turned away with before the queue is asked, and what was asked. */
class Gate {
  refusal: GateRefusal | undefined
  /** By user. */
  readonly refused = new Map<string, GateRefusal>()
  /** The ids of what came to the gate. */
  readonly asked: string[] = []
  /** Whose questions the queue took in, and whose it did not, in this order. */
  readonly takenIn: string[] = []
  readonly turnedAway: string[] = []
}

const PREMIUM: Tier = { ...DEFAULT_TIER, name: 'premium', weight: 4, reserved: 1 }

function tierOf(userId: string): Tier {
  return userId.startsWith('premium') ? PREMIUM : DEFAULT_TIER
}

/** A scheduler on a real queue and a real database; what it asks passes no gate but the one the test sets. */
async function start(schedules: readonly Schedule[], { now = BEFORE, ...setup }: QueueSetup & { now?: number } = {}) {
  const { api, connection } = openTestDatabase()
  for (const schedule of schedules) await api.addSchedule(schedule, 20)
  const clock = new SimulatedClock(now)
  const log = new RecordingLog()
  const settings = { pollIntervalMs: DAY_MS, ...setup.settings }
  const test = new QueueUnderTest({ store: api, clock, ...setup, settings })
  const gate = new Gate()
  const delivered: UndeliveredReply[] = []
  const ask = async (request: ConversationRequest) => {
    const { id, timestamp: _dueAt, notBefore, missed, ...fields } = request
    gate.asked.push(id)
    const refused = gate.refused.get(request.userId) ?? gate.refusal
    if (refused) return refused
    const scheduled = { id, notBefore, ...(missed && { missed }) }
    const { replaces: _none, directServerName: _name, fileNames: _files, ...plain } = fields
    const result = await test.queue.addRequest({ ...plain, scheduled, fromTier: tierOf(request.userId) })
    const went = result.accepted ? gate.takenIn : gate.turnedAway
    went.push(request.userId)
    return result.accepted ? undefined : result.refusal
  }
  let ids = 0
  const options: SchedulerOptions = {
    store: api,
    queue: test.queue,
    clock,
    log,
    newId: () => `s${++ids}`,
    ask,
    deliver: (reply) => delivered.push(reply),
  }
  const scheduler = new Scheduler(options)
  scheduler.start()
  onTestFinished(async () => {
    await scheduler.stop()
    await test.stop()
    expect(clock.pending).toBe(0)
  })
  const statuses = () => connection.prepare('SELECT message, status FROM requests ORDER BY not_before, message').all()
  return { api, clock, log, test, gate, delivered, options, scheduler, statuses }
}

/** Resolves once something holds; a test that waits for what never comes runs into its time limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turnOfTheEventLoop()
}

/** Lets everything happen that needs no time. */
async function rest({ test }: Pick<World, 'test'>): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turnOfTheEventLoop()
  await test.settled()
}

/** Answers the question that runs, as a worker does: its turn is stored first. */
async function answerOne({ test, api }: Pick<World, 'test' | 'api'>): Promise<void> {
  const [run] = test.pool.live
  if (!run) throw new Error('expected a question that runs')
  await api.saveTurn(turnOf(run.request, { attempt: run.attempt }))
  run.answer()
}

const running = ({ test }: Pick<World, 'test'>) => test.pool.live.map(({ request }) => request.message)

/** The time of what is scheduled comes while the database stores and nobody hears of it. */
async function storeUnheard(world: World): Promise<void> {
  await rest(world)
  world.test.store.mode = 'deaf'
  await world.clock.advance(DUE_AT - BEFORE)
  await until(() => world.statuses().some((row) => JSON.stringify(row).includes('QUEUED')))
  await rest(world)
  world.test.store.mode = 'working'
}

/** Lets time pass while nothing runs, for a hundred seconds at most. */
async function waitUntilItRuns(world: World): Promise<void> {
  for (let tries = 0; running(world).length === 0 && tries < 20; tries++) {
    await world.clock.advance(5000)
    await rest(world)
  }
}

describe('a scheduled question', () => {
  it('is asked when its time has come, not before, and once', async () => {
    const world = await start([scheduleOf('a')])
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE - 1)
    await rest(world)
    expect(running(world)).toEqual([])
    await world.clock.advance(1)
    await until(() => running(world).length > 0)
    expect(running(world)).toEqual(['question a'])
    expect(world.test.pool.live[0]?.request).toMatchObject({ notBefore: DUE_AT, timestamp: DUE_AT })
    expect(world.test.pool.live[0]?.request.missed).toBeUndefined()
    await answerOne(world)
    await world.clock.advance(DAY_MS)
    await rest(world)
    expect(world.test.pool.runs).toHaveLength(1)
  })

  it('is asked each day when it is a daily one', async () => {
    const world = await start([scheduleOf('a', { recurrence: 'daily' })])
    for (const day of [1, 2, 3]) {
      await rest(world)
      await world.clock.advance(day === 1 ? DUE_AT - BEFORE : DAY_MS)
      await until(() => world.test.pool.runs.length === day)
      await answerOne(world)
    }
    expect(world.test.pool.runs.map(({ request }) => request.notBefore)).toEqual([
      DUE_AT,
      DUE_AT + DAY_MS,
      DUE_AT + 2 * DAY_MS,
    ])
  })

  it('is asked on time although it was scheduled after the scheduler had begun to wait', async () => {
    const world = await start([])
    await rest(world)
    await world.api.addSchedule(scheduleOf('a', { nextAt: BEFORE + 1000 }), 20)
    world.scheduler.wake()
    await rest(world)
    await world.clock.advance(1000)
    await until(() => running(world).length > 0)
  })

  it('is asked although the host’s clock was set: it is looked at once a minute', async () => {
    const world = await start([scheduleOf('a', { nextAt: BEFORE + DAY_MS })])
    await rest(world)
    await world.api.changeSchedule('ada', 'a', { nextAt: BEFORE + 2 * MINUTE_MS })
    await world.clock.advance(MINUTE_MS)
    await rest(world)
    await world.clock.advance(MINUTE_MS)
    await until(() => running(world).length > 0)
  })

  it('of those that many people have for the same instant is asked, too', async () => {
    const many = Array.from({ length: 120 }, (_, index) => scheduleOf(`${index}`, { userId: `user ${index}` }))
    const world = await start(many, { slots: 200, settings: { maxQueueSize: 200 } })
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => running(world).length === 120)
  })
})

describe('a question whose time passed while Parley was not running', () => {
  it('is asked once, and marked so', async () => {
    const world = await start([scheduleOf('a', { recurrence: 'daily' })], { now: DUE_AT + 3 * DAY_MS + 1 })
    await until(() => running(world).length > 0)
    await rest(world)
    expect(world.test.pool.live.map(({ request }) => request)).toMatchObject([{ notBefore: DUE_AT, missed: true }])
    expect(await world.api.schedulesOf('ada')).toMatchObject([{ nextAt: DUE_AT + 4 * DAY_MS }])
  })

  it('is not asked when its user wants it so, and the next one is', async () => {
    const skipped = scheduleOf('a', { recurrence: 'daily', ifMissed: 'skip' })
    const world = await start([skipped], { now: DUE_AT + 1 })
    await rest(world)
    expect(running(world)).toEqual([])
    await world.clock.advance(DAY_MS)
    await until(() => running(world).length > 0)
    expect(world.test.pool.live[0]?.request.notBefore).toBe(DUE_AT + DAY_MS)
  })

  it('goes on when it waited for its turn as Parley ended', async () => {
    const world = await start([scheduleOf('a')])
    await world.test.ask('ada')
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => world.statuses().length === 2)
    await rest(world)
    await world.scheduler.stop()
    await answerOne(world)
    await rest(world)
    expect(running(world)).toEqual([])
    const again = new Scheduler(world.options)
    again.start()
    onTestFinished(() => again.stop())
    await until(() => running(world)[0] === 'question a')
    await rest(world)
    expect(world.test.pool.runs).toHaveLength(2)
  })
})

describe('a question whose time has come', () => {
  it('waits while its user has another one, and comes when that ends', async () => {
    const world = await start([scheduleOf('a'), scheduleOf('b')])
    await world.test.ask('ada')
    await world.clock.advance(DUE_AT - BEFORE)
    await rest(world)
    expect(world.statuses()).toEqual([
      { message: 'question of ada', status: 'PROCESSING' },
      { message: 'question a', status: 'SCHEDULED' },
      { message: 'question b', status: 'SCHEDULED' },
    ])
    expect(world.gate.asked).toEqual([])
    await answerOne(world)
    await until(() => running(world)[0] === 'question a')
    await rest(world)
    expect(running(world)).toEqual(['question a'])
    await answerOne(world)
    await until(() => running(world)[0] === 'question b')
  })

  it('waits while the queue is full, and comes when there is room', async () => {
    const world = await start([scheduleOf('a')], { settings: { maxQueueSize: 1 } })
    await world.test.ask('bob')
    await world.test.ask('cem')
    await world.clock.advance(DUE_AT - BEFORE)
    await rest(world)
    expect(world.gate.asked).toEqual([])
    await answerOne(world)
    await until(() => world.test.queue.position('ada') === 1)
    expect(world.gate.asked).toHaveLength(1)
  })

  it('waits while nothing can be stored, and is never asked from memory alone', async () => {
    const world = await start([scheduleOf('a')])
    await rest(world)
    world.test.store.mode = 'refusing'
    await world.clock.advance(DUE_AT - BEFORE)
    await rest(world)
    expect(world.gate.asked.length).toBeGreaterThan(0)
    expect(running(world)).toEqual([])
    expect(world.statuses()).toEqual([{ message: 'question a', status: 'SCHEDULED' }])
    world.test.store.mode = 'working'
    await waitUntilItRuns(world)
    expect(running(world)).toEqual(['question a'])
  })

  it('is asked once although nobody heard that it was stored', async () => {
    const world = await start([scheduleOf('a')])
    await storeUnheard(world)
    await waitUntilItRuns(world)
    expect(world.test.pool.runs).toHaveLength(1)
  })

  it('that was stored without anybody hearing of it, and may not be asked by then, has ended', async () => {
    const world = await start([scheduleOf('a')])
    await storeUnheard(world)
    world.gate.refusal = { code: 'QUOTA_USED_UP', message: 'You have used up your quota.' }
    await world.clock.advance(5000)
    await until(() => world.delivered.length > 0)
    expect(world.statuses()).toEqual([{ message: 'question a', status: 'CANCELLED' }])
    // Its user has no other question in the file, so the next one can be stored.
    await world.clock.advance(MINUTE_MS)
    await world.test.ask('ada')
    expect(world.statuses()).toContainEqual({ message: 'question of ada', status: 'PROCESSING' })
  })

  it('that was forgotten while it waited is not asked', async () => {
    const world = await start([scheduleOf('a')])
    await world.test.ask('ada')
    await world.clock.advance(DUE_AT - BEFORE)
    await rest(world)
    await world.api.forget({ userId: 'ada', serverId: null })
    await answerOne(world)
    await until(() => world.gate.asked.length === 1)
    await rest(world)
    expect(running(world)).toEqual([])
  })
})

describe('questions whose time has come while places are reserved', () => {
  const of = (userId: string, dueIn = 0) => scheduleOf(userId, { userId, nextAt: DUE_AT + dueIn })

  it('do not keep a younger one from the place that is reserved for its user, and are not offered in vain', async () => {
    const older = Array.from({ length: 8 }, (_, index) => `older ${index}`)
    const schedules = [...older.map((userId) => of(userId)), of('premium', 1000)]
    const world = await start(schedules, { settings: { maxQueueSize: 3, tiers: [PREMIUM] } })
    for (const userId of ['x', 'y', 'z']) await world.test.ask(userId)
    await world.clock.advance(DUE_AT - BEFORE)
    await rest(world)
    expect(world.gate.turnedAway).toEqual(older)
    await world.clock.advance(1000)
    await until(() => world.test.queue.active('premium') !== undefined)
    while (world.gate.takenIn.length <= older.length) {
      await world.clock.advance(MINUTE_MS)
      await answerOne(world)
      await rest(world)
    }
    // To find out their tier is all that they were refused for.
    expect(world.gate.turnedAway).toEqual(older)
    expect(world.gate.asked).toHaveLength(2 * older.length + 1)
    expect(world.gate.takenIn).toEqual(['premium', ...older])
  })

  it('all come, once each, the oldest of a tier first, whoever is there and whatever is free', async () => {
    const people = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 })
    const sizes = fc.record({ slots: fc.integer({ min: 1, max: 3 }), maxQueueSize: fc.integer({ min: 2, max: 5 }) })
    await fc.assert(
      fc.asyncProperty(people, sizes, async (arePremium, { slots, maxQueueSize }) => {
        const users = arePremium.map((isPremium, index) => `${isPremium ? 'premium' : 'plain'} ${10 + index}`)
        const schedules = users.map((userId, index) => of(userId, index))
        const world = await start(schedules, { slots, settings: { maxQueueSize, tiers: [PREMIUM] } })
        await rest(world)
        await world.clock.advance(DUE_AT - BEFORE + users.length)
        for (let ended = 0; ended < users.length; ended++) {
          await until(() => world.test.pool.live.length > 0)
          await rest(world)
          await answerOne(world)
        }
        const { takenIn: taken } = world.gate
        expect(taken.toSorted()).toEqual(users.toSorted())
        for (const tier of ['premium', 'plain']) {
          const ofTier = (userId: string) => userId.startsWith(tier)
          expect(taken.filter(ofTier)).toEqual(users.filter(ofTier))
        }
        expect(new Set(world.gate.turnedAway).size).toBe(world.gate.turnedAway.length)
      }),
      { numRuns: 15 },
    )
  })

  it('are not offered while the queue takes nothing in, and come once it does', async () => {
    const world = await start([scheduleOf('a')])
    await world.test.queue.setMode('draining')
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE + 10 * MINUTE_MS)
    await rest(world)
    expect(world.gate.asked).toEqual([])
    await world.test.queue.setMode('open')
    await world.clock.advance(5000)
    await until(() => running(world).length > 0)
  })
})

describe('a question that cannot be looked up', () => {
  it('does not keep one behind it from the only place', async () => {
    const world = await start([scheduleOf('a'), scheduleOf('b', { userId: 'bea' })], { settings: { maxQueueSize: 1 } })
    world.gate.refused.set('ada', { code: 'ACCESS_DENIED', message: 'Not known.', passing: true })
    await world.test.ask('bob')
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => world.test.queue.active('bea') !== undefined)
    world.gate.refused.clear()
    await answerOne(world)
    await world.clock.advance(5000)
    await until(() => world.test.queue.active('ada') !== undefined)
    expect(world.gate.asked).toHaveLength(3)
  })
})

describe('a question that its user may not ask any more', () => {
  const DENIED: GateRefusal = { code: 'ACCESS_DENIED', message: 'You may not ask here.' }

  it('ends with a notice, and so does its schedule', async () => {
    const world = await start([scheduleOf('a', { recurrence: 'daily' })])
    world.gate.refusal = DENIED
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => world.delivered.length > 0)
    expect(world.delivered).toMatchObject([
      {
        request: { message: 'question a' },
        status: 'CANCELLED',
        messages: [expect.stringContaining('You may not ask here. This reminder has ended.')],
      },
    ])
    expect(await world.api.schedulesOf('ada')).toEqual([])
    expect(await world.api.recover('discord')).toMatchObject({ undelivered: [{ request: { message: 'question a' } }] })
    await world.clock.advance(DAY_MS)
    await rest(world)
    expect(world.gate.asked).toHaveLength(1)
  })

  it('for today only comes again the next time', async () => {
    const world = await start([scheduleOf('a', { recurrence: 'daily' })])
    world.gate.refusal = { code: 'QUOTA_USED_UP', message: 'You have used up your quota.' }
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => world.delivered.length > 0)
    expect(world.delivered).toMatchObject([{ messages: [expect.not.stringContaining('has ended')] }])
    world.gate.refusal = undefined
    await rest(world)
    await world.clock.advance(DAY_MS)
    await until(() => running(world).length > 0)
  })

  it('as far as could be looked up waits until that is known', async () => {
    const world = await start([scheduleOf('a')])
    world.gate.refusal = { ...DENIED, passing: true }
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => world.gate.asked.length > 0)
    await rest(world)
    expect(world.delivered).toEqual([])
    world.gate.refusal = undefined
    await world.clock.advance(5000)
    await until(() => running(world).length > 0)
  })
})

describe('a scheduler', () => {
  /** A store in the test's hands: it promotes nothing, and notes with what it was asked to. */
  class IdleStore {
    readonly looks: { now: number; runningSince: number }[] = []
    readonly #answers: PromiseWithResolvers<Promotion>[] = []

    scheduledRequests = async () => []
    denyScheduled = async () => 'stale' as const
    promoteDue = (facts: PromotionFacts) => {
      this.looks.push(facts)
      const answer = Promise.withResolvers<Promotion>()
      this.#answers.push(answer)
      return answer.promise
    }

    answer(): void {
      this.#answers.shift()?.resolve({ fired: [], nextAt: null })
    }
  }

  async function idle(clock: Clock = new SimulatedClock(BEFORE)) {
    const world = await start([])
    await world.scheduler.stop()
    const store = new IdleStore()
    const scheduler = new Scheduler({ ...world.options, store, clock })
    scheduler.start()
    onTestFinished(async () => {
      store.answer()
      await scheduler.stop()
    })
    await until(() => store.looks.length === 1)
    return { store, scheduler }
  }

  it('looks once more whenever it is woken, also at the very end of a look', async () => {
    for (let steps = 0; steps < 12; steps++) {
      const { store, scheduler } = await idle()
      store.answer()
      // As many steps after the answer as others take that came with it.
      for (let step = 0; step < steps; step++) await Promise.resolve()
      scheduler.wake()
      for (let turn = 0; turn < 5; turn++) await turnOfTheEventLoop()
      expect(store.looks, `woken after ${steps} steps`).toHaveLength(2)
    }
  })

  it('has missed nothing while it runs although the host’s clock is set back', async () => {
    const clock = new SimulatedClock(BEFORE)
    let setBackMs = 0
    const { store, scheduler } = await idle({
      now: () => clock.now() - setBackMs,
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
    })
    store.answer()
    setBackMs = 30 * MINUTE_MS
    scheduler.wake()
    await until(() => store.looks.length === 2)
    store.answer()
    setBackMs = 0
    scheduler.wake()
    await until(() => store.looks.length === 3)
    const since = BEFORE - 30 * MINUTE_MS
    expect(store.looks).toMatchObject([
      { now: BEFORE, runningSince: BEFORE },
      { now: since, runningSince: since },
      { now: BEFORE, runningSince: since },
    ])
  })
})

describe('a scheduler that stops', () => {
  it('waits for nothing that is looked up elsewhere, and leaves what is told then to the next process', async () => {
    const world = await start([])
    await world.scheduler.stop()
    await world.api.addSchedule(scheduleOf('a'), 20)
    const looked = Promise.withResolvers<GateRefusal>()
    let offers = 0
    const ask = () => {
      offers++
      return looked.promise
    }
    const scheduler = new Scheduler({ ...world.options, ask })
    scheduler.start()
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => offers === 1)
    await scheduler.stop()
    looked.resolve({ code: 'ACCESS_DENIED', message: 'No.' })
    await rest(world)
    expect(world.statuses()).toEqual([{ message: 'question a', status: 'SCHEDULED' }])
    expect(world.delivered).toEqual([])
  })
})

describe('a database that does not answer', () => {
  it('is asked again, and what became of the lost answer is found in the file', async () => {
    const world = await start([])
    await rest(world)
    await world.scheduler.stop()
    await world.api.addSchedule(scheduleOf('a'), 20)
    let lost = 0
    const store: SchedulerOptions['store'] = {
      scheduledRequests: () => world.api.scheduledRequests(),
      denyScheduled: (denied) => world.api.denyScheduled(denied),
      promoteDue: async (facts) => {
        const promotion = await world.api.promoteDue(facts)
        if (promotion.fired.length > 0 && lost++ === 0) throw new Error('the answer was lost')
        return promotion
      },
    }
    const scheduler = new Scheduler({ ...world.options, store })
    scheduler.start()
    onTestFinished(() => scheduler.stop())
    await rest(world)
    await world.clock.advance(DUE_AT - BEFORE)
    await until(() => lost === 1)
    await rest(world)
    await world.clock.advance(5000)
    await until(() => running(world).length > 0)
    await rest(world)
    expect(world.test.pool.runs).toHaveLength(1)
  })
})
