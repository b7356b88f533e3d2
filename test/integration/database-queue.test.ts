import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { migrate } from '#database/migrations.ts'
import { prepareOutboxStatements } from '#database/outbox-statements.ts'
import { prepareRequestStatements } from '#database/request-statements.ts'
import { FIRST_SCHEMA } from '#database/schema.ts'
import { CONSOLE_ID, type ConversationRequest } from '#domain/request.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

const ANSWER = ['first part', 'second part']

describe('the outbox', () => {
  it('takes the messages of an answer with the turn, and gives them back until they are delivered', async () => {
    const { api, outbox, stored } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.startRequest('a', 1, 1000)
    await api.setStatusMessage('a', '4711')
    expect(await api.saveTurn(turnOf(request, { messages: ANSWER }))).toBe('stored')
    const undelivered = [{ request, statusMessageId: '4711', status: 'COMPLETED', messages: ANSWER }]
    expect(await api.recover('discord')).toMatchObject({ waiting: [], undelivered, interrupted: 0 })
    await api.markDelivered('a', ['4711', '4712'])
    expect(await api.recover('discord')).toMatchObject({ undelivered: [] })
    expect(stored('a')?.status).toBe('COMPLETED')
    const delivered = { id: 'a', content: '', state: 'DELIVERED', reason: null }
    expect(outbox()).toEqual([
      { ...delivered, part: 0, messageId: '4711' },
      { ...delivered, part: 1, messageId: '4712' },
    ])
  })

  it('takes the notice of a failure with the end of its request', async () => {
    const { api, outbox } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    expect(await api.settleRequest(settlementOf('a', 0, { messages: ['sorry'] }))).toBe('stored')
    expect(await api.settleRequest(settlementOf('a', 0, { messages: ['sorry again'] }))).toBe('stale')
    expect(outbox()).toMatchObject([{ id: 'a', part: 0, content: 'sorry', state: 'PENDING' }])
  })

  it('records why messages can never be delivered, and keeps none of their text', async () => {
    const { api, outbox } = newDatabase()
    await api.saveTurn(turnOf(requestOf('a'), { messages: ANSWER }))
    await api.abandonDelivery('a', 'the user takes no messages')
    await api.markDelivered('a', ['1', '2'])
    const abandoned = { content: '', state: 'ABANDONED', reason: 'the user takes no messages', messageId: null }
    expect(outbox()).toMatchObject([abandoned, abandoned])
    expect((await api.recover('discord')).undelivered).toEqual([])
  })

  it('knows the ids of as many delivered messages as it was told', async () => {
    const { api, outbox } = newDatabase()
    await api.saveTurn(turnOf(requestOf('a'), { messages: ANSWER }))
    await api.markDelivered('a', ['12345678901234567890'])
    expect(outbox()).toMatchObject([
      { state: 'DELIVERED', messageId: '12345678901234567890' },
      { state: 'DELIVERED', messageId: null },
    ])
  })

  it('takes the files of an answer with its messages, and keeps them no longer than those', async () => {
    const files = [
      { name: 'thinking.md', text: 'hm' },
      { name: 'answer.md', text: 'all of it' },
    ]
    const { api, connection } = newDatabase()
    const kept = () => connection.prepare('SELECT count(*) FROM reply_files').pluck().get()
    const turn = (id: string) => turnOf(requestOf(id), { messages: ANSWER, files })
    for (const id of ['a', 'b', 'c', 'd']) await api.saveTurn(turn(id))
    await api.saveTurn(turnOf(requestOf('in the terminal'), { files }))
    const { undelivered } = await api.recover('discord')
    expect(undelivered.map((reply) => [reply.messages, reply.files])).toEqual(Array(4).fill([ANSWER, files]))
    expect(kept()).toBe(8)
    await api.markDelivered('a', ['1', '2'])
    expect(kept()).toBe(6)
    await api.abandonDelivery('b', 'the user takes no messages')
    expect(kept()).toBe(4)
    await api.forget({ userId: 'user of c', serverId: null })
    expect(kept()).toBe(2)
    await api.forget({ userId: 'user of d', serverId: '7' })
    expect(kept()).toBe(2)
    await api.forget({ userId: 'user of d', serverId: '0' })
    expect(kept()).toBe(0)
  })

  it('gives the answer of a lost worker back as it is to be delivered', async () => {
    const { api } = newDatabase()
    const files = [{ name: 'answer.md', text: 'all of it' }]
    const answered = {
      type: 'answered',
      answer: 'answer a',
      model: 'a-model',
      usage: { promptTokens: 12, completionTokens: 34 },
    }
    await api.saveTurn(turnOf(requestOf('a'), { messages: ANSWER, files }))
    expect(await api.requeueRequest('a', 1)).toEqual({ ...answered, messages: ANSWER, files })
    await api.markDelivered('a', ['1', '2'])
    expect(await api.requeueRequest('a', 1)).toEqual(answered)
  })

  it('takes nothing when the turn is not stored', async () => {
    const { api, connection, outbox, stored, messages } = newDatabase()
    const request = requestOf('a')
    await api.acceptRequest(request)
    await api.startRequest('a', 2, 1000)
    expect(await api.saveTurn(turnOf(request, { attempt: 1, messages: ANSWER }))).toBe('stale')
    connection.exec(`CREATE TRIGGER no_delivery BEFORE INSERT ON outbox WHEN new.part = 1
      BEGIN SELECT raise(ABORT, 'no delivery'); END`)
    const turn = turnOf(request, { attempt: 2, messages: ANSWER })
    await expect(api.saveTurn(turn)).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect([outbox(), messages(), stored('a')?.status]).toEqual([[], [], 'PROCESSING'])
  })

  it('tells undelivered replies oldest first, and none of a conversation that was forgotten', async () => {
    const { api } = newDatabase()
    for (const id of ['b', 'a', 'c']) await api.saveTurn(turnOf(requestOf(id), { messages: [`1 ${id}`, `2 ${id}`] }))
    await api.forget(requestOf('a'))
    const { undelivered } = await api.recover('discord')
    expect(undelivered.map(({ request, messages }) => [request.message, ...messages])).toEqual([
      ['question b', '1 b', '2 b'],
      ['question c', '1 c', '2 c'],
    ])
  })
})

