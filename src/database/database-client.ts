import { MessageChannel, postMessageToThread } from 'node:worker_threads'
import { connect } from '#actors/calling-endpoint.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { ConnectToDatabase, DatabaseApi } from '#protocol/database.ts'

/** One client's way to the database thread. */
export interface DatabaseConnection {
  /** After the thread is gone every call rejects with DATABASE_UNAVAILABLE. */
  readonly api: DatabaseApi
  /** Resolves once the connection is closed, by `close` or because the thread is gone. */
  readonly closed: Promise<void>
  readonly close: () => void
}

export interface ConnectDatabaseOptions {
  /** A call that has no answer after so many ms rejects with CALL_TIMED_OUT. */
  readonly callTimeoutMs: number
}

/** Opens a connection from this thread to the database thread. Rejects with DATABASE_UNAVAILABLE when it is gone. */
export async function connectToDatabase(
  databaseThreadId: number,
  { callTimeoutMs }: ConnectDatabaseOptions,
): Promise<DatabaseConnection> {
  const { port1, port2 } = new MessageChannel()
  const connection = connect<DatabaseApi>(port1, { callTimeoutMs, peer: 'the database thread' })
  try {
    const message: ConnectToDatabase = { type: 'connectToDatabase', port: port2 }
    await postMessageToThread(databaseThreadId, message, [port2], callTimeoutMs)
  } catch (cause) {
    connection.close()
    const message = `The database thread cannot be reached (${errorMessage(cause)}). Nothing was stored.`
    throw new ParleyError('DATABASE_UNAVAILABLE', message, { cause })
  }
  return { api: connection.remote, closed: connection.closed, close: connection.close }
}
