import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BroadcastChannel, postMessageToThread, Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '#actors/log.ts'
import { type DatabaseActor, type DatabaseActorOptions, startDatabase } from '#database/database-actor.ts'
import { connectToDatabase } from '#database/database-client.ts'
import { takeLock } from '#database/lock-file.ts'
import { openDatabase } from '#database/open-database.ts'
import type { ParleyError } from '#domain/errors.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

const RECOVERY_DELAY_MS = 5000

async function start(path: string, options: Partial<DatabaseActorOptions> = {}): Promise<DatabaseActor> {
  const actor = await startDatabase({
    path,
    logLevel: 'silent',
    logPretty: false,
    callTimeoutMs: 10_000,
    errorRecoveryDelayMs: RECOVERY_DELAY_MS,
    log: silentLog,
    onGivenUp: (error) => {
      throw error
    },
    ...options,
  })
  onTestFinished(() => actor.stop())
  return actor
}

function newPath(): string {
  return join(temporaryFolder(), 'parley.db')
}

function storedIds(path: string): unknown[] {
  const reader = new Database(path, { readonly: true })
  try {
    return reader.prepare('SELECT id FROM requests ORDER BY id').pluck().all()
  } finally {
    reader.close()
  }
}

function support(name: string): URL {
  return new URL(`../support/${name}`, import.meta.url)
}

describe('the database thread', () => {
  it('stores a turn and gives it back as history', async () => {
    const { api } = await start(newPath())
    const request = requestOf('a')
    expect(await api.acceptRequest(request)).toBe('stored')
    expect(await api.startRequest('a', 1, 1000)).toBe('stored')
    expect(await api.saveTurn(turnOf(request))).toBe('stored')
    expect((await api.history(request, 10)).map((message) => message.content)).toEqual(['question a', 'answer a'])
  })

  it('puts 100 concurrent writes into few commits', async () => {
    const { api } = await start(newPath())
    await Promise.all(Array.from({ length: 100 }, (_, n) => api.acceptRequest(requestOf(`${n}`))))
    const { writes, commits } = await api.statistics()
    expect(writes).toBe(100)
    expect(commits).toBeLessThanOrEqual(3)
  })

  it('acknowledges a write only once another connection can read it', async () => {
    const path = newPath()
    const { api } = await start(path)
    const reader = new Database(path, { readonly: true })
    onTestFinished(() => void reader.close())
    const find = reader.prepare('SELECT status FROM requests WHERE id = ?').pluck()
    const seen = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await api.acceptRequest(requestOf(`${n}`))
        return find.get(`${n}`)
      }),
    )
    expect(seen).toEqual(Array(50).fill('QUEUED'))
  })

  it('tells a failing write from its neighbours, with code and cause across the threads', async () => {
    const { api } = await start(newPath())
    const conversation = { userId: 'one user' }
    const results = await Promise.allSettled([
      api.acceptRequest(requestOf('a', conversation)),
      api.acceptRequest(requestOf('b', conversation)),
      api.acceptRequest(requestOf('c')),
    ])
    expect(results).toMatchObject([
      { value: 'stored' },
      { reason: { name: 'ParleyError', code: 'DATABASE_FAILED', cause: { code: 'SQLITE_CONSTRAINT_UNIQUE' } } },
      { value: 'stored' },
    ])
  })

  it('serves other threads over ports of their own', async () => {
    const path = newPath()
    const { threadId } = await start(path)
    const worker = new Worker(support('database-client-thread.ts'), { workerData: { databaseThreadId: threadId } })
    const exited = once(worker, 'exit')
    const [result] = await once(worker, 'message')
    expect(result).toEqual({ written: 'stored', contents: ['question from a thread', 'answer from a thread'] })
    await exited
    expect(storedIds(path)).toEqual(['from a thread'])
  })

  it('counts the calls that succeeded and failed', async () => {
    const actor = await start(newPath())
    const conversation = { userId: 'u', serverId: '0' }
    await actor.api.acceptRequest(requestOf('a', conversation))
    await actor.api.history(conversation, 10)
    await Promise.allSettled([actor.api.acceptRequest(requestOf('b', conversation))])
    expect(actor.calls).toEqual({ ok: 2, failed: 1 })
  })
})

