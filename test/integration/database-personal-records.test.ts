import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verifyDatabase } from '#database/verify.ts'
import { NO_PREFERENCES } from '#domain/preferences.ts'
import { FIRST_ROW, type HistoryCursor, type HistoryPage, type RowCursor } from '#protocol/personal-records.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const ADA = { userId: 'ada', serverId: '0' }

/** A database with turns of Ada in two servers, and one of somebody else between them. */
async function withConversations(turns: number) {
  const database = newDatabase()
  for (let number = 1; number <= turns; number++) {
    await database.api.saveTurn(turnOf(requestOf(`${number}`, ADA)))
    await database.api.saveTurn(turnOf(requestOf(`in 7: ${number}`, { ...ADA, serverId: '7' })))
    await database.api.saveTurn(turnOf(requestOf(`of bob: ${number}`, { userId: 'bob' })))
  }
  return database
}

const textsOf = ({ messages }: HistoryPage) => messages.map(({ content }) => content)

describe('a page of history', () => {
  it('shows the newest messages, and the way to older and back to newer ones', async () => {
    const { api } = await withConversations(3)
    const newest = await api.historyPage(ADA, { type: 'newest' }, 2)
    expect(newest).toMatchObject({ hasOlder: true, hasNewer: false })
    expect(textsOf(newest)).toEqual(['question 3', 'answer 3'])
    const older = await api.historyPage(ADA, { type: 'before', messageId: newest.messages[0]?.id ?? 0 }, 4)
    expect(older).toMatchObject({ hasOlder: false, hasNewer: true })
    expect(textsOf(older)).toEqual(['question 1', 'answer 1', 'question 2', 'answer 2'])
    const back = await api.historyPage(ADA, { type: 'after', messageId: older.messages.at(-1)?.id ?? 0 }, 2)
    expect(back).toEqual(newest)
  })

  it('is the newest one when what it goes on from was deleted, and empty without any message', async () => {
    const { api } = await withConversations(1)
    expect(textsOf(await api.historyPage(ADA, { type: 'before', messageId: 1 }, 9))).toHaveLength(2)
    await api.forget(ADA)
    const nothing = { messages: [], hasOlder: false, hasNewer: false }
    expect(await api.historyPage(ADA, { type: 'after', messageId: 1 }, 9)).toEqual(nothing)
  })

  it('leads through the whole conversation, in both directions, whatever its size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 5 }), async (turns, limit) => {
        const { api } = await withConversations(turns)
        const walk = async (page: HistoryPage, next: (page: HistoryPage) => HistoryCursor | undefined) => {
          const pages = [page]
          for (let cursor = next(page); cursor; ) {
            const found = await api.historyPage(ADA, cursor, limit)
            pages.push(found)
            cursor = next(found)
          }
          return pages
        }
        const down = await walk(await api.historyPage(ADA, { type: 'newest' }, limit), ({ messages, hasOlder }) =>
          hasOlder ? { type: 'before', messageId: messages[0]?.id ?? 0 } : undefined,
        )
        const all = down.toReversed().flatMap(textsOf)
        expect(all).toEqual((await api.history(ADA, 100)).map(({ content }) => content))
        const last = down.at(-1) ?? { messages: [], hasOlder: false, hasNewer: false }
        const up = await walk(last, ({ messages, hasNewer }) =>
          hasNewer ? { type: 'after', messageId: messages.at(-1)?.id ?? 0 } : undefined,
        )
        expect(up.flatMap(textsOf)).toEqual(all)
        await api.close()
      }),
      { numRuns: 10 },
    )
  })
})

