import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CACHED_MESSAGES, HistoryCache } from '#database/history-cache.ts'
import type { HistoryMessage } from '#domain/conversation.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

const ANN = { userId: 'ann', serverId: '0' }

/** A database and what its file says of a conversation, past the cache. */
function cachedDatabase(historyCacheBytes = 1_000_000) {
  const database = newDatabase({ historyCacheBytes })
  const { api, connection } = database
  const newest = connection.prepare<[string, string, number], HistoryMessage>(
    `SELECT role, content, timestamp FROM messages WHERE user_id = ? AND server_id = ? ORDER BY id DESC LIMIT ?`,
  )
  const inFile = ({ userId, serverId }: typeof ANN, limit: number) => newest.all(userId, serverId, limit).reverse()
  const cache = async () => (await api.statistics()).historyCache
  return { ...database, inFile, cache }
}

describe('the history cache', () => {
  it('reads a conversation once and then follows what is stored', async () => {
    const { api, inFile, cache } = cachedDatabase()
    await api.saveTurn(turnOf(requestOf('1', ANN)))
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    await api.saveTurn(turnOf(requestOf('2', ANN)))
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    expect(await api.history(ANN, 2)).toEqual(inFile(ANN, 2))
    const { hits, misses, bytes } = await cache()
    expect({ hits, misses }).toEqual({ hits: 2, misses: 1 })
    expect(bytes).toBeGreaterThan(0)
  })

  it('stays as the file is when a turn is rolled back, alone or with its batch', async () => {
    const { api, connection, inFile, cache } = cachedDatabase()
    await api.saveTurn(turnOf(requestOf('1', ANN)))
    await api.history(ANN, 20)
    connection.exec(`CREATE TRIGGER no_delivery BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END`)
    const undone = api.saveTurn(turnOf(requestOf('2', ANN), { messages: ['a reply'] }))
    await expect(undone).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    connection.pragma('query_only = 1')
    await expect(api.saveTurn(turnOf(requestOf('3', ANN)))).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    await expect(api.forget(ANN)).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    connection.pragma('query_only = 0')
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    expect(await api.history(ANN, 20)).toHaveLength(2)
    expect(await cache()).toMatchObject({ hits: 3, misses: 1 })
  })

  it('stays as the file is when a turn comes too late', async () => {
    const { api, inFile } = cachedDatabase()
    const request = requestOf('1', ANN)
    await api.saveTurn(turnOf(request))
    await api.history(ANN, 20)
    expect(await api.saveTurn(turnOf(request, { answer: 'another' }))).toBe('stale')
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    expect(await api.history(ANN, 20)).toHaveLength(2)
  })

  it('stays as the file is when the commit itself fails', async () => {
    const { api, connection, inFile } = cachedDatabase()
    await api.saveTurn(turnOf(requestOf('1', ANN)))
    await api.history(ANN, 20)
    // A deferred foreign key is checked by the commit, not by the write.
    connection.exec(`CREATE TABLE links (id TEXT REFERENCES requests (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
      CREATE TRIGGER broken_link AFTER INSERT ON messages BEGIN INSERT INTO links VALUES ('nowhere'); END`)
    await expect(api.saveTurn(turnOf(requestOf('2', ANN)))).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(await api.history(ANN, 20)).toEqual(inFile(ANN, 20))
    expect(await api.history(ANN, 20)).toHaveLength(2)
  })

  it('forgets what is forgotten, and what retention deletes', async () => {
    const { api } = cachedDatabase()
    const saved = async (id: string) => {
      await api.saveTurn(turnOf(requestOf(id, ANN)))
      return (await api.history(ANN, 20)).length
    }
    expect(await saved('1')).toBe(2)
    await api.forget(ANN)
    expect(await api.history(ANN, 20)).toEqual([])
    expect(await saved('2')).toBe(2)
    await api.prune(Number.MAX_SAFE_INTEGER, 10)
    expect(await api.history(ANN, 20)).toEqual([])
  })

  it('keeps within its bytes, and nothing when it has none', async () => {
    const limited = cachedDatabase(5000)
    for (let n = 0; n < 50; n++) {
      const request = requestOf(`${n}`)
      await limited.api.saveTurn(turnOf(request, { answer: 'x'.repeat(n * 40) }))
      expect(await limited.api.history(request, 20)).toHaveLength(2)
      expect((await limited.cache()).bytes).toBeLessThanOrEqual(5000)
    }
    const none = cachedDatabase(0)
    await none.api.saveTurn(turnOf(requestOf('1', ANN)))
    for (let n = 0; n < 2; n++) expect(await none.api.history(ANN, 20)).toHaveLength(2)
    expect(await none.cache()).toEqual({ bytes: 0, hits: 0, misses: 2 })
  })

  it('gives whoever reads a history of their own', async () => {
    const { api } = cachedDatabase()
    await api.saveTurn(turnOf(requestOf('1', ANN)))
    const first = await api.history(ANN, 20)
    first.length = 0
    expect(await api.history(ANN, 20)).toHaveLength(2)
  })

  it('serves longer histories than it keeps from the file', () => {
    const cache = new HistoryCache(10_000_000)
    const stored: HistoryMessage[] = Array.from({ length: CACHED_MESSAGES + 50 }, (_, n) => ({
      role: n % 2 === 0 ? 'user' : 'assistant',
      content: `${n}`,
      timestamp: n,
    }))
    const read = (limit: number) => cache.newest(ANN, limit, () => stored.slice(-limit))
    expect(read(1000)).toEqual(stored)
    expect(read(1000)).toEqual(stored)
    expect(read(CACHED_MESSAGES)).toEqual(stored.slice(-CACHED_MESSAGES))
    expect(cache.counters).toMatchObject({ hits: 1, misses: 2 })
  })

  const anyStep = fc.record({
    type: fc.constantFrom('save', 'save', 'save', 'replace', 'undone', 'forget', 'prune', 'read', 'read'),
    userId: fc.constantFrom('ann', 'bob', 'cy'),
    limit: fc.integer({ min: 0, max: 9 }),
  })

  it('tells the same as the file after any calls, made at once or one by one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), fc.boolean(), async (steps, atOnce) => {
        const { api, connection, inFile } = cachedDatabase(3000)
        connection.pragma('synchronous = 0')
        connection.exec(`CREATE TRIGGER no_delivery BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END`)
        const perform = async ({ type, userId, limit }: (typeof steps)[number], n: number): Promise<unknown> => {
          const key = { userId, serverId: '0' }
          const request = requestOf(`${n}`, { ...key, timestamp: n * 1000 })
          if (type === 'save') return api.saveTurn(turnOf(request, { answer: 'y'.repeat(limit * 50) }))
          // What it replaces is the newest turn, or not, or nobody's.
          const replacing = { ...request, replaces: `${n - 1 - (limit % 3)}` }
          if (type === 'replace') return api.saveTurn(turnOf(replacing))
          if (type === 'undone') return api.saveTurn(turnOf(request, { messages: ['x'] })).catch(() => undefined)
          if (type === 'forget') return api.forget(key)
          if (type === 'prune') return api.prune(n * 1000, 3)
          // Whole turns only, so an odd limit is the even one below it.
          return expect(await api.history(key, limit)).toEqual(inFile(key, limit - (limit % 2)))
        }
        const running: Promise<unknown>[] = []
        for (const [n, step] of steps.entries()) {
          const call = perform(step, n)
          if (atOnce) running.push(call)
          else await call
        }
        await Promise.all(running)
        for (const userId of ['ann', 'bob', 'cy']) {
          const key = { userId, serverId: '0' }
          expect(await api.history(key, 8)).toEqual(inFile(key, 8))
        }
      }),
      { numRuns: 40 },
    )
  })
})
