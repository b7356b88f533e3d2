import { type Clock, monotonicClock, type Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { RestartLimit } from '#actors/restart-limit.ts'
import { errorCode, errorMessage, ParleyError } from '#domain/errors.ts'
import type { DatabaseCalls } from '#protocol/assistant.ts'
import type { DatabaseThreadCell } from '#protocol/assistant-thread.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import { connectToDatabase, type DatabaseConnection } from './database-client.ts'
import { startThread, type ThreadHandle } from './thread-handle.ts'

/** How the database thread is run. */
export interface DatabaseActorOptions {
  /** The file; it and its folder are made when there are none. */
  readonly path: string
  readonly logLevel: string
  readonly logPretty: boolean
  /** Turns and finished requests older than this are deleted; null, the default, keeps all. */
  readonly retentionMs?: number | null
  readonly historyCacheBytes?: number
  readonly callTimeoutMs: number
  /** The time between the death of the thread and its next start. */
  readonly errorRecoveryDelayMs: number
  /** How long opening may take, a migration included. */
  readonly openTimeoutMs?: number
  readonly maxRestarts?: number
  readonly restartWindowMs?: number
  readonly log: Log
  /** Called once with RESTART_LIMIT_REACHED, when the thread keeps dying and is not started any more. */
  readonly onGivenUp: (error: ParleyError) => void
  /** For durations; tests pass a simulated one. */
  readonly clock?: Clock
  /** The thread's entry; tests pass one that can be made to die. */
  readonly entry?: URL
}

/** The main thread's side of the database thread. */
export interface DatabaseActor {
  /** Calls the current thread. While there is none, every call rejects at once with DATABASE_UNAVAILABLE. */
  readonly api: DatabaseApi
  /** The current thread, for `connectToDatabase`; -1 while there is none. */
  readonly threadId: number
  /** The same id in shared memory, for the threads that talk to the database themselves. */
  readonly threadCell: DatabaseThreadCell
  /** The calls made through `api` since the start. */
  readonly calls: DatabaseCalls
  /** Commits what is pending, closes the file and waits for the thread to end; it is not started again. */
  stop(): Promise<void>
}

const DEFAULTS = {
  retentionMs: null,
  historyCacheBytes: 16 * 1024 * 1024,
  openTimeoutMs: 60_000,
  maxRestarts: 5,
  restartWindowMs: 10 * 60_000,
  clock: monotonicClock,
  entry: new URL('../../workers/database.ts', import.meta.url),
}

/** Starts the database thread and keeps it running. Rejects with the ParleyError that kept the file from opening. */
export async function startDatabase(options: DatabaseActorOptions): Promise<DatabaseActor> {
  const actor = new SupervisedDatabase({ ...DEFAULTS, ...options })
  await actor.start()
  return actor
}

interface Running {
  readonly thread: ThreadHandle
  readonly connection: DatabaseConnection
}

class SupervisedDatabase implements DatabaseActor {
  readonly api: DatabaseApi
  readonly threadCell: DatabaseThreadCell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #options: Required<DatabaseActorOptions>
  readonly #restarts: RestartLimit
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #restartTimer: Timer | undefined
  #stopping: Promise<void> | undefined
  #ok = 0
  #failed = 0

  constructor(options: Required<DatabaseActorOptions>) {
    const { maxRestarts, restartWindowMs: windowMs, clock } = options
    this.#options = options
    this.#restarts = new RestartLimit({ maxRestarts, windowMs, now: () => clock.now() })
    this.api = this.#countedApi()
    this.#setRunning(undefined)
  }

  get threadId(): number {
    return this.#running?.thread.threadId ?? -1
  }

  get calls(): DatabaseCalls {
    return { ok: this.#ok, failed: this.#failed }
  }

  async start(): Promise<void> {
    const { path, retentionMs, historyCacheBytes, logLevel, logPretty, callTimeoutMs } = this.#options
    const threadData = { path, retentionMs, historyCacheBytes, logLevel, logPretty }
    const thread = await startThread({ ...this.#options, threadData })
    const running = { thread, connection: await this.#connect(thread, callTimeoutMs) }
    this.#setRunning(running)
    void running.connection.closed.then(() => this.#forget(running))
    void thread.ended.then((reason) => this.#onEnded(running, reason))
  }

  async #connect(thread: ThreadHandle, callTimeoutMs: number): Promise<DatabaseConnection> {
    try {
      return await connectToDatabase(thread.threadId, { callTimeoutMs })
    } catch (error) {
      thread.unref()
      throw error
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#restartTimer?.cancel()
    await this.#starting
    const running = this.#running
    if (running === undefined) return
    try {
      await running.connection.api.close()
    } catch (err) {
      this.#options.log.warn({ err }, 'the database thread did not answer when it was asked to close')
    }
    await this.#waitForEnd(running.thread)
    running.connection.close()
  }

  /** Never terminates the thread: that could cut off a write to the file. */
  #waitForEnd(thread: ThreadHandle): Promise<void> {
    const { clock, callTimeoutMs, log } = this.#options
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => {
        log.error({ waitedMs: callTimeoutMs }, 'the database thread does not end; it is left behind')
        thread.unref()
        resolve()
      }, callTimeoutMs)
      void thread.ended.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #forget(running: Running): void {
    if (this.#running === running) this.#setRunning(undefined)
  }

  #setRunning(running: Running | undefined): void {
    this.#running = running
    Atomics.store(this.threadCell, 0, this.threadId)
  }

  #onEnded(running: Running, reason: string): void {
    this.#forget(running)
    if (this.#stopping !== undefined) return
    const error = new ParleyError('THREAD_LOST', `The database thread died: ${reason}.`)
    this.#options.log.error({ err: error, code: error.code }, 'the database thread died')
    this.#scheduleRestart(error)
  }

  #scheduleRestart(cause: unknown): void {
    const { clock, errorRecoveryDelayMs, maxRestarts, restartWindowMs, onGivenUp } = this.#options
    if (this.#restarts.allow()) {
      this.#restartTimer = clock.setTimeout(() => {
        this.#starting = this.#restart()
      }, errorRecoveryDelayMs)
      return
    }
    const often = `The database thread was started again ${maxRestarts} times within ${restartWindowMs / 1000} s`
    const message = `${often} and failed again (${errorMessage(cause)}). It is not started any more: restart Parley.`
    onGivenUp(new ParleyError('RESTART_LIMIT_REACHED', message, { cause }))
  }

  /** Never rejects. */
  async #restart(): Promise<void> {
    const { log } = this.#options
    try {
      await this.start()
      log.info({ threadId: this.threadId }, 'the database thread is running again')
    } catch (err) {
      log.error({ err, code: errorCode(err) }, 'the database thread could not be started again')
      if (this.#stopping === undefined) this.#scheduleRestart(err)
    }
  }

  async #call<R>(method: (api: DatabaseApi) => Promise<R>): Promise<R> {
    try {
      const result = await method(this.#currentApi())
      this.#ok += 1
      return result
    } catch (error) {
      this.#failed += 1
      throw error
    }
  }

  #currentApi(): DatabaseApi {
    if (this.#running !== undefined) return this.#running.connection.api
    throw new ParleyError('DATABASE_UNAVAILABLE', 'The database thread is not running. The call was not made.')
  }

  #countedApi(): DatabaseApi {
    return {
      acceptRequest: (request, files) => this.#call((api) => api.acceptRequest(request, files)),
      filesOf: (requestId) => this.#call((api) => api.filesOf(requestId)),
      fileBytes: (requestId, position) => this.#call((api) => api.fileBytes(requestId, position)),
      addSchedule: (schedule, limit) => this.#call((api) => api.addSchedule(schedule, limit)),
      schedulesOf: (userId) => this.#call((api) => api.schedulesOf(userId)),
      dueQuestionsOf: (userId) => this.#call((api) => api.dueQuestionsOf(userId)),
      changeSchedule: (userId, id, changes) => this.#call((api) => api.changeSchedule(userId, id, changes)),
      deleteSchedule: (userId, id) => this.#call((api) => api.deleteSchedule(userId, id)),
      promoteDue: (facts) => this.#call((api) => api.promoteDue(facts)),
      scheduledRequests: () => this.#call((api) => api.scheduledRequests()),
      denyScheduled: (denied) => this.#call((api) => api.denyScheduled(denied)),
      amendRequest: (id, message, messageId) => this.#call((api) => api.amendRequest(id, message, messageId)),
      startRequest: (id, attempt, startedAt, virtualTime) =>
        this.#call((api) => api.startRequest(id, attempt, startedAt, virtualTime)),
      requeueRequest: (id, attempt, counted) => this.#call((api) => api.requeueRequest(id, attempt, counted)),
      settleRequest: (settlement) => this.#call((api) => api.settleRequest(settlement)),
      saveTurn: (turn) => this.#call((api) => api.saveTurn(turn)),
      findRequest: (id) => this.#call((api) => api.findRequest(id)),
      setStatusMessage: (id, messageId) => this.#call((api) => api.setStatusMessage(id, messageId)),
      markDelivered: (id, messageIds) => this.#call((api) => api.markDelivered(id, messageIds)),
      abandonDelivery: (id, reason) => this.#call((api) => api.abandonDelivery(id, reason)),
      recover: (origin) => this.#call((api) => api.recover(origin)),
      interruptLeftovers: (origin, finishedAt) => this.#call((api) => api.interruptLeftovers(origin, finishedAt)),
      directChannels: (limit) => this.#call((api) => api.directChannels(limit)),
      markRead: (channel) => this.#call((api) => api.markRead(channel)),
      history: (key, limit, replaced) => this.#call((api) => api.history(key, limit, replaced)),
      historyPage: (key, cursor, limit) => this.#call((api) => api.historyPage(key, cursor, limit)),
      exportRequests: (userId, after, limit) => this.#call((api) => api.exportRequests(userId, after, limit)),
      exportMessages: (userId, after, limit) => this.#call((api) => api.exportMessages(userId, after, limit)),
      directChannelsOf: (userId) => this.#call((api) => api.directChannelsOf(userId)),
      undeliveredOf: (userId) => this.#call((api) => api.undeliveredOf(userId)),
      usageOf: (userId) => this.#call((api) => api.usageOf(userId)),
      quotaUse: (userId, now, requests) => this.#call((api) => api.quotaUse(userId, now, requests)),
      preferences: (userId) => this.#call((api) => api.preferences(userId)),
      changePreferences: (userId, changes) => this.#call((api) => api.changePreferences(userId, changes)),
      choices: (key) => this.#call((api) => api.choices(key)),
      serverSettings: (serverId) => this.#call((api) => api.serverSettings(serverId)),
      changeServerSettings: (change) => this.#call((api) => api.changeServerSettings(change)),
      serverAudit: (serverId, limit) => this.#call((api) => api.serverAudit(serverId, limit)),
      exportSettingChanges: (userId, after, limit) =>
        this.#call((api) => api.exportSettingChanges(userId, after, limit)),
      forget: (scope) => this.#call((api) => api.forget(scope)),
      probe: () => this.#call((api) => api.probe()),
      statistics: () => this.#call((api) => api.statistics()),
      close: () => this.stop(),
    }
  }
}
