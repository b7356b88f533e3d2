import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDatabaseApi } from '#database/database-api.ts'
import { openDatabase } from '#database/open-database.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

type Connection = Database.Database

/** Notes when a connection begins and ends its commits. */
function watchCommits(connection: Connection, events: string[]): void {
  const prepare = connection.prepare.bind(connection)
  const watched = (sql: string) => {
    const statement = prepare(sql)
    if (sql !== 'COMMIT') return statement
    const run = statement.run.bind(statement)
    statement.run = () => {
      events.push('commit')
      const result = run()
      events.push('committed')
      return result
    }
    return statement
  }
  Object.assign(connection, { prepare: watched })
}

describe('an acknowledged write', () => {
  it('is on the disk: the one connection runs WAL and waits for the disk with every commit', () => {
    const { connection } = newDatabase()
    const setting = (name: string): unknown => connection.pragma(name, { simple: true })
    expect([setting('journal_mode'), setting('synchronous')]).toEqual(['wal', 2])
  })

  it('is acknowledged only after its COMMIT has returned, whatever it writes', async () => {
    const database = openDatabase(join(temporaryFolder(), 'parley.db'))
    const events: string[] = []
    watchCommits(database.connection, events)
    const api = createDatabaseApi(database.connection, () => database.close())
    onTestFinished(() => api.close())
    const request = requestOf('a')
    const writes: Record<string, () => Promise<unknown>> = {
      accept: () => api.acceptRequest(request),
      start: () => api.startRequest('a', 1, 1000),
      requeue: () => api.requeueRequest('a', 1),
      restart: () => api.startRequest('a', 2, 1000),
      save: () => api.saveTurn(turnOf(request, { attempt: 2, messages: ['answer'] })),
      settle: () => api.settleRequest(settlementOf('a', 2)),
      status: () => api.setStatusMessage('a', '1'),
      deliver: () => api.markDelivered('a', ['1']),
      abandon: () => api.abandonDelivery('a', 'gone'),
      recover: () => api.recover('discord'),
      interrupt: () => api.interruptLeftovers('discord', 1000),
      read: () => api.markRead({ channelId: 'c', userId: 'u', lastMessageId: '1' }),
      forget: () => api.forget(request),
      prune: () => api.prune(0, 1),
      probe: () => api.probe(),
    }
    for (const [name, write] of Object.entries(writes)) {
      await write().then(() => events.push(name))
      expect(events.splice(0)).toEqual(['commit', 'committed', name])
    }
    const together = ['b', 'c'].map((id) => api.acceptRequest(requestOf(id)).then(() => events.push(id)))
    await Promise.all(together)
    expect(events).toEqual(['commit', 'committed', 'b', 'c'])
  })

  it('is not acknowledged while its commit has yet to come', async () => {
    const { api, connection } = newDatabase()
    let acknowledged = false
    const written = api.acceptRequest(requestOf('a')).then(() => {
      acknowledged = true
    })
    // Every microtask of this turn of the event loop has run by then.
    await new Promise((resolve) => process.nextTick(resolve))
    await Promise.resolve()
    expect([acknowledged, connection.prepare('SELECT count(*) FROM requests').pluck().get()]).toEqual([false, 0])
    await written
    await turnOfTheEventLoop()
    expect(acknowledged).toBe(true)
  })
})

describe('a process that is killed at a crash point', () => {
  async function crash(point: string): Promise<{ path: string; told: unknown[]; signal: unknown }> {
    const path = join(temporaryFolder(), 'parley.db')
    const entry = fileURLToPath(new URL('../support/database-crash.ts', import.meta.url))
    const child = fork(entry, [path], { env: { ...process.env, PARLEY_CRASH_AT: point }, stdio: 'inherit' })
    const told: unknown[] = []
    child.on('message', (message) => told.push(message))
    const [, signal] = await once(child, 'exit')
    return { path, told, signal }
  }

  function content(path: string): unknown[] {
    const reader = new Database(path, { readonly: true })
    try {
      const requests = reader.prepare('SELECT id, status FROM requests ORDER BY admission').raw()
      const counts = reader.prepare('SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM outbox)').raw()
      return [...requests.all(), counts.get()]
    } finally {
      reader.close()
    }
  }

  const waiting = ['a', 'QUEUED']
  it.each([
    ['accept.before', [], [[0, 0]]],
    ['accept.after', [], [waiting, [0, 0]]],
    ['accept.before:2', ['a'], [waiting, [0, 0]]],
    ['answer.before', ['a', 'b'], [waiting, ['b', 'QUEUED'], [0, 0]]],
    [
      'answer.after',
      ['a', 'b'],
      [
        ['a', 'COMPLETED'],
        ['b', 'QUEUED'],
        [2, 1],
      ],
    ],
  ])('%s has told no more than what is stored', async (point, told, stored) => {
    const crashed = await crash(point)
    expect(crashed).toMatchObject({ told, signal: 'SIGKILL' })
    expect(content(crashed.path)).toEqual(stored)
  })
})
