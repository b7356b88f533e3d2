import { describe, expect, it } from 'vitest'
import { verifyDatabase } from '#database/verify.ts'
import type { ConversationRequest } from '#domain/request.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const ADA = { userId: 'ada', serverId: '0' }

/** A conversation of two turns, `a` and `b`. */
async function startWithTurns() {
  const database = newDatabase()
  const { api } = database
  for (const id of ['a', 'b']) await api.saveTurn(turnOf(requestOf(id, ADA)))
  const again = (replaces: string, fields: Partial<ConversationRequest> = {}) =>
    requestOf('c', { ...ADA, message: `question ${replaces}`, replaces, ...fields })
  const texts = async (replaced?: string, limit = 20) =>
    (await api.history(ADA, limit, replaced)).map(({ content }) => content)
  return { ...database, again, texts }
}

describe('an answer that replaces another one', () => {
  it('takes its place in the history, in one transaction, and nothing is left without its other half', async () => {
    const { api, path, texts, again, messages, stored } = await startWithTurns()
    await texts()
    expect(await api.saveTurn(turnOf(again('b'), { answer: 'better' }))).toBe('stored')
    const replaced = ['question a', 'answer a', 'question b', 'better']
    expect(await texts()).toEqual(replaced)
    expect(messages()).toMatchObject(replaced.map((content) => ({ content })))
    expect(stored('b')).toMatchObject({ status: 'COMPLETED', message: '' })
    expect(verifyDatabase(path).checks.filter(({ violations }) => violations > 0)).toEqual([])
    const next = await api.findRequest('c')
    expect(next).toMatchObject({ isNewestTurn: true, request: { replaces: 'b' } })
  })

  it('leaves everything as it was when it cannot be stored', async () => {
    const { api, connection, texts, again, stored } = await startWithTurns()
    const before = await texts()
    connection.exec(`CREATE TRIGGER no_delivery BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END`)
    await expect(api.saveTurn(turnOf(again('b'), { messages: ['x'] }))).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
    })
    expect(await texts()).toEqual(before)
    expect(stored('b')?.message).toBe('question b')
  })

  it('leaves the old one when it fails, or comes too late', async () => {
    const { api, texts, again } = await startWithTurns()
    const before = await texts()
    await api.acceptRequest(again('b'))
    await api.startRequest('c', 1, 1000)
    await api.settleRequest(settlementOf('c', 1))
    expect(await api.saveTurn(turnOf(again('b')))).toBe('stale')
    expect(await texts()).toEqual(before)
  })

  it.each([
    ['the conversation has gone on since', 'a', {}],
    ['it is that of another conversation', 'b', { serverId: '7' }],
    ['it is that of somebody else', 'b', { userId: 'bob' }],
  ])('leaves the old one when %s', async (_, replaces, fields) => {
    const { api, again, messages, stored } = await startWithTurns()
    await api.saveTurn(turnOf(again(replaces, fields)))
    expect(messages()).toHaveLength(6)
    expect(stored(replaces)?.message).toBe(`question ${replaces}`)
  })

  it('is asked for without the old one in its history, which is as long as any other', async () => {
    const { texts } = await startWithTurns()
    for (const isCached of [false, true]) {
      expect([isCached, await texts('b')]).toEqual([isCached, ['question a', 'answer a']])
    }
    expect(await texts('b', 2)).toEqual(['question a', 'answer a'])
    expect(await texts('a', 2)).toEqual(['question b', 'answer b'])
    expect(await texts('a')).toHaveLength(4)
  })

  it('is still to replace it after a restart', async () => {
    const { api, path, again } = await startWithTurns()
    await api.acceptRequest(again('b'))
    await api.startRequest('c', 1, 1000)
    await api.close()
    const next = newDatabase({}, path).api
    expect((await next.recover('discord')).waiting).toMatchObject([{ request: { id: 'c', replaces: 'b' } }])
    await next.startRequest('c', 2, 2000)
    await next.saveTurn(turnOf(again('b'), { attempt: 2, answer: 'better' }))
    const history = await next.history(ADA, 20)
    expect(history.map(({ content }) => content)).toEqual(['question a', 'answer a', 'question b', 'better'])
  })
})
