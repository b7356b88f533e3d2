import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { GroupCommit } from '#database/group-commit.ts'
import { ParleyError } from '#domain/errors.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

function newFile(maxBatch?: number) {
  const path = join(temporaryFolder(), 'numbers.db')
  const database = new Database(path, { timeout: 0 })
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE numbers (n INTEGER UNIQUE) STRICT')
  const reader = new Database(path, { readonly: true })
  onTestFinished(() => {
    reader.close()
    database.close()
  })
  const insert = database.prepare('INSERT INTO numbers VALUES (?)')
  const groupCommit = new GroupCommit(database, maxBatch)
  const add = (n: number): Promise<number> => groupCommit.write(() => insert.run(n).changes)
  const count = reader.prepare('SELECT count(*) FROM numbers').pluck()
  return { path, database, groupCommit, add, countSeenByOthers: () => count.get() }
}

const codeOf = (error: unknown): unknown => (error instanceof ParleyError ? error.code : error)

describe('group commit', () => {
  it('puts the writes of one tick into one commit', async () => {
    const { add, groupCommit } = newFile()
    await Promise.all(Array.from({ length: 100 }, (_, n) => add(n)))
    expect(groupCommit.counters).toEqual({ writes: 100, commits: 1, failed: 0, largestBatch: 100 })
  })

  it('never puts more than the largest batch into one commit', async () => {
    const { add, groupCommit } = newFile(30)
    await Promise.all(Array.from({ length: 100 }, (_, n) => add(n)))
    expect(groupCommit.counters).toEqual({ writes: 100, commits: 4, failed: 0, largestBatch: 30 })
  })

  it('acknowledges a write only when others can see it', async () => {
    const { add, countSeenByOthers } = newFile(10)
    const seen = await Promise.all(Array.from({ length: 20 }, (_, n) => add(n).then(() => countSeenByOthers())))
    expect(seen).toEqual([...Array(10).fill(10), ...Array(10).fill(20)])
  })

  it('undoes a failing write alone and completely, and stores its neighbours', async () => {
    const { add, database, groupCommit, countSeenByOthers } = newFile()
    const first = add(1)
    const half = groupCommit.write(() => {
      database.exec('INSERT INTO numbers VALUES (100)')
      database.exec('INSERT INTO numbers VALUES (1)')
    })
    const results = await Promise.allSettled([first, half, add(2), add(1)])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(results[1]).toHaveProperty('reason.code', 'DATABASE_FAILED')
    expect(results[1]).toHaveProperty('reason.cause.code', 'SQLITE_CONSTRAINT_UNIQUE')
    expect(countSeenByOthers()).toBe(2)
    expect(groupCommit.counters).toMatchObject({ writes: 4, commits: 1, failed: 2 })
  })

  it('rejects the whole batch when the transaction cannot begin, and works again afterwards', async () => {
    const { path, add, countSeenByOthers } = newFile()
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    const results = await Promise.all([add(1).catch(codeOf), add(2).catch(codeOf)])
    other.exec('ROLLBACK')
    other.close()
    expect(results).toEqual(['DATABASE_FAILED', 'DATABASE_FAILED'])
    await add(3)
    expect(countSeenByOthers()).toBe(1)
  })

  it('rejects the whole batch and undoes it when the commit fails', async () => {
    const { database, add, groupCommit, countSeenByOthers } = newFile()
    // A deferred foreign key is checked by the commit, not by the write.
    database.pragma('foreign_keys = ON')
    database.exec(`CREATE TABLE links (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED) STRICT`)
    const bad = groupCommit.write(() => database.exec('INSERT INTO links VALUES (77)'))
    const results = await Promise.all([add(1).catch(codeOf), bad.catch(codeOf)])
    expect(results).toEqual(['DATABASE_FAILED', 'DATABASE_FAILED'])
    expect(database.inTransaction).toBe(false)
    expect(await add(3)).toBe(1)
    expect(countSeenByOthers()).toBe(1)
  })

  it('rejects the whole batch when a write ends the transaction', async () => {
    const { database, add, groupCommit, countSeenByOthers } = newFile()
    const fatal = groupCommit.write(() => {
      database.exec('ROLLBACK')
      throw new Error('the disk is full')
    })
    const failure = { code: 'DATABASE_FAILED', cause: { message: 'the disk is full' } }
    const results = await Promise.allSettled([fatal, add(1), add(2)])
    expect(results).toMatchObject([{ reason: failure }, { reason: failure }, { reason: failure }])
    expect(countSeenByOthers()).toBe(0)
  })

  it('commits what waits when it is flushed', () => {
    const { add, groupCommit, countSeenByOthers } = newFile(2)
    const writes = [add(1), add(2), add(3)]
    groupCommit.flush()
    expect(countSeenByOthers()).toBe(3)
    return Promise.all(writes)
  })
})