describe('another text for a request that waits', () => {
  it('is stored with its Discord message, which goes with the request', async () => {
    const { api, stored, connection } = newDatabase()
    await api.acceptRequest(requestOf('a'))
    expect(await api.amendRequest('a', 'better', '901')).toBe('stored')
    expect(await api.amendRequest('a', 'best', '901')).toBe('duplicate')
    expect(await api.acceptRequest(requestOf('b', { discordMessageId: '901' }))).toBe('duplicate')
    expect(stored('a')).toMatchObject({ message: 'better', status: 'QUEUED' })
    await api.settleRequest(settlementOf('a', 0))
    expect(await api.amendRequest('a', 'too late', '902')).toBe('stale')
    expect(await api.amendRequest('z', 'unknown', '902')).toBe('stale')
    await api.prune(Number.MAX_SAFE_INTEGER, 10)
    expect(connection.prepare('SELECT count(*) FROM added_messages').pluck().get()).toBe(0)
  })
})

describe('finding a request', () => {
  it('tells it as it stands, and whether its turn is the newest of its conversation', async () => {
    const { api } = newDatabase()
    const [first, second] = [requestOf('a', { userId: 'ann' }), requestOf('b', { userId: 'ann' })]
    expect(await api.findRequest('a')).toBeUndefined()
    await api.acceptRequest(first)
    expect(await api.findRequest('a')).toEqual({ request: first, status: 'QUEUED', isNewestTurn: false })
    await api.startRequest('a', 1, 1000)
    await api.saveTurn(turnOf(first))
    expect(await api.findRequest('a')).toMatchObject({ status: 'COMPLETED', isNewestTurn: true })
    await api.saveTurn(turnOf(second))
    await api.saveTurn(turnOf(requestOf('c', { userId: 'ann', serverId: 'another' })))
    expect(await api.findRequest('a')).toMatchObject({ status: 'COMPLETED', isNewestTurn: false })
    expect(await api.findRequest('b')).toMatchObject({ isNewestTurn: true })
  })
})