describe('starting the database thread', () => {
  it('refuses a file that is no database with its code, and leaves it untouched', async () => {
    const path = newPath()
    writeFileSync(path, 'these are my notes')
    await expect(start(path)).rejects.toMatchObject({ name: 'ParleyError', code: 'DATABASE_NOT_A_DATABASE' })
    expect(readFileSync(path, 'utf8')).toBe('these are my notes')
  })

  it('refuses a file in a folder that cannot be made', async () => {
    const path = newPath()
    writeFileSync(path, '')
    await expect(start(join(path, 'parley.db'))).rejects.toMatchObject({ code: 'DATABASE_NOT_WRITABLE' })
  })

  it('refuses a database that another thread has open, which goes on working', async () => {
    const path = newPath()
    const { api } = await start(path)
    await expect(start(path)).rejects.toMatchObject({ code: 'DATABASE_LOCKED' })
    expect(await api.acceptRequest(requestOf('a'))).toBe('stored')
  })

  it('rejects when the thread dies before it has opened the file', async () => {
    const entry = new URL('data:text/javascript,throw new Error("broken entry")')
    await expect(start(newPath(), { entry })).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('broken entry'),
    })
  })

  it('rejects when the thread does not open the file in time', async () => {
    const clock = new SimulatedClock()
    const channel = new BroadcastChannel('stubborn thread')
    onTestFinished(() => channel.close())
    const ready = new Promise((resolve) => {
      channel.onmessage = resolve
    })
    const entry = support('stubborn-thread.ts')
    const started = start(newPath(), { clock, entry, openTimeoutMs: 1000 })
    const failure = expect(started).rejects.toMatchObject({ code: 'START_FAILED' })
    await ready
    await clock.advance(1000)
    await failure
    channel.postMessage('end')
  })
})

describe('stopping the database thread', () => {
  it('commits what is pending, closes the file and gives up the lock', async () => {
    const path = newPath()
    const actor = await start(path)
    const pending = Promise.all(Array.from({ length: 20 }, (_, n) => actor.api.acceptRequest(requestOf(`${n}`))))
    await actor.stop()
    expect(await pending).toEqual(Array(20).fill('stored'))
    expect(existsSync(`${path}-wal`)).toBe(false)
    const reopened = openDatabase(path)
    expect(reopened.connection.prepare('SELECT count(*) FROM requests').pluck().get()).toBe(20)
    reopened.close()
  })

  it('rejects calls made afterwards, on every connection, and does not start again', async () => {
    const clock = new SimulatedClock()
    const log = new RecordingLog()
    const actor = await start(newPath(), { clock, log })
    const connection = await connectToDatabase(actor.threadId, { callTimeoutMs: 10_000 })
    const { threadId } = actor
    await Promise.all([actor.stop(), actor.stop()])
    await connection.closed
    expect(actor.threadId).toBe(-1)
    expect(clock.pending).toBe(0)
    expect(log.lines).toEqual([])
    const unavailable = { code: 'DATABASE_UNAVAILABLE' }
    await expect(actor.api.statistics()).rejects.toMatchObject(unavailable)
    await expect(connection.api.statistics()).rejects.toMatchObject(unavailable)
    await expect(connectToDatabase(threadId, { callTimeoutMs: 10_000 })).rejects.toMatchObject(unavailable)
  })

  it('does not wait for ever for a thread that does not end', async () => {
    const clock = new SimulatedClock()
    const log = new RecordingLog()
    const actor = await start(newPath(), { clock, log, entry: support('stubborn-database-thread.ts') })
    const channel = new BroadcastChannel('stubborn thread')
    onTestFinished(() => channel.close())
    const connection = await connectToDatabase(actor.threadId, { callTimeoutMs: 10_000 })
    const stopped = actor.stop()
    // The port closes after the answer to `close`; then only the end of the thread is waited for.
    await connection.closed
    await clock.advance(10_000)
    await stopped
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('left behind') })
    channel.postMessage('end')
  })
})

