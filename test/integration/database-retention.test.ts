import { describe, expect, it, onTestFinished } from 'vitest'
import { silentLog } from '#actors/log.ts'
import { startDatabase } from '#database/database-actor.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const OLD = 1_000_000
const YOUNG = 2_000_000
const CUTOFF = 1_500_000

describe('deleting what is too old', () => {
  it('takes finished requests with all that belongs to them, oldest first, and nothing that is still needed', async () => {
    const { api, rows, messages, outbox, connection } = newDatabase()
    const old = (id: string, answeredAt: number) => turnOf(requestOf(id, { timestamp: OLD }), { answeredAt })
    await api.saveTurn({ ...old('delivered', OLD + 1), messages: ['answer'] })
    await api.saveTurn({ ...old('undelivered', OLD), messages: ['answer'] })
    await api.markDelivered('delivered', ['1'])
    await api.saveTurn(old('oldest', OLD))
    await api.saveTurn(old('young', YOUNG))
    for (const id of ['failed', 'waiting', 'running']) await api.acceptRequest(requestOf(id, { timestamp: OLD }))
    await api.settleRequest(settlementOf('failed', 0, { finishedAt: OLD + 2, messages: ['sorry'] }))
    await api.abandonDelivery('failed', 'gone')
    await api.startRequest('running', 1, OLD)
    expect(await api.prune(CUTOFF, 1)).toMatchObject({ requests: 1, messages: 2 })
    expect(rows().map(({ id }) => id)).not.toContain('oldest')
    expect(await api.prune(CUTOFF, 10)).toMatchObject({ requests: 2, messages: 2 })
    expect(await api.prune(CUTOFF, 10)).toMatchObject({ requests: 0, messages: 0 })
    expect(rows().map(({ id }) => id)).toEqual(['running', 'undelivered', 'waiting', 'young'])
    expect(messages()).toHaveLength(4)
    expect(outbox()).toMatchObject([{ id: 'undelivered', state: 'PENDING' }])
    expect(connection.pragma('foreign_key_check')).toEqual([])
    expect((await api.statistics()).pruned).toBe(7)
  })

  it('measures what a step took, up to the end of its commit', async () => {
    const times = [100, 107]
    const { api } = newDatabase({ elapsed: () => times.shift() ?? 0 })
    expect(await api.prune(CUTOFF, 1)).toEqual({ requests: 0, messages: 0, tookMs: 7 })
  })

  it('leaves both messages of a turn or none', async () => {
    const { api, connection, messages } = newDatabase()
    await api.saveTurn(turnOf(requestOf('a', { timestamp: OLD }), { answeredAt: OLD }))
    connection.exec(`CREATE TRIGGER no_deletion BEFORE DELETE ON requests BEGIN SELECT raise(ABORT, 'no'); END`)
    await expect(api.prune(CUTOFF, 1)).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(messages()).toHaveLength(2)
    expect((await api.statistics()).pruned).toBe(0)
  })

  it('is done by the database thread from its start on', async () => {
    const { api, stop } = await start(await fileWithOldTurns(30), 1000 * 60 * 60)
    await api.saveTurn(turnOf(requestOf('young'), { answeredAt: Date.now() }))
    while ((await api.statistics()).pruned < 90);
    expect(await api.history(requestOf('0'), 10)).toEqual([])
    expect(await api.history(requestOf('young'), 10)).toHaveLength(2)
    await stop()
  })

  it('is not done without a retention time', async () => {
    const { api } = await start(await fileWithOldTurns(1), null)
    for (let n = 0; n < 20; n++) await api.probe()
    expect(await api.statistics()).toMatchObject({ pruned: 0 })
    expect(await api.history(requestOf('0'), 10)).toHaveLength(2)
  })
})

async function fileWithOldTurns(count: number): Promise<string> {
  const { path, api } = newDatabase()
  for (let n = 0; n < count; n++) {
    await api.saveTurn(turnOf(requestOf(`${n}`, { timestamp: OLD }), { answeredAt: OLD }))
  }
  await api.close()
  return path
}

async function start(path: string, retentionMs: number | null) {
  const actor = await startDatabase({
    path,
    retentionMs,
    logLevel: 'silent',
    logPretty: false,
    callTimeoutMs: 10_000,
    errorRecoveryDelayMs: 1000,
    log: silentLog,
    onGivenUp: (error) => {
      throw error
    },
  })
  onTestFinished(() => actor.stop())
  return { api: actor.api, stop: () => actor.stop() }
}