describe('recovering after a restart', () => {
  it('puts what was being worked on back in line, in the order of acceptance and with its attempts', async () => {
    const path = join(temporaryFolder(), 'parley.db')
    const before = newDatabase({}, path)
    const requests = ['c', 'a', 'd', 'b'].map((id) => requestOf(id, { interactionToken: `token ${id}` }))
    for (const request of requests) await before.api.acceptRequest(request)
    await before.api.startRequest('a', 2, 1000)
    await before.api.setStatusMessage('a', '4711')
    await before.api.startRequest('d', 1, 1000)
    await before.api.requeueRequest('d', 1)
    await before.api.close()
    const { api, stored } = newDatabase({}, path)
    const attempts = [0, 2, 1, 0]
    const waiting = requests.map((request, index) => ({
      request,
      attempt: attempts[index],
      statusMessageId: request.id === 'a' ? '4711' : null,
    }))
    expect(await api.recover('discord')).toMatchObject({ waiting, undelivered: [], interrupted: 1 })
    expect(await api.recover('discord')).toMatchObject({ waiting, interrupted: 0 })
    expect(stored('a')).toMatchObject({ status: 'QUEUED', attempt: 2 })
    expect(await api.saveTurn(turnOf(requests[1] ?? requestOf('a'), { attempt: 2 }))).toBe('stale')
    expect(await api.startRequest('a', 3, 2000)).toBe('stored')
  })

  it('tells each way to reach people of its own requests only', async () => {
    const { api } = newDatabase()
    const console = { userId: CONSOLE_ID, channelId: CONSOLE_ID, discordMessageId: null }
    await api.saveTurn(turnOf(requestOf('shown', console), { messages: ANSWER }))
    await api.saveTurn(turnOf(requestOf('sent'), { messages: ANSWER }))
    await api.acceptRequest(requestOf('typed', console))
    await api.acceptRequest(requestOf('written'))
    await api.startRequest('typed', 1, 1000)
    await api.startRequest('written', 1, 1000)
    for (const [origin, waiting, undelivered] of [
      ['discord', 'written', 'sent'],
      ['console', 'typed', 'shown'],
    ] as const) {
      expect(await api.recover(origin)).toMatchObject({
        waiting: [{ request: { id: waiting } }],
        undelivered: [{ request: { id: undelivered } }],
        interrupted: 1,
      })
    }
  })

  it('ends the leftovers of one origin without a message', async () => {
    const { api, stored, outbox } = newDatabase()
    await api.acceptRequest(requestOf('typed', { userId: CONSOLE_ID, discordMessageId: null }))
    await api.acceptRequest(requestOf('written'))
    expect(await api.interruptLeftovers('console', 5000)).toBe(1)
    expect(stored('typed')).toMatchObject({ status: 'FAILED', error_code: 'REQUEST_INTERRUPTED', finished_at: 5000 })
    expect(stored('written')?.status).toBe('QUEUED')
    expect(outbox()).toEqual([])
  })

  it('finds what is left to do by index, however much is stored', () => {
    const { connection } = newDatabase()
    const requests = prepareRequestStatements(connection)
    const outbox = prepareOutboxStatements(connection)
    const plan = ({ source }: { source: string }, parameters: object) =>
      JSON.stringify(connection.prepare<[object]>(`EXPLAIN QUERY PLAN ${source}`).all(parameters))
    const origin = { origin: 'discord' }
    expect(plan(requests.waiting, origin)).toContain('requests_active')
    expect(plan(requests.requeueInterrupted, origin)).toContain('requests_active')
    expect(plan(requests.finishedBefore, { finishedBefore: 1, limit: 1 })).toContain('SEARCH requests USING INDEX')
    expect(plan(outbox.pending, origin)).toContain('outbox_pending')
    expect(plan(outbox.pending, origin)).not.toContain('TEMP B-TREE')
    expect(plan(requests.insertQueued, requestOf('a'))).toContain('SEARCH requests USING COVERING INDEX')
  })
})

