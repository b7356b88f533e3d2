import { MessagePort } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { monotonicClock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type Served, serve } from '#actors/serving-endpoint.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { ConnectToDatabase, DatabaseThreadData, DatabaseThreadMessage } from '#protocol/database.ts'
import { createDatabaseApi, type LocalDatabaseApi } from './database-api.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'
import { Retention } from './retention.ts'
import { WriteAheadLogWatch } from './write-ahead-log.ts'

const OPTIMIZE_INTERVAL_MS = 24 * 60 * 60 * 1000
const LOG_WATCH_INTERVAL_MS = 5000

/**
 * Opens the database and serves it to every port sent with `connectToDatabase`, until a client calls `close`; then
 * nothing keeps the thread alive and it ends. Says `opened` or `openFailed` to the parent first.
 */
export function runDatabaseThread(threadData: DatabaseThreadData, parent: MessagePort, log: Log): void {
  const tell = (message: DatabaseThreadMessage): void => parent.postMessage(message)
  try {
    // No message can come in between: opening does not wait for anything.
    new DatabaseThread(openDatabase(threadData.path), threadData, log)
    tell({ type: 'opened' })
  } catch (error) {
    const { code, message } = error instanceof ParleyError ? error : startError(error)
    log.error({ err: error, code }, 'the database could not be opened')
    tell({ type: 'openFailed', code, message })
  }
}

class DatabaseThread {
  readonly #database: OpenDatabase
  readonly #log: Log
  readonly #api: LocalDatabaseApi
  readonly #clients = new Set<Served>()
  /** Also keeps the thread alive while no client is connected. */
  readonly #optimizing: NodeJS.Timeout
  readonly #watching: NodeJS.Timeout
  readonly #retention: Retention | undefined
  readonly #onWorkerMessage = (message: unknown): void => {
    if (isConnection(message)) this.#serve(message.port)
  }

  constructor(database: OpenDatabase, { historyCacheBytes, retentionMs }: DatabaseThreadData, log: Log) {
    this.#database = database
    this.#log = log
    this.#api = createDatabaseApi(database.connection, () => this.#close(), { historyCacheBytes })
    this.#optimizing = setInterval(() => this.#optimize(), OPTIMIZE_INTERVAL_MS)
    const logWatch = new WriteAheadLogWatch(database.connection, log)
    this.#watching = setInterval(() => logWatch.look(), LOG_WATCH_INTERVAL_MS).unref()
    if (retentionMs !== null) this.#retention = this.#startRetention(retentionMs)
    process.on('workerMessage', this.#onWorkerMessage)
    log.info({ path: database.connection.name }, 'the database is open')
  }

  #startRetention(retentionMs: number): Retention {
    const { prune } = this.#api
    return new Retention({ prune, retentionMs, now: Date.now, clock: monotonicClock, log: this.#log })
  }

  #serve(port: MessagePort): void {
    const client = serve(this.#api, port)
    this.#clients.add(client)
    void client.closed.then(() => this.#clients.delete(client))
  }

  #optimize(): void {
    this.#attempt('optimize', (connection) => connection.pragma('optimize'))
  }

  #close(): void {
    clearInterval(this.#optimizing)
    clearInterval(this.#watching)
    this.#retention?.stop()
    process.off('workerMessage', this.#onWorkerMessage)
    // PASSIVE never waits for another tool's reader; what it leaves in the log is safe there.
    this.#attempt('checkpoint', (connection) => connection.pragma('wal_checkpoint(PASSIVE)'))
    this.#attempt('close', () => this.#database.close())
    this.#log.info({}, 'the database is closed')
    // The answers to the last calls are made in this tick's microtasks, so the ports close after them.
    setImmediate(() => {
      for (const client of this.#clients) client.close()
    })
  }

  #attempt(step: string, work: (connection: Database) => unknown): void {
    try {
      work(this.#database.connection)
    } catch (err) {
      this.#log.warn({ err, step }, 'the database did not take a housekeeping step')
    }
  }
}

function startError(cause: unknown): ParleyError {
  return new ParleyError('START_FAILED', `The database could not be opened (${errorMessage(cause)}).`, { cause })
}

function isConnection(message: unknown): message is ConnectToDatabase {
  if (typeof message !== 'object' || message === null) return false
  return 'type' in message && message.type === 'connectToDatabase' && 'port' in message && isPort(message.port)
}

function isPort(value: unknown): value is MessagePort {
  return value instanceof MessagePort
}
