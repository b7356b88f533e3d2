import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '#database/open-database.ts'
import { type ConversationRequest, isTerminal, mayFollow } from '#domain/request.ts'
import type { DatabaseApi, Turn } from '#protocol/database.ts'
import { newDatabase, type StoredRequest } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const CONVERSATION = { userId: 'one user', serverId: '0' }

describe('accepting a request', () => {
  it('stores every field as QUEUED, attempt 0', async () => {
    const { api, stored } = newDatabase()
    const request = requestOf('a', { tier: 'gold', shareStart: 3 })
    expect(await api.acceptRequest(request)).toBe('stored')
    expect(stored('a')).toEqual({
      id: 'a',
      user_id: request.userId,
      server_id: '0',
      channel_id: 'channel',
      message: 'question a',
      timestamp: 1_900_000_000_000,
      discord_message_id: 'message of a',
      priority: 0,
      tier: 'gold',
      share_start: 3,
      share_weight: 1,
      cost_estimate: 0,
      not_before: null,
      replaces: null,
      direct_server_name: null,
      status: 'QUEUED',
      attempt: 0,
      status_message_id: null,
      started_at: null,
      finished_at: null,
      error_code: null,
      admission: 1,
      interaction_token: null,
    })
  })

  it('stores nothing for a Discord message that was taken in before', async () => {
    const { api, rows } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    const again = requestOf('b', { discordMessageId: 'message of a' })
    expect(await api.acceptRequest(again)).toBe('duplicate')
    expect(rows().map((row) => row.id)).toEqual(['a'])
  })

  it('takes any number of requests without a Discord message', async () => {
    const { api, rows } = newDatabase()
    for (const id of ['a', 'b']) await api.acceptRequest(requestOf(id, { discordMessageId: null }))
    expect(rows()).toHaveLength(2)
  })

  it('rejects a second active request of a user, and takes it once the first has ended', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(requestOf('a', CONVERSATION))
    const second = requestOf('b', CONVERSATION)
    await expect(api.acceptRequest(second)).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      cause: { code: 'SQLITE_CONSTRAINT_UNIQUE' },
    })
    await api.settleRequest(settlementOf('a', 0, { status: 'CANCELLED' }))
    expect(await api.acceptRequest(second)).toBe('stored')
  })
})

