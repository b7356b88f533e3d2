import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WriteAheadLogWatch } from '#database/write-ahead-log.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

interface Disk {
  readonly connection: Database.Database
  readonly path: string
}

/** Each makes the disk fail, and returns what mends it. */
const TROUBLES: Record<
  string,
  { readonly code: string; readonly skip?: boolean; readonly begin: (disk: Disk) => () => void }
> = {
  'is full': {
    code: 'SQLITE_FULL',
    begin: ({ connection }) => {
      connection.pragma(`max_page_count = ${Number(connection.pragma('page_count', { simple: true }))}`)
      return () => void connection.pragma('max_page_count = 1000000')
    },
  },
  'is read-only': {
    code: 'SQLITE_READONLY',
    begin: ({ connection }) => {
      connection.pragma('query_only = 1')
      return () => void connection.pragma('query_only = 0')
    },
  },
  // The system refuses to let any file of this process grow further: write(2) fails.
  'has an I/O error': {
    code: 'SQLITE_IOERR_WRITE',
    skip: !existsSync('/usr/bin/prlimit'),
    begin: ({ path }) => {
      const limit = (bytes: number | 'unlimited') =>
        execFileSync('/usr/bin/prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:unlimited`])
      onTestFinished(() => void limit('unlimited'))
      limit(statSync(`${path}-wal`).size)
      return () => void limit('unlimited')
    },
  },
}

describe.each(Object.entries(TROUBLES))('when the disk %s', (_, { code, skip, begin }) => {
  it.skipIf(skip)('every caller is told, nothing half is stored, and all goes on once it is mended', async () => {
    const { api, connection, path, rows, messages } = newDatabase()
    await api.acceptRequest(requestOf('before'))
    const mend = begin({ connection, path })
    const long = 'x'.repeat(20_000)
    const batch = [
      api.acceptRequest(requestOf('a', { message: long })),
      api.saveTurn(turnOf(requestOf('before', { message: long }), { answer: long })),
      api.acceptRequest(requestOf('b', { message: long })),
    ]
    const failed = { status: 'rejected', reason: { code: 'DATABASE_FAILED', cause: { code } } }
    expect(await Promise.allSettled(batch)).toMatchObject([failed, failed, failed])
    expect(connection.inTransaction).toBe(false)
    await expect(api.acceptRequest(requestOf('c', { message: long }))).rejects.toMatchObject({ cause: { code } })
    await expect(api.probe()).rejects.toMatchObject({ cause: { code } })
    expect(await api.history(requestOf('before'), 10)).toEqual([])
    mend()
    expect(await api.probe()).toBeUndefined()
    expect(await api.acceptRequest(requestOf('after', { message: long }))).toBe('stored')
    expect(await api.saveTurn(turnOf(requestOf('before', { message: long }), { answer: long }))).toBe('stored')
    expect(rows().map(({ id, status }) => [id, status])).toEqual([
      ['after', 'QUEUED'],
      ['before', 'COMPLETED'],
    ])
    expect(messages()).toHaveLength(2)
    expect((await api.statistics()).failed).toBe(5)
  })
})

describe('a write-ahead log that cannot be brought into the file', () => {
  it('is told once, and once that it is over', async () => {
    const { api, connection, path } = newDatabase()
    const log = new RecordingLog()
    const watch = new WriteAheadLogWatch(connection, log, 200_000)
    let turns = 0
    const grow = async () => {
      for (let n = 0; n < 5; n++) await api.saveTurn(turnOf(requestOf(`${turns++}`, { message: 'x'.repeat(50_000) })))
    }
    const lines = () => log.lines.map(({ level, message }) => [level, message.replace(/:.*/, '')])
    await grow()
    watch.look()
    expect(lines()).toEqual([])
    const reader = new Database(path, { readonly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM requests').get()
    for (let n = 0; n < 3; n++) {
      await grow()
      watch.look()
    }
    expect((await api.statistics()).walBytes).toBeGreaterThan(200_000)
    expect(lines()).toEqual([['warn', 'the write-ahead log grows']])
    reader.close()
    watch.look()
    watch.look()
    expect(lines().slice(1)).toEqual([['info', 'the write-ahead log could be brought into the database again']])
  })
})
