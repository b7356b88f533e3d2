import { randomFillSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { silentLog } from '#actors/log.ts'
import { uuidV7 } from '#domain/uuid.ts'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import type { RequestEvent } from '#protocol/queue.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'
import { AssistantWorld } from '#support/assistant-world.ts'
import { rateLimited, serverFailure } from '#support/openai/script.ts'
import { messageOf, QUEUE_SETTINGS } from '#support/queue-under-test.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const SLOTS = 4
const THRESHOLD = 3
const PAUSE_MS = 5000
const SETTINGS = {
  ...QUEUE_SETTINGS,
  breakThreshold: THRESHOLD,
  breakPauseMs: PAUSE_MS,
  adaptConcurrency: true,
  maxAttempts: 5,
  retryBackoffMs: 0,
}

let world: AssistantWorld
let pool: PiscinaPool

beforeAll(async () => {
  world = await AssistantWorld.start()
  pool = await world.openPool({ pool: { size: 2, concurrency: SLOTS / 2 } })
})

afterAll(() => world.close())

beforeEach(() => world.server.reset())

/** A queue in front of real threads and a real model server; the pauses between tries are in the test's hands. */
function newQueue() {
  const clock = new SimulatedClock()
  const newId = () => uuidV7(Date.now(), randomFillSync(new Uint8Array(16)))
  const store = world.database.api
  const queue = new ConversationQueue({ settings: SETTINGS, store, pool, clock, log: silentLog, newId })
  /** Resolves once something is true of the queue, which tells whenever it could have become so. */
  const until = (isTrue: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (isTrue()) resolve()
      }
      queue.on(look)
      look()
    })
  /** Asks for some people; resolves with how each of them ended. */
  const askAll = (count: number, name: string) =>
    Array.from({ length: count }, async (_, index) => {
      const ended = Promise.withResolvers<RequestEvent>()
      const added = await queue.addRequest(messageOf(`${name} ${index}`), (event) => {
        if (event.type === 'completed' || event.type === 'failed') ended.resolve(event)
      })
      expect(added.accepted).toBe(true)
      return (await ended.promise).type
    })
  const isIdle = (state: string) => () =>
    queue.stats().model.state === state && queue.stats().activeRequests === 0 && pool.slotsUsed === 0
  return { queue, clock, until, askAll, isIdle }
}

it('a dead model server gets no more calls than the breaker allows, and all is answered when it is back', async () => {
  const { queue, clock, until, askAll, isIdle } = newQueue()
  await world.server.setDefault(serverFailure())
  const ends = askAll(20, 'dead')
  await until(isIdle('silent'))
  const { requests } = await world.server.stats()
  expect(requests).toBeGreaterThanOrEqual(THRESHOLD)
  // Those that had begun when the last one that counted failed.
  expect(requests).toBeLessThanOrEqual(THRESHOLD + SLOTS - 1)
  for (const [tries, pauseMs] of [PAUSE_MS, 2 * PAUSE_MS, 4 * PAUSE_MS].entries()) {
    await clock.advance(pauseMs)
    await world.server.waitForRequests(requests + tries + 1)
    await until(isIdle('silent'))
    expect((await world.server.stats()).requests).toBe(requests + tries + 1)
  }
  expect(queue.stats()).toMatchObject({ queueSize: 20, totalFailed: 0 })
  await world.server.setDefault({ type: 'echo' })
  await clock.advance(8 * PAUSE_MS)
  expect(await Promise.all(ends)).toEqual(Array(20).fill('completed'))
  expect((await world.server.stats()).requests).toBe(requests + 3 + 20)
  await queue.stop(0)
})

it('a model server that is busy gets fewer calls at the same time, and nobody is lost', async () => {
  const { queue, clock, until, askAll } = newQueue()
  await world.server.script(rateLimited(3), { type: 'held' }, { type: 'held' }, { type: 'held' })
  const ends = askAll(8, 'busy')
  await world.server.waitForRequests(4)
  await until(() => queue.stats().model.rateLimited === 1 && queue.stats().queueSize === 5)
  await world.server.release()
  await until(() => queue.stats().totalProcessed === 3)
  expect(queue.stats()).toMatchObject({ activeRequests: 0, model: { limit: 3 } })
  expect((await world.server.stats()).requests).toBe(4)
  await clock.advance(3000)
  expect(await Promise.all(ends)).toEqual(Array(8).fill('completed'))
  await queue.stop(0)
})