describe('what could not be stored at once', () => {
  it('is accepted once, although the call is made again because its answer was lost', async () => {
    const { api, rows } = newDatabase()
    const request = requestOf('a')
    expect(await api.acceptRequest(request)).toBe('stored')
    expect(await api.acceptRequest(request)).toBe('stored')
    expect(rows()).toHaveLength(1)
  })

  it('is stored with its answer: request, history, messages and how far the channel was read', async () => {
    const { api, stored, messages, outbox } = newDatabase()
    const request = requestOf('a', { discordMessageId: '100', interactionToken: null })
    await api.acceptRequest(requestOf('an earlier one', { channelId: 'another' }))
    expect(await api.saveTurn(turnOf(request, { attempt: 2, messages: ANSWER }))).toBe('stored')
    expect(stored('a')).toMatchObject({ status: 'COMPLETED', attempt: 2, admission: 2, discord_message_id: '100' })
    expect(messages()).toHaveLength(2)
    expect(outbox()).toMatchObject([{ content: 'first part' }, { content: 'second part' }])
    expect(await api.directChannels(10)).toContainEqual({
      channelId: request.channelId,
      userId: request.userId,
      lastMessageId: '100',
    })
  })

  it('is stored although the user has another request by now, also of the same Discord message', async () => {
    const { api, stored, messages } = newDatabase()
    const first = requestOf('a', { userId: 'one user', discordMessageId: '100' })
    await api.acceptRequest({ ...first, id: 'b' })
    expect(await api.saveTurn(turnOf(first))).toBe('stored')
    expect(stored('a')).toMatchObject({ status: 'COMPLETED', discord_message_id: null })
    expect(stored('b')).toMatchObject({ status: 'QUEUED', discord_message_id: '100' })
    expect(messages()).toHaveLength(2)
  })
})

describe('direct channels', () => {
  const direct = (id: string, fields: Partial<ConversationRequest>) =>
    requestOf(id, { userId: `user of ${id}`, channelId: 'dm', ...fields })

  it('remember the newest message that became a request or was refused, and never move back', async () => {
    const { api } = newDatabase()
    const lastMessageId = async () => (await api.directChannels(1))[0]?.lastMessageId
    await api.acceptRequest(direct('a', { discordMessageId: '99' }))
    expect(await api.directChannels(1)).toEqual([{ channelId: 'dm', userId: 'user of a', lastMessageId: '99' }])
    await api.markRead({ channelId: 'dm', userId: 'user of a', lastMessageId: '101' })
    expect(await lastMessageId()).toBe('101')
    await api.acceptRequest(direct('b', { discordMessageId: '100' }))
    expect(await lastMessageId()).toBe('101')
    await api.markRead({ channelId: 'dm', userId: 'user of a', lastMessageId: '98' })
    expect(await lastMessageId()).toBe('101')
  })

  it('are those of direct messages, whichever server they belong to', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(direct('a', { serverId: '7', directServerName: 'lab', discordMessageId: '99' }))
    expect(await api.directChannels(10)).toEqual([{ channelId: 'dm', userId: 'user of a', lastMessageId: '99' }])
    expect((await api.recover('discord')).waiting).toMatchObject([{ request: { directServerName: 'lab' } }])
  })

  it('are those of direct messages only, not of servers, commands or the terminal', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(requestOf('server', { serverId: '7' }))
    await api.acceptRequest(requestOf('command', { interactionToken: 'secret' }))
    await api.acceptRequest(requestOf('terminal', { userId: CONSOLE_ID, discordMessageId: null }))
    expect(await api.directChannels(10)).toEqual([])
  })

  it('are told in the order of their last use', async () => {
    let time = 0
    const { api } = newDatabase({ now: () => ++time })
    for (const channelId of ['x', 'y', 'z', 'x']) await api.markRead({ channelId, userId: 'u', lastMessageId: '5' })
    const channels = async (limit: number) => (await api.directChannels(limit)).map(({ channelId }) => channelId)
    expect(await channels(10)).toEqual(['x', 'z', 'y'])
    expect(await channels(2)).toEqual(['x', 'z'])
    expect(await channels(0)).toEqual([])
  })

  it('are not noted when the request is not stored', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(direct('a', { userId: 'one user', discordMessageId: '5' }))
    const refused = api.acceptRequest(direct('b', { userId: 'one user', channelId: 'other', discordMessageId: '6' }))
    await expect(refused).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect((await api.directChannels(10)).map(({ channelId }) => channelId)).toEqual(['dm'])
  })
})

