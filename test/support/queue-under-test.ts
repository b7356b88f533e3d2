import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createDatabaseApi } from '#database/database-api.ts'
import { type OpenDatabase, openDatabase } from '#database/open-database.ts'
import { FifoOrder } from '#domain/order.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { AddResult, NewRequest, QueueEvent, RequestEvent } from '#protocol/queue.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'
import type { QueueOptions, QueueSettings } from '#queue/queue-options.ts'
import type { ActiveRequest } from '#queue/queue-state.ts'
import type { RequestStore } from '#queue/request-journal.ts'
import { ControlledStore, FORGETFUL_STORE } from './controlled-store.ts'
import { turnOfTheEventLoop } from './event-loop.ts'
import { RecordingLog } from './recording-log.ts'
import { ScriptedPool } from './scripted-pool.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const QUEUE_SETTINGS: QueueSettings = {
  maxQueueSize: 50,
  warnAbove: 25,
  maxMessageLength: 4000,
  requestTimeoutMs: 300_000,
  maxAttempts: 2,
  breakThreshold: 0,
  breakPauseMs: 5000,
  adaptConcurrency: false,
  retryBackoffMs: 2000,
  whenUnavailable: 'answer',
  pollIntervalMs: 1000,
  mailboxSize: 1000,
}

export interface QueueSetup extends Partial<Pick<QueueOptions, 'newId' | 'order' | 'random' | 'steadyClock'>> {
  readonly slots?: number
  readonly settings?: Partial<QueueSettings>
  readonly store?: RequestStore
  readonly clock?: SimulatedClock
}

export interface TestDatabase {
  readonly api: DatabaseApi
  readonly connection: OpenDatabase['connection']
}

/** Opens a database that is closed at the end of the running test. */
export function openTestDatabase(): TestDatabase {
  const database = openDatabase(join(temporaryFolder(), 'parley.db'))
  // No test of the queue loses power, and waiting for the disk would be most of their time.
  database.connection.pragma('synchronous = OFF')
  const api = createDatabaseApi(database.connection, () => database.close())
  onTestFinished(() => api.close())
  return { api, connection: database.connection }
}

/** A queue whose time, threads and database are in the test's hands. Ids are `r1`, `r2` and so on. */
export class QueueUnderTest {
  readonly clock: SimulatedClock
  readonly log = new RecordingLog()
  readonly pool: ScriptedPool
  readonly store: ControlledStore
  readonly queue: ConversationQueue
  /** Everything the queue told. */
  readonly events: QueueEvent[] = []
  #ids = 0

  constructor({ slots = 1, settings = {}, store = FORGETFUL_STORE, clock, ...options }: QueueSetup = {}) {
    this.clock = clock ?? new SimulatedClock()
    this.pool = new ScriptedPool(slots)
    this.store = new ControlledStore(store)
    this.queue = new ConversationQueue({
      settings: { ...QUEUE_SETTINGS, ...settings },
      store: this.store,
      pool: this.pool,
      clock: this.clock,
      log: this.log,
      newId: () => `r${++this.#ids}`,
      random: () => 1,
      // Who is first is easy to say; the fair order has tests of its own.
      order: new FifoOrder<ActiveRequest>(),
      ...options,
    })
    this.queue.on((event) => this.events.push(event))
  }

  /** Sends a user's message; `heard` grows with what the request's own listener is told. */
  send(userId: string, fields: Partial<NewRequest> = {}): { result: Promise<AddResult>; heard: RequestEvent[] } {
    const heard: RequestEvent[] = []
    return { result: this.queue.addRequest(messageOf(userId, fields), (event) => heard.push(event)), heard }
  }

  /** Sends a user's message that has to be accepted, and waits until nothing more happens. */
  async ask(userId: string, fields: Partial<NewRequest> = {}): Promise<{ id: string; heard: RequestEvent[] }> {
    const { result, heard } = this.send(userId, fields)
    const added = await result
    if (!added.accepted) throw new Error(`expected the message to be taken in, got ${added.refusal.code}`)
    await this.settled()
    return { id: added.request.id, heard }
  }

  /** Waits until the queue has nothing left to do but wait for time, for runs or for calls held up. */
  async settled(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < 2; ) {
      // It goes through the mailbox behind all that is in it.
      await this.queue.cancel('a request that does not exist')
      await turnOfTheEventLoop()
      const activity = this.events.length + this.store.counters.made + this.store.counters.over
      quiet = activity === before && this.store.busy === 0 ? quiet + 1 : 0
      before = activity
    }
  }

  /** The types of the events about one request. */
  typesOf(requestId: string): string[] {
    return this.events.flatMap((event) => ('requestId' in event && event.requestId === requestId ? [event.type] : []))
  }

  /** Stops everything that runs and waits for the end of the queue. */
  async stop(graceMs = 0): Promise<void> {
    const stopped = this.queue.stop(graceMs)
    await this.settled()
    for (const run of this.pool.live) run.stop()
    await stopped
  }
}

/** Resolves with `still open` when the promise has not been resolved when nothing happens any more. */
export async function soFar<T>(test: QueueUnderTest, promise: Promise<T>): Promise<T | 'still open'> {
  await test.settled()
  return Promise.race([promise, Promise.resolve('still open' as const)])
}

export function messageOf(userId: string, fields: Partial<NewRequest> = {}): NewRequest {
  return {
    userId,
    serverId: '0',
    channelId: `channel of ${userId}`,
    message: `question of ${userId}`,
    discordMessageId: null,
    interactionToken: null,
    ...fields,
  }
}