describe('the attempt fence', () => {
  it('lets an attempt begin, and a newer one after it, but no older one', async () => {
    const { api, stored } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    expect(await api.startRequest('a', 1, 1000)).toBe('stored')
    expect(stored('a')).toMatchObject({ status: 'PROCESSING', attempt: 1, started_at: 1000 })
    expect(await api.startRequest('a', 2, 2000)).toBe('stored')
    expect(await api.startRequest('a', 1, 3000)).toBe('stale')
    expect(await api.startRequest('a', 2, 3000)).toBe('stale')
    expect(stored('a')).toMatchObject({ status: 'PROCESSING', attempt: 2, started_at: 2000 })
  })

  it('puts a running attempt back in line, keeping the number of executions begun', async () => {
    const { api, stored } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    await api.startRequest('a', 1, 1000)
    expect(await api.requeueRequest('a', 1)).toEqual({ type: 'requeued' })
    expect(stored('a')).toMatchObject({ status: 'QUEUED', attempt: 1 })
    expect(await api.startRequest('a', 1, 1500)).toBe('stale')
    await api.startRequest('a', 2, 2000)
    expect(await api.requeueRequest('a', 1)).toEqual({ type: 'stale' })
    expect(stored('a')).toMatchObject({ status: 'PROCESSING', attempt: 2 })
  })

  it('does not count an attempt that only the end of Parley has ended', async () => {
    const { api, stored } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    await api.startRequest('a', 1, 1000)
    expect(await api.requeueRequest('a', 1, false)).toEqual({ type: 'requeued' })
    expect(stored('a')).toMatchObject({ status: 'QUEUED', attempt: 0 })
    expect(await api.startRequest('a', 1, 2000)).toBe('stored')
  })

  it('hands back the answer when the lost worker had stored it', async () => {
    const { api, stored } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.startRequest('a', 1, 1000)
    await api.saveTurn(turnOf(request))
    const usage = { promptTokens: 12, completionTokens: 34 }
    const answered = { type: 'answered', answer: 'answer a', model: 'a-model', usage }
    expect(await api.requeueRequest('a', 1)).toEqual(answered)
    expect(stored('a')?.status).toBe('COMPLETED')
  })

  it('takes the right to write from an attempt that went back in line, also when its start was not written', async () => {
    const { api, stored, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    expect(await api.requeueRequest('a', 1)).toEqual({ type: 'requeued' })
    expect(await api.saveTurn(turnOf(request, { attempt: 1 }))).toBe('stale')
    expect(stored('a')).toMatchObject({ status: 'QUEUED', attempt: 1 })
    expect(messages()).toEqual([])
    expect(await api.saveTurn(turnOf(request, { attempt: 2 }))).toBe('stored')
  })

  it('lets a request run again whose acceptance could not be stored', async () => {
    const { api, rows } = newDatabase()
    expect(await api.requeueRequest('unknown', 1)).toEqual({ type: 'requeued' })
    expect(rows()).toEqual([])
  })

  it('changes nothing when an older attempt ends a request', async () => {
    const { api, stored, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.startRequest('a', 2, 1000)
    expect(await api.settleRequest(settlementOf('a', 1))).toBe('stale')
    expect(await api.saveTurn(turnOf(request, { attempt: 1 }))).toBe('stale')
    expect(stored('a')).toMatchObject({ status: 'PROCESSING', attempt: 2 })
    expect(messages()).toEqual([])
  })

  it.each(['FAILED', 'CANCELLED'] as const)('changes nothing once a request is %s', async (status) => {
    const { api, stored, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.settleRequest(settlementOf('a', 0, { status }))
    const before = stored('a')
    expect(await api.startRequest('a', 9, 1)).toBe('stale')
    expect(await api.requeueRequest('a', 9)).toEqual({ type: 'stale' })
    expect(await api.settleRequest(settlementOf('a', 9))).toBe('stale')
    expect(await api.saveTurn(turnOf(request, { attempt: 9 }))).toBe('stale')
    expect(stored('a')).toEqual(before)
    expect(messages()).toEqual([])
  })

  it('keeps the first answer only', async () => {
    const { api, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    expect(await api.saveTurn(turnOf(request))).toBe('stored')
    expect(await api.saveTurn(turnOf(request, { attempt: 2, answer: 'another' }))).toBe('stale')
    expect(messages()).toHaveLength(2)
  })
})

describe('saving a turn', () => {
  it('stores both messages and COMPLETED together', async () => {
    const { api, connection, stored } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.startRequest('a', 1, 1000)
    await api.saveTurn(turnOf(request))
    expect(stored('a')).toMatchObject({ status: 'COMPLETED', attempt: 1, finished_at: request.timestamp + 5000 })
    expect(connection.prepare('SELECT * FROM messages ORDER BY id').all()).toMatchObject([
      { request_id: 'a', role: 'user', content: 'question a', timestamp: request.timestamp, model: null },
      {
        role: 'assistant',
        content: 'answer a',
        timestamp: request.timestamp + 5000,
        model: 'a-model',
        prompt_tokens: 12,
        completion_tokens: 34,
      },
    ])
  })

  it('adds the request when accepting it had failed', async () => {
    const { api, stored, messages } = newDatabase()
    expect(await api.saveTurn(turnOf(requestOf('a'), { attempt: 2, usage: null }))).toBe('stored')
    expect(stored('a')).toMatchObject({ status: 'COMPLETED', attempt: 2, message: 'question a' })
    expect(messages()).toHaveLength(2)
  })

  it('stores neither message nor status when one of the messages fails', async () => {
    const { api, connection, stored, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    connection.exec(`CREATE TRIGGER no_answers BEFORE INSERT ON messages WHEN new.role = 'assistant'
      BEGIN SELECT raise(ABORT, 'no answers today'); END`)
    const saved = api.saveTurn(turnOf(request))
    const neighbour = api.acceptRequest(requestOf('b'))
    await expect(saved).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      message: expect.stringContaining('no answers'),
    })
    expect(await neighbour).toBe('stored')
    expect(stored('a')?.status).toBe('QUEUED')
    expect(messages()).toEqual([])
  })

  it('remembers the status message of a request', async () => {
    const { api, stored } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    await api.setStatusMessage('a', '4711')
    expect(stored('a')).toMatchObject({ status_message_id: '4711', status: 'QUEUED' })
  })
})

describe('history', () => {
  async function withTurns(count: number) {
    const database = newDatabase()
    for (let n = 1; n <= count; n++) await database.api.saveTurn(turnOf(requestOf(`${n}`, CONVERSATION)))
    return database
  }

  it('returns the newest messages, oldest first', async () => {
    const { api } = await withTurns(5)
    expect(await api.history(CONVERSATION, 4)).toEqual([
      { role: 'user', content: 'question 4', timestamp: expect.any(Number) },
      { role: 'assistant', content: 'answer 4', timestamp: expect.any(Number) },
      { role: 'user', content: 'question 5', timestamp: expect.any(Number) },
      { role: 'assistant', content: 'answer 5', timestamp: expect.any(Number) },
    ])
  })

  it('never returns half a turn, whatever the limit', async () => {
    const { api } = await withTurns(3)
    const lengths: number[] = []
    for (const limit of [-1, 0, 1, 2, 3, 4, 5, 6, 7, 2.5]) {
      const history = await api.history(CONVERSATION, limit)
      expect(history[0]?.role ?? 'user').toBe('user')
      lengths.push(history.length)
    }
    expect(lengths).toEqual([0, 0, 0, 2, 2, 4, 4, 6, 6, 2])
  })

  it('never mixes users or servers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ userId: fc.constantFrom('1', '2', '12'), serverId: fc.constantFrom('0', '2', '20') })),
        async (keys) => {
          const { api } = newDatabase()
          await Promise.all(keys.map((key, n) => api.saveTurn(turnOf(requestOf(`${n}`, key)))))
          for (const userId of ['1', '2', '12']) {
            for (const serverId of ['0', '2', '20']) {
              const own = keys.flatMap((key, n) => (key.userId === userId && key.serverId === serverId ? [n] : []))
              const history = await api.history({ userId, serverId }, 1000)
              expect(history.map((message) => message.content)).toEqual(
                own.flatMap((n) => [`question ${n}`, `answer ${n}`]),
              )
            }
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  it('forgets one conversation: its messages, and the texts of its finished requests', async () => {
    const { api, stored, rows } = await withTurns(2)
    const failed = requestOf('failed', CONVERSATION)
    await api.acceptRequest(failed)
    await api.settleRequest(settlementOf('failed', 0))
    await api.acceptRequest(requestOf('running', CONVERSATION))
    await api.saveTurn(turnOf(requestOf('elsewhere', { ...CONVERSATION, serverId: '7' })))
    expect(await api.forget(CONVERSATION)).toBe(4)
    expect(await api.history(CONVERSATION, 100)).toEqual([])
    expect(await api.history({ ...CONVERSATION, serverId: '7' }, 100)).toHaveLength(2)
    expect(['1', '2', 'failed'].map((id) => stored(id)?.message)).toEqual(['', '', ''])
    expect(stored('running')?.message).toBe('question running')
    expect(stored('elsewhere')?.message).toBe('question elsewhere')
    expect(rows()).toHaveLength(5)
    expect(await api.requeueRequest('1', 1)).toEqual({ type: 'stale' })
  })

  it('leaves nothing of a forgotten text in the file', async () => {
    const { path, api } = newDatabase()
    await api.saveTurn(turnOf(requestOf('a', { ...CONVERSATION, message: 'a secret question' })))
    await api.forget(CONVERSATION)
    await api.close()
    expect(readFileSync(path).includes('secret')).toBe(false)
    expect(readFileSync(path).includes('answer a')).toBe(false)
  })
})

describe('leftovers of an earlier process', () => {
  it('end as FAILED with REQUEST_INTERRUPTED, and finished requests stay as they are', async () => {
    const { api, rows } = newDatabase()
    for (const id of ['queued', 'running', 'failed']) await api.acceptRequest(requestOf(id))
    await api.startRequest('running', 1, 1000)
    await api.settleRequest(settlementOf('failed', 0))
    await api.saveTurn(turnOf(requestOf('done')))
    expect(await api.interruptLeftovers('discord', 5000)).toBe(2)
    expect(await api.interruptLeftovers('discord', 6000)).toBe(0)
    expect(rows()).toMatchObject([
      { id: 'done', status: 'COMPLETED' },
      { id: 'failed', status: 'FAILED', error_code: 'MODEL_FAILED' },
      { id: 'queued', status: 'FAILED', error_code: 'REQUEST_INTERRUPTED', finished_at: 5000 },
      { id: 'running', status: 'FAILED', error_code: 'REQUEST_INTERRUPTED', finished_at: 5000 },
    ])
  })
})

describe('errors and statistics', () => {
  it('turns every error into DATABASE_FAILED with its cause, counts it and goes on', async () => {
    const { api, connection } = newDatabase()
    const broken = { ...requestOf('a'), message: null } as unknown as ConversationRequest
    await expect(api.acceptRequest(broken)).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
      cause: { code: 'SQLITE_CONSTRAINT_NOTNULL' },
    })
    connection.exec('ALTER TABLE messages RENAME TO hidden')
    await expect(api.history(CONVERSATION, 10)).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    connection.exec('ALTER TABLE hidden RENAME TO messages')
    expect(await api.history(CONVERSATION, 10)).toEqual([])
    expect(await api.acceptRequest(requestOf('a'))).toBe('stored')
    const statistics = await api.statistics()
    expect(statistics).toMatchObject({ reads: 2, writes: 2, failed: 2, commits: 2, largestBatch: 1, pruned: 0 })
    expect(statistics.walBytes).toBeGreaterThan(0)
  })

  it('commits what is pending when it closes, and rejects what comes later', async () => {
    const { path, api } = newDatabase()
    const pending = api.acceptRequest(requestOf('a'))
    const closed = api.close()
    await expect(api.acceptRequest(requestOf('b'))).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(api.history(CONVERSATION, 1)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(await pending).toBe('stored')
    await closed
    const reopened = openDatabase(path)
    expect(reopened.connection.prepare('SELECT id FROM requests').pluck().all()).toEqual(['a'])
    reopened.close()
  })
})

type Step =
  | { readonly type: 'accept' | 'interrupt' | 'forget' }
  | { readonly type: 'start' | 'requeue' | 'save' | 'fail' | 'cancel'; readonly attempt: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constantFrom('accept', 'interrupt', 'forget') }),
  fc.record({
    type: fc.constantFrom('start', 'requeue', 'save', 'fail', 'cancel'),
    attempt: fc.integer({ min: 0, max: 3 }),
  }),
)

const anySteps = fc.array(fc.tuple(fc.constantFrom('a', 'b'), anyStep), { maxLength: 20 })

async function perform(api: DatabaseApi, id: string, step: Step): Promise<unknown> {
  const request = requestOf(id)
  switch (step.type) {
    case 'accept':
      return api.acceptRequest(request)
    case 'start':
      return api.startRequest(id, step.attempt, 1000)
    case 'requeue':
      return (await api.requeueRequest(id, step.attempt)).type
    case 'save':
      return api.saveTurn(turnOf(request, { attempt: step.attempt } satisfies Partial<Turn>))
    case 'fail':
      return api.settleRequest(settlementOf(id, step.attempt, { status: 'FAILED' }))
    case 'cancel':
      return api.settleRequest(settlementOf(id, step.attempt, { status: 'CANCELLED' }))
    case 'interrupt':
      return api.interruptLeftovers('discord', 2000)
    case 'forget':
      return api.forget(request)
  }
}

/** What a step has to do to a request, said a second time and without a database. */
function expectedAfter(state: Pick<StoredRequest, 'status' | 'attempt'> | undefined, step: Step) {
  if (state === undefined) {
    if (step.type === 'accept') return { status: 'QUEUED', attempt: 0 }
    return step.type === 'save' ? { status: 'COMPLETED', attempt: step.attempt } : undefined
  }
  if (isTerminal(state.status)) return state
  const [isNewer, isCurrent] = 'attempt' in step ? [step.attempt > state.attempt, step.attempt >= state.attempt] : []
  switch (step.type) {
    case 'start':
      return isNewer ? { status: 'PROCESSING', attempt: step.attempt } : state
    case 'save':
      return isNewer || (isCurrent && state.status === 'PROCESSING')
        ? { status: 'COMPLETED', attempt: step.attempt }
        : state
    case 'requeue':
      return isCurrent ? { status: 'QUEUED', attempt: step.attempt } : state
    case 'fail':
      return isCurrent ? { ...state, status: 'FAILED' } : state
    case 'cancel':
      return isCurrent ? { ...state, status: 'CANCELLED' } : state
    case 'interrupt':
      return { ...state, status: 'FAILED' }
    case 'accept':
    case 'forget':
      return state
  }
}

describe('any order of calls', () => {
  it('moves requests as the model says, along the arrows only, with whole turns of completed requests only', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, async (steps) => {
        const { api, connection, stored } = newDatabase()
        for (const [id, step] of steps) {
          const before = stored(id)
          await perform(api, id, step)
          const after = stored(id)
          const picked = after && { status: after.status, attempt: after.attempt }
          expect(picked).toEqual(expectedAfter(before && { status: before.status, attempt: before.attempt }, step))
          if (before !== undefined && after !== undefined && before.status !== after.status) {
            // Saving a queued request passes through PROCESSING.
            expect(mayFollow(before.status, after.status) || step.type === 'save').toBe(true)
          }
        }
        const halves = connection.prepare(`SELECT request_id FROM messages GROUP BY request_id HAVING count(*) <> 2`)
        const strays = connection.prepare(
          `SELECT 1 FROM messages JOIN requests ON requests.id = request_id WHERE status <> 'COMPLETED'`,
        )
        expect([...halves.all(), ...strays.all()]).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})
