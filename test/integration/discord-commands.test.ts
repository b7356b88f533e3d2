import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exportCommand } from '#discord/commands/export.ts'
import { labelsOf, startWithCommands } from '#support/command-room.ts'
import { WAIT_MS } from '#support/discord-room.ts'
import { NO_RECORDS } from '#support/no-records.ts'
import { queueStatistics } from '#support/queue-statistics.ts'
import { activeFacts } from '#support/scripted-queue.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

const CALLBACK = '/interactions/:id/:token/callback'

/** Commands with a history of the user's direct conversation, and of a server. */
async function startWithHistory(turns: number) {
  const room = await startWithCommands()
  const { database, userId, server } = room
  const guildId = await server.addGuild('lab')
  const general = await server.addGuildChannel(guildId, 'general')
  for (let number = 1; number <= turns; number++) {
    await database.api.saveTurn(turnOf(requestOf(`${number}`, { userId })))
  }
  await database.api.saveTurn(turnOf(requestOf('in the lab', { userId, serverId: guildId })))
  const history = (serverId = '0') => database.api.history({ userId, serverId }, 100)
  return { ...room, guildId, general, history }
}

describe('every command but a question', () => {
  it('is acknowledged before the database has said anything, and answered for its user alone', async () => {
    const gate = Promise.withResolvers<void>()
    const historyPage = async () => {
      await gate.promise
      return { messages: [], hasOlder: false, hasNewer: false }
    }
    const { server, userId, clock, channelId } = await startWithCommands({ records: { ...NO_RECORDS, historyPage } })
    await server.runCommand({ userId, name: 'history' })
    const acknowledged = { type: 'calls', route: CALLBACK, status: 204 } as const
    await clock.passUntil(server.waitFor(acknowledged, WAIT_MS))
    const shown = async () => (await server.messages(channelId)).at(-1)
    expect(await shown()).toMatchObject({ ephemeral: true, loading: true })
    gate.resolve()
    const answered = { type: 'message', channelId, ephemeral: true, contentIncludes: 'Nothing' } as const
    await clock.passUntil(server.waitFor(answered, WAIT_MS))
    expect(await shown()).toMatchObject({ ephemeral: true, loading: false, pinged: [] })
  })

  it.each(['status', 'cancel', 'server', 'history', 'forget', 'export', 'help', 'privacy'])(
    '/%s works in direct messages and in servers, and nobody else sees it',
    async (name) => {
      const { run, general } = await startWithHistory(1)
      for (const channelId of [undefined, general]) {
        const reply = await run(name, {}, channelId)
        expect(reply).toMatchObject({ ephemeral: true, loading: false })
        expect(reply.content).not.toContain('⚠️')
      }
    },
  )

  it('says so when the database is away, and what to do', async () => {
    const { run, log } = await startWithCommands({ records: NO_RECORDS })
    const { content } = await run('history')
    expect(content).toBe('⚠️ That did not work just now. Please try it again in a minute.\n-# DATABASE_UNAVAILABLE')
    expect(log.lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'a command failed' }))
  })

  it('says so when Discord does not take the reply', async () => {
    const { run, server } = await startWithCommands()
    const route = '/webhooks/:id/:token/messages/:message'
    await server.failNext({ method: 'PATCH', route, status: 400, code: 50_035 })
    const { content, loading } = await run('status')
    expect([content, loading]).toEqual([expect.stringContaining('That did not work just now'), false])
  })

  it('that broke in an unforeseen way has a code of its own', async () => {
    const historyPage = () => Promise.reject(new Error('who knows'))
    const { run } = await startWithCommands({ records: { ...NO_RECORDS, historyPage } })
    expect((await run('history')).content).toContain('-# COMMAND_FAILED')
  })

  it('is answered although connections break', async () => {
    const { run, server } = await startWithCommands()
    await server.failNext({ route: CALLBACK, status: 'drop' })
    await server.failNext({ method: 'PATCH', route: '/webhooks/:id/:token/messages/:message', status: 'drop' })
    expect((await run('help')).content).toContain('/ask')
  })
})

describe('/help and /privacy', () => {
  it('tell every command, and what is kept where and how long', async () => {
    const { run, server } = await startWithCommands({
      privacy: { retentionMs: 30 * 86_400_000, modelHost: 'models.example' },
    })
    const help = (await run('help')).content
    for (const { name } of await server.commands()) expect(help).toContain(name)
    const { content } = await run('privacy')
    for (const fact of ['30 days', 'models.example', '/forget']) expect(content).toContain(fact)
  })
})

