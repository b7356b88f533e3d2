import { ParleyError } from '#domain/errors.ts'
import type { DatabaseThreadCell } from '#protocol/assistant-thread.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import { connectToDatabase, type DatabaseConnection } from './database-client.ts'

/** A pool thread's way to the database: one connection, made anew when the database thread is another. */
export class DatabaseLink {
  readonly #databaseThread: DatabaseThreadCell
  readonly #callTimeoutMs: number
  #threadId = NO_THREAD
  #connection: Promise<DatabaseConnection> | undefined

  constructor(databaseThread: DatabaseThreadCell, callTimeoutMs: number) {
    this.#databaseThread = databaseThread
    this.#callTimeoutMs = callTimeoutMs
  }

  /** The database as it can be reached now; rejects with DATABASE_UNAVAILABLE when it cannot. */
  async api(): Promise<DatabaseApi> {
    const threadId = Atomics.load(this.#databaseThread, 0)
    if (threadId === NO_THREAD) {
      throw new ParleyError('DATABASE_UNAVAILABLE', 'The database thread is not running. The call was not made.')
    }
    const reusable = threadId === this.#threadId ? this.#connection : undefined
    return (await (reusable ?? this.#connect(threadId))).api
  }

  #connect(threadId: number): Promise<DatabaseConnection> {
    const connection = connectToDatabase(threadId, { callTimeoutMs: this.#callTimeoutMs })
    this.#threadId = threadId
    this.#connection = connection
    const forget = () => {
      if (this.#connection === connection) this.#connection = undefined
    }
    connection.then(({ closed }) => closed.then(forget), forget)
    return connection
  }
}

const NO_THREAD = -1
