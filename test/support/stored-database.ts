import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createDatabaseApi, type LocalDatabaseOptions } from '#database/database-api.ts'
import { openDatabase } from '#database/open-database.ts'
import type { RequestStatus } from '#domain/request.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface StoredRequest {
  readonly id: string
  readonly status: RequestStatus
  readonly attempt: number
  readonly message: string
  readonly interaction_token: string | null
  readonly [column: string]: unknown
}

/** A database of its own, closed at the end of the running test, and what is in it. */
export function newDatabase(options: LocalDatabaseOptions = {}, path = join(temporaryFolder(), 'parley.db')) {
  const database = openDatabase(path)
  const { connection } = database
  const api = createDatabaseApi(connection, () => database.close(), options)
  onTestFinished(() => api.close())
  const requests = connection.prepare<[], StoredRequest>('SELECT * FROM requests ORDER BY id')
  const messages = connection.prepare('SELECT request_id, role, content FROM messages ORDER BY id')
  const outbox = connection.prepare(
    'SELECT request_id AS id, part, content, state, message_id AS messageId, reason FROM outbox ORDER BY outbox.id',
  )
  return {
    path,
    api,
    connection,
    rows: () => requests.all(),
    stored: (id: string): StoredRequest | undefined => requests.all().find((row) => row.id === id),
    messages: () => messages.all(),
    outbox: () => outbox.all(),
  }
}