describe('/status', () => {
  it('says when nothing is going on', async () => {
    const { run } = await startWithCommands()
    expect((await run('status')).content).toBe(
      '**You:** nothing of yours waits or is being answered.\n' +
        '**Queue:** 0 waiting (50 at most), 0 being answered (16 at the same time).',
    )
  })

  it('tells the place in line, and what is being answered since when', async () => {
    const { run, queue, userId } = await startWithCommands()
    const active = activeFacts({ position: 3, acceptedAt: 60_000 })
    queue.actives.set(userId, active)
    queue.statistics = queueStatistics({ queueSize: 4, activeRequests: 2 })
    expect((await run('status')).content).toContain('your question is 3rd in line; you asked <t:60:R>')
    queue.actives.set(userId, { ...active, position: 0, startedAt: 90_000 })
    const { content } = await run('status')
    expect(content).toContain('is being answered; that began <t:90:R>')
    expect(content).toContain('4 waiting (50 at most), 2 being answered')
  })

  it('warns when nothing can be stored', async () => {
    const { run, queue } = await startWithCommands()
    const storage = { available: false, unavailableSince: 1, pendingWrites: 0, droppedWrites: 0 }
    queue.statistics = queueStatistics({ storage })
    expect((await run('status')).content).toContain('Nothing can be stored')
  })
})

describe('/cancel', () => {
  it.each([
    ['CANCELLED', 'is cancelled'],
    ['COMPLETED', 'too late'],
    ['FAILED', 'ended without an answer'],
    [undefined, 'no question'],
  ] as const)('ends the question of its user, and says so: %s', async (status, words) => {
    const { run, queue, userId } = await startWithCommands()
    queue.actives.set(userId, activeFacts({ serverId: '7', position: 1 }))
    queue.ending = status
    expect((await run('cancel')).content).toContain(words)
    expect(queue.commands).toEqual(['cancel r'])
  })

  it('leaves the questions of others alone', async () => {
    const { run, queue } = await startWithCommands()
    queue.actives.set('another', activeFacts({ position: 1 }))
    expect((await run('cancel')).content).toContain('no question')
    expect(queue.commands).toEqual([])
  })
})

describe('/history', () => {
  it('shows the newest turns with their time, and leads to older ones and back', async () => {
    const { run, press } = await startWithHistory(7)
    const newest = await run('history')
    expect(newest.content).toContain('**You** · <t:1900000000:f>\n> question 5')
    expect(newest.content).toContain('**Parley** · <t:1900000005:f>\n> answer 7')
    expect(newest.content).not.toContain('question 4')
    expect(labelsOf(newest.components)).toEqual(['◀ Older'])
    const older = await press(newest, '◀ Older')
    expect(older.content).toContain('question 2')
    expect(labelsOf(older.components)).toEqual(['◀ Older', 'Newer ▶'])
    const oldest = await press(older, '◀ Older')
    expect(oldest.content).toContain('question 1')
    expect(labelsOf(oldest.components)).toEqual(['Newer ▶'])
    expect((await press(oldest, 'Newer ▶')).content).toBe(older.content)
  })

  it('shows the conversation of the place it is run in', async () => {
    const { run, general } = await startWithHistory(1)
    expect((await run('history', {}, general)).content).toMatch(/question in the lab\n.*\n> answer in the lab$/)
  })

  it('fits on a page whatever was said', async () => {
    const { run, database, userId } = await startWithCommands()
    const wild = '*_~`|\\>'.repeat(400)
    const faces = '👩‍🚀'.repeat(900)
    for (const [id, message] of Object.entries({ a: wild, b: faces, c: `a${faces}` })) {
      await database.api.saveTurn(turnOf(requestOf(id, { userId, message }), { answer: `\`\`\`js\n${message}` }))
    }
    const { content, components } = await run('history')
    expect(content.length).toBeLessThanOrEqual(2_000)
    expect(content.isWellFormed()).toBe(true)
    expect(content).toContain('> \\*\\_')
    expect(content.match(/^\*\*(You|Parley)\*\*/gm)).toHaveLength(6)
    expect(components).toEqual([])
  })
})