describe('the death of the database thread', () => {
  async function startCrashable(options: Partial<DatabaseActorOptions> = {}) {
    const path = newPath()
    const log = new RecordingLog()
    const clock = new SimulatedClock()
    const givenUp: ParleyError[] = []
    const onGivenUp = (error: ParleyError): void => void givenUp.push(error)
    const entry = support('crashable-database-thread.ts')
    const actor = await start(path, { log, clock, entry, onGivenUp, ...options })
    const crash = async (): Promise<void> => {
      const died = log.next('died')
      await postMessageToThread(actor.threadId, 'crash')
      await died
    }
    const recover = async (): Promise<void> => {
      const running = log.next('running again')
      await clock.advance(RECOVERY_DELAY_MS)
      await running
    }
    return { path, log, clock, givenUp, actor, crash, recover }
  }

  it('is followed by a restart after the delay, with everything that was acknowledged', async () => {
    const { actor, crash, recover, log, clock } = await startCrashable()
    const { threadId } = actor
    await actor.api.saveTurn(turnOf(requestOf('a')))
    await crash()
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { code: 'THREAD_LOST' } })
    expect(actor.threadId).toBe(-1)
    expect(Atomics.load(actor.threadCell, 0)).toBe(-1)
    await clock.advance(RECOVERY_DELAY_MS - 1)
    await expect(actor.api.statistics()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await recover()
    expect(actor.threadId).toBeGreaterThan(threadId)
    expect(Atomics.load(actor.threadCell, 0)).toBe(actor.threadId)
    expect(await actor.api.history(requestOf('a'), 10)).toHaveLength(2)
    expect(await actor.api.acceptRequest(requestOf('b'))).toBe('stored')
  })

  it('ends every open call: what was acknowledged is in the file, the rest is rejected', async () => {
    const { path, actor, crash } = await startCrashable()
    const connection = await connectToDatabase(actor.threadId, { callTimeoutMs: 10_000 })
    const ids = Array.from({ length: 60 }, (_, n) => `${n}`)
    const before = ids.slice(0, 20).map((id) => connection.api.acceptRequest(requestOf(id)))
    const crashed = crash()
    const after = ids.slice(20).map((id) => actor.api.acceptRequest(requestOf(id)))
    const results = await Promise.allSettled([...before, ...after])
    await crashed
    await connection.closed
    const last = await Promise.allSettled([connection.api.acceptRequest(requestOf('x'))])
    expect(last).toMatchObject([{ status: 'rejected' }])
    const stored = new Set(storedIds(path))
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') expect(stored.has(ids[index])).toBe(true)
      else expect(result.reason).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    }
  })

  it('is tried again after the delay when the restart fails', async () => {
    const { path, actor, crash, recover, clock, log } = await startCrashable()
    await crash()
    const lock = takeLock(path)
    const failed = log.next('could not be started again')
    await clock.advance(RECOVERY_DELAY_MS)
    expect(await failed).toMatchObject({ fields: { code: 'DATABASE_LOCKED' } })
    lock.release()
    await recover()
    expect(await actor.api.acceptRequest(requestOf('a'))).toBe('stored')
  })

  it('is given up when it happens too often', async () => {
    const { actor, crash, recover, clock, givenUp } = await startCrashable({ maxRestarts: 2 })
    await crash()
    await recover()
    await crash()
    await recover()
    expect(givenUp).toEqual([])
    await crash()
    expect(givenUp).toMatchObject([{ code: 'RESTART_LIMIT_REACHED', cause: { code: 'THREAD_LOST' } }])
    expect(clock.pending).toBe(0)
    await expect(actor.api.statistics()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  it('is not followed by a restart once the database was stopped', async () => {
    const { actor, crash, clock } = await startCrashable()
    await crash()
    await actor.stop()
    expect(clock.pending).toBe(0)
    expect(actor.threadId).toBe(-1)
  })
})