describe('an export', () => {
  it('has every request and message of a user, page by page, and nobody else’s', async () => {
    const { api } = await withConversations(3)
    await api.acceptRequest(requestOf('failed', ADA))
    await api.settleRequest(settlementOf('failed', 0))
    const all = async <Row extends RowCursor>(read: (after: RowCursor) => Promise<Row[]>) => {
      const rows: Row[] = []
      for (let page = await read(FIRST_ROW); page.length > 0; page = await read(page.at(-1) ?? FIRST_ROW)) {
        rows.push(...page)
      }
      return rows
    }
    const requests = await all(({ serverId, row }) => api.exportRequests('ada', { serverId, row }, 2))
    expect(requests.map(({ id }) => id)).toEqual(['1', '2', '3', 'failed', 'in 7: 1', 'in 7: 2', 'in 7: 3'])
    expect(requests[3]).toMatchObject({
      directServerName: null,
      status: 'FAILED',
      errorCode: 'MODEL_FAILED',
      message: 'question failed',
    })
    const messages = await all(({ serverId, row }) => api.exportMessages('ada', { serverId, row }, 5))
    expect(messages).toHaveLength(12)
    expect(messages[1]).toMatchObject({ role: 'assistant', content: 'answer 1', model: 'a-model', promptTokens: 12 })
    expect(messages.at(-1)).toMatchObject({ serverId: '7', content: 'answer in 7: 3' })
  })

  it('has what is still to be delivered to a user', async () => {
    const { api } = newDatabase()
    const files = [{ name: 'answer.md', text: 'all' }]
    await api.saveTurn(turnOf(requestOf('a', ADA), { messages: ['one', 'two'], files }))
    await api.saveTurn(turnOf(requestOf('b', { userId: 'bob' }), { messages: ['other'], files }))
    expect(await api.undeliveredOf('ada')).toEqual([
      { requestId: 'a', file: null, text: 'one' },
      { requestId: 'a', file: null, text: 'two' },
      { requestId: 'a', file: 'answer.md', text: 'all' },
    ])
    await api.markDelivered('a', ['1', '2'])
    expect(await api.undeliveredOf('ada')).toEqual([])
  })

  it('has the direct conversations of a user', async () => {
    const { api } = newDatabase()
    await api.markRead({ channelId: '10', userId: 'ada', lastMessageId: '1' })
    await api.markRead({ channelId: '11', userId: 'bob', lastMessageId: '2' })
    expect(await api.directChannelsOf('ada')).toEqual([{ channelId: '10', userId: 'ada', lastMessageId: '1' }])
  })
})

describe('forgetting everything', () => {
  it('takes all conversations of a user, and leaves the others alone', async () => {
    const { api, stored, path } = await withConversations(2)
    expect(await api.history(ADA, 100)).toHaveLength(4)
    expect(await api.forget({ userId: 'ada', serverId: null })).toBe(8)
    expect(await api.history(ADA, 100)).toEqual([])
    expect(await api.history({ ...ADA, serverId: '7' }, 100)).toEqual([])
    expect(await api.history({ userId: 'bob', serverId: '0' }, 100)).toHaveLength(4)
    expect([stored('1')?.message, stored('in 7: 2')?.message, stored('of bob: 1')?.message]).toEqual([
      '',
      '',
      'question of bob: 1',
    ])
    expect(verifyDatabase(path).checks.filter(({ violations }) => violations > 0)).toEqual([])
  })

  it('takes the direct channel and what is still to be delivered, with the token for it', async () => {
    const { api, outbox, stored, path } = newDatabase()
    await api.markRead({ channelId: '10', userId: 'ada', lastMessageId: '1' })
    await api.acceptRequest(requestOf('a', { ...ADA, interactionToken: 'a token' }))
    await api.settleRequest(settlementOf('a', 0, { messages: ['sorry'] }))
    await api.saveTurn(turnOf(requestOf('b', { userId: 'bob' }), { messages: ['because'] }))
    await api.forget({ userId: 'ada', serverId: null })
    expect(outbox()).toMatchObject([
      { id: 'a', content: '', state: 'ABANDONED', reason: 'forgotten' },
      { id: 'b', content: 'because', state: 'PENDING' },
    ])
    expect(stored('a')?.interaction_token).toBeNull()
    expect(await api.directChannelsOf('ada')).toEqual([])
    expect(verifyDatabase(path).checks.filter(({ violations }) => violations > 0)).toEqual([])
    await api.markDelivered('a', ['1'])
    expect(outbox()).toMatchObject([{ state: 'ABANDONED' }, { state: 'PENDING' }])
  })

  it('of one conversation leaves the others and the direct channel', async () => {
    const { api } = await withConversations(1)
    await api.markRead({ channelId: '10', userId: 'ada', lastMessageId: '1' })
    expect(await api.forget({ ...ADA, serverId: '7' })).toBe(2)
    expect(await api.history(ADA, 100)).toHaveLength(2)
    expect(await api.directChannelsOf('ada')).toHaveLength(1)
  })
})

describe('what somebody has chosen', () => {
  it('is as for everybody until it is changed, bit by bit', async () => {
    const { api } = newDatabase()
    expect(await api.preferences('ada')).toEqual(NO_PREFERENCES)
    await api.changePreferences('ada', { persona: 'a pirate', reasoning: 'spoiler' })
    expect(await api.changePreferences('ada', { persona: null, directServerId: '7' })).toEqual({
      ...NO_PREFERENCES,
      reasoning: 'spoiler',
      directServerId: '7',
    })
    expect(await api.preferences('ada')).toMatchObject({ reasoning: 'spoiler' })
    expect(await api.preferences('bob')).toEqual(NO_PREFERENCES)
  })

  it('is forgotten with everything, and kept when one conversation is', async () => {
    const { api } = newDatabase()
    await api.changePreferences('ada', { model: 'large' })
    await api.forget(ADA)
    expect(await api.preferences('ada')).toMatchObject({ model: 'large' })
    await api.forget({ userId: 'ada', serverId: null })
    expect(await api.preferences('ada')).toEqual(NO_PREFERENCES)
  })
})
