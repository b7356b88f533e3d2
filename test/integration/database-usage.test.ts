import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { migrate } from '#database/migrations.ts'
import { DURABLE_QUEUE_SCHEMA, FIRST_SCHEMA } from '#database/schema.ts'
import { UsageRecords } from '#database/usage-records.ts'
import { dayOf } from '#domain/quota.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const NOW = 1_900_000_000_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const usage = (promptTokens: number, completionTokens = 0) => ({ promptTokens, completionTokens })
const ofAda = (id: string, timestamp = NOW) => requestOf(id, { userId: 'ada', timestamp })

describe('used tokens', () => {
  it('are counted by person and day with the turn, and those of everybody together', async () => {
    const { api } = newDatabase()
    await api.saveTurn(turnOf(ofAda('a'), { usage: usage(10, 5), answeredAt: NOW }))
    await api.saveTurn(turnOf(ofAda('b'), { usage: usage(1, 1), answeredAt: NOW + 1 }))
    await api.saveTurn(turnOf(ofAda('yesterday', NOW - DAY_MS), { usage: usage(100), answeredAt: NOW - DAY_MS }))
    await api.saveTurn(turnOf(ofAda('unknown'), { usage: null, answeredAt: NOW }))
    await api.saveTurn(turnOf(requestOf('c', { userId: 'bob' }), { usage: usage(7), answeredAt: NOW }))
    expect(await api.quotaUse('ada', NOW, 9)).toMatchObject({ tokensToday: 17, tokensTodayInAll: 24 })
    expect(await api.quotaUse('eve', NOW + DAY_MS, 9)).toMatchObject({ tokensToday: 0, tokensTodayInAll: 0 })
    expect(await api.usageOf('ada')).toEqual([
      { day: dayOf(NOW) - 1, tokens: 100 },
      { day: dayOf(NOW), tokens: 17 },
    ])
  })

  it('are those that were estimated when the model told none, as of an answer that was stopped', async () => {
    const { api } = newDatabase()
    const stopped = { ...ofAda('a'), costEstimate: 700.4 }
    await api.saveTurn(turnOf(stopped, { usage: null, answeredAt: NOW }))
    await api.saveTurn(turnOf({ ...ofAda('b'), costEstimate: 700 }, { usage: usage(1, 1), answeredAt: NOW }))
    expect(await api.quotaUse('ada', NOW, 9)).toMatchObject({ tokensToday: 702 })
  })

  it('are not counted twice, and not at all when the turn is not stored', async () => {
    const { api, connection } = newDatabase()
    const turn = turnOf(ofAda('a'), { usage: usage(10), answeredAt: NOW, messages: ['answer'] })
    connection.exec(`CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'broken'); END`)
    await expect(api.saveTurn(turn)).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(await api.quotaUse('ada', NOW, 9)).toMatchObject({ tokensToday: 0 })
    connection.exec('DROP TRIGGER broken')
    expect([await api.saveTurn(turn), await api.saveTurn(turn)]).toEqual(['stored', 'stale'])
    expect(await api.quotaUse('ada', NOW, 9)).toMatchObject({ tokensToday: 10 })
  })

  it('stay counted when everything is forgotten, and go with what is older than the retention', async () => {
    const { api } = newDatabase()
    await api.saveTurn(turnOf(ofAda('a'), { usage: usage(10), answeredAt: NOW }))
    await api.forget({ userId: 'ada', serverId: null })
    expect(await api.quotaUse('ada', NOW, 9)).toEqual({ requestTimes: [NOW], tokensToday: 10, tokensTodayInAll: 10 })
    await api.prune(NOW + 1, 10)
    expect(await api.usageOf('ada')).toHaveLength(1)
    await api.prune(NOW + DAY_MS, 10)
    expect(await api.usageOf('ada')).toEqual([])
  })

  it('of turns that an older Parley stored are counted, too', () => {
    const database = new Database(':memory:')
    migrate(database, [FIRST_SCHEMA, DURABLE_QUEUE_SCHEMA])
    database.exec(`INSERT INTO requests (id, user_id, server_id, channel_id, message, timestamp, priority, status,
        finished_at) VALUES ('a', 'ada', '0', 'c', 'why?', ${NOW}, 0, 'COMPLETED', ${NOW});
      INSERT INTO messages (request_id, user_id, server_id, role, content, timestamp, prompt_tokens, completion_tokens)
        VALUES ('a', 'ada', '0', 'user', 'why?', ${NOW}, NULL, NULL), ('a', 'ada', '0', 'assistant', 'so', ${NOW}, 3, 4)`)
    migrate(database)
    expect(new UsageRecords(database).quotaUse('ada', NOW, 9)).toMatchObject({ tokensToday: 7, tokensTodayInAll: 7 })
    database.close()
  })
})

describe('the requests of an hour', () => {
  it('are those of one person, however they ended, the newest first, and no more than are asked for', async () => {
    const { api } = newDatabase()
    for (const [id, at] of Object.entries({ old: NOW - HOUR_MS, a: NOW - HOUR_MS + 1, b: NOW - 5 })) {
      await api.saveTurn(turnOf(ofAda(id, at)))
    }
    await api.acceptRequest(ofAda('failed', NOW - 3))
    await api.settleRequest(settlementOf('failed', 0))
    await api.acceptRequest(ofAda('waiting', NOW - 1))
    await api.acceptRequest(requestOf('of bob', { userId: 'bob', timestamp: NOW }))
    const times = [NOW - 1, NOW - 3, NOW - 5, NOW - HOUR_MS + 1]
    expect(await api.quotaUse('ada', NOW, 9)).toMatchObject({ requestTimes: times })
    expect(await api.quotaUse('ada', NOW, 2)).toMatchObject({ requestTimes: times.slice(0, 2) })
  })

  it('are found without reading what was ever stored', async () => {
    const { connection } = newDatabase()
    const plan = connection
      .prepare<[], { detail: string }>(
        `EXPLAIN QUERY PLAN SELECT timestamp FROM requests WHERE user_id = 'a' AND timestamp > 1 ORDER BY timestamp DESC`,
      )
      .all()
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('COVERING INDEX requests_user_time')])
  })
})