describe('the token of a command', () => {
  const withToken = (id: string) => requestOf(id, { interactionToken: `secret of ${id}` })

  it('is kept until the reply is delivered or given up, and no longer', async () => {
    const { api, stored } = newDatabase()
    for (const id of ['delivered', 'abandoned', 'nothing to send', 'failed', 'interrupted']) {
      await api.acceptRequest(withToken(id))
    }
    await api.saveTurn(turnOf(withToken('delivered'), { messages: ANSWER }))
    await api.saveTurn(turnOf(withToken('abandoned'), { messages: ANSWER }))
    await api.saveTurn(turnOf(withToken('nothing to send')))
    await api.settleRequest(settlementOf('failed', 0))
    expect(stored('delivered')?.interaction_token).toBe('secret of delivered')
    expect((await api.recover('discord')).undelivered[0]?.request.interactionToken).toBe('secret of delivered')
    await api.markDelivered('delivered', [])
    await api.abandonDelivery('abandoned', 'gone')
    expect(stored('interrupted')?.interaction_token).toBe('secret of interrupted')
    await api.interruptLeftovers('discord', 5000)
    for (const id of ['delivered', 'abandoned', 'nothing to send', 'failed', 'interrupted']) {
      expect(stored(id)?.interaction_token).toBeNull()
    }
  })
})

describe('a probe', () => {
  it('writes one row, again and again', async () => {
    let time = 100
    const { api, connection } = newDatabase({ now: () => ++time })
    await api.probe()
    await api.probe()
    expect(connection.prepare('SELECT id, written_at FROM probes').all()).toEqual([{ id: 1, written_at: 102 }])
    expect(await api.statistics()).toMatchObject({ writes: 2 })
  })
})

describe('a file of the first schema', () => {
  it('gets the order of its requests and keeps everything', () => {
    const database = new Database(':memory:')
    migrate(database, [FIRST_SCHEMA])
    const insert = database.prepare(`INSERT INTO requests
      (id, user_id, server_id, channel_id, message, timestamp, priority, status)
      VALUES (?, ?, '0', 'c', 'text', ?, 0, 'QUEUED')`)
    for (const [id, timestamp] of Object.entries({ late: 9, early: 1, 'early too': 1, middle: 5 })) {
      insert.run(id, id, timestamp)
    }
    migrate(database)
    const ids = database.prepare('SELECT id FROM requests WHERE admission > 0 ORDER BY admission').pluck()
    expect(ids.all()).toEqual(['early', 'early too', 'middle', 'late'])
    database.close()
  })
})