describe('/forget', () => {
  it('asks first, and deletes nothing when that is what is wanted', async () => {
    const { run, press, history } = await startWithHistory(2)
    const asked = await run('forget')
    expect(asked.content).toContain('the conversation you have with Parley here')
    expect(labelsOf(asked.components)).toEqual(['Delete', 'Keep'])
    expect(await press(asked, 'Keep')).toMatchObject({ content: 'Nothing was deleted.', components: [] })
    expect(await history()).toHaveLength(4)
  })

  it('deletes the conversation of the place', async () => {
    const { run, press, history, guildId } = await startWithHistory(2)
    const done = await press(await run('forget', { what: 'conversation' }), 'Delete')
    expect(done).toMatchObject({ content: 'Forgotten: 4 messages are deleted.', components: [], ephemeral: true })
    expect(await history()).toEqual([])
    expect(await history(guildId)).toHaveLength(2)
  })

  it('deletes everything, wherever it was said', async () => {
    const { run, press, history, guildId } = await startWithHistory(2)
    expect((await press(await run('forget', { what: 'everything' }), 'Delete')).content).toContain('6 messages')
    expect([...(await history()), ...(await history(guildId))]).toEqual([])
  })

  it.each([
    ['everything', '7', ['cancel r']],
    ['conversation', '0', ['cancel r']],
    ['conversation', '7', []],
  ])('of %s cancels a question asked in %s first, if it belongs to it', async (what, serverId, cancelled) => {
    const { run, press, queue, userId } = await startWithHistory(1)
    queue.actives.set(userId, activeFacts({ serverId, startedAt: 0 }))
    await press(await run('forget', { what }), 'Delete')
    expect(queue.commands).toEqual(cancelled)
  })

  it('deletes nothing while an answer has yet to be stored, because it would come back', async () => {
    const { run, press, queue, history } = await startWithHistory(1)
    const storage = { available: true, unavailableSince: null, pendingWrites: 1, droppedWrites: 0 }
    queue.statistics = queueStatistics({ storage })
    expect((await press(await run('forget'), 'Delete')).content).toContain('Nothing was deleted')
    expect(await history()).toHaveLength(2)
  })
})

describe('/export', () => {
  it('gives its user all that is stored of them as a file', async () => {
    const { run, database, userId } = await startWithHistory(120)
    await database.api.saveTurn(turnOf(requestOf('of bob', { userId: 'bob' })))
    await database.api.markRead({ channelId: '5', userId, lastMessageId: '1' })
    const reply = await run('export')
    const [file] = reply.revisions.at(-1)?.attachments ?? []
    expect(file?.filename).toBe('parley.json')
    const exported: { readonly requests: unknown[]; readonly messages: unknown[] } = JSON.parse(file?.text ?? '')
    expect(exported).toMatchObject({ userId, directChannels: [{ channelId: '5' }] })
    expect([exported.requests.length, exported.messages.length]).toEqual([121, 242])
    expect(exported.messages[0]).toMatchObject({ role: 'user', content: 'question 1', serverId: '0' })
    expect(file?.text).not.toContain('of bob')
  })

  it('packs what is too large for a file, and says when even that does not fit', async () => {
    const { database, userId } = await startWithHistory(20)
    const conversation = { userId, serverId: '0' }
    const call = {
      conversation,
      here: () => Promise.resolve({ ...conversation, serverName: undefined }),
      guildId: null,
      subcommand: undefined,
      option: () => undefined,
      file: () => undefined,
      target: undefined,
      mayManageServer: false,
      channelId: '1',
      roleIds: [],
      botMayWrite: true,
    }
    const reply = (limits: { fileBytes: number; textBytes: number }) =>
      exportCommand({ records: database.api, clock: { now: () => 7 }, limits }).reply(call)
    const [packed] = (await reply({ fileBytes: 3_000, textBytes: 100_000 })).files ?? []
    expect(packed?.name).toBe('parley.json.gz')
    const unpacked: unknown = JSON.parse(gunzipSync(Buffer.from(packed?.data as Uint8Array)).toString())
    expect(unpacked).toMatchObject({ exportedAt: 7, userId })
    for (const limits of [
      { fileBytes: 100, textBytes: 100_000 },
      { fileBytes: 100_000, textBytes: 1_000 },
    ]) {
      expect(await reply(limits)).toEqual({ content: expect.stringContaining('more than fits') })
    }
  })
})

describe('"Ask about this"', () => {
  it('asks about the message it was used on, and is answered there for all to see', async () => {
    const { server, userId, general, queue, guildId, clock } = await startWithHistory(0)
    const content = 'why is\nthe sky blue?'
    const messageId = await server.sendGuildMessage({ channelId: general, userId, content })
    await server.runMessageCommand({ userId, messageId, name: 'Ask about this' })
    const asked = await queue.next()
    expect(asked.request).toMatchObject({ serverId: guildId, channelId: general, userId })
    expect(asked.request.message).toContain('This is a message by ada:\n\n> why is\n> the sky blue?')
    asked.start().complete('because')
    const answer = { type: 'message', channelId: general, contentIncludes: 'because', ephemeral: false } as const
    await clock.passUntil(server.waitFor(answer, WAIT_MS))
  })

  it('about a message without text reaches the queue without one, which says so', async () => {
    const { server, userId, general, queue } = await startWithHistory(0)
    const messageId = await server.sendGuildMessage({ channelId: general, userId, content: '  ' })
    await server.runMessageCommand({ userId, messageId, name: 'Ask about this' })
    expect((await queue.next()).request.message).toBe('')
  })
})
