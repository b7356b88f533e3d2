import { REST, Routes } from 'discord.js'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#actors/clock.ts'
import { silentLog } from '#actors/log.ts'
import { askCommand } from '#discord/commands/ask.ts'
import { commandList } from '#discord/commands/command-list.ts'
import { Delivery } from '#discord/delivery.ts'
import { ServerSettingsBook } from '#discord/server-settings-book.ts'
import { NO_LIMITS, OPEN_TO_ALL, SCHEDULING } from '#support/access-rules.ts'
import { newDiscord, startRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'
import { NO_RECORDS } from '#support/no-records.ts'
import { ScriptedQueue } from '#support/scripted-queue.ts'

const COMMANDS = '/applications/:id/commands'
const CALLBACK = '/interactions/:id/:token/callback'
const MINUTE_MS = 60_000

const noCalls = () => ({ ...new Delivery({ clock: systemClock }).statistics(), hiddenRefusals: 0 })

/** Nobody is asked anything to register commands. */
const NOTHING_CHOSEN = {
  current: async () => ({ server: undefined }),
  choices: async () => [],
  choose: async () => false,
}

/** All commands as they are registered. */
function definitions(maxMessageLength = 4000) {
  const parts = {
    records: NO_RECORDS,
    delivery: noCalls,
    withdraw: () => false,
    direct: NOTHING_CHOSEN,
    access: OPEN_TO_ALL,
    quota: NO_LIMITS,
    accessCheck: { refusal: async () => undefined },
    scheduling: SCHEDULING,
    privacy: { retentionMs: null, modelHost: null },
    models: { usual: 'small', offered: ['small', 'large'] },
    serverSettings: new ServerSettingsBook({ records: NO_RECORDS, clock: systemClock, log: silentLog }),
    clock: systemClock,
  }
  return commandList({ ...parts, maxMessageLength, queue: new ScriptedQueue() }).map(({ definition }) => definition)
}

/** The commands, one of them different. */
function withAsk(fields: object) {
  return [{ ...askCommand(4000).definition, ...fields }, ...definitions().slice(1)]
}

/** The commands, none of them only for people with certain permissions. */
function openForAll() {
  return definitions().map((known) => ({ ...known, default_member_permissions: null }))
}

/** The commands, all of which leave it to people to know what an option may be. */
function withoutSuggestions() {
  const plain = (option: object) => ({ ...option, autocomplete: undefined })
  return definitions().map((known) => ('options' in known ? { ...known, options: known.options?.map(plain) } : known))
}

type Options = Parameters<typeof startWithUser>

/** A user who can run `/ask`, in direct messages unless a channel is named. */
async function startWithAsk(...options: Options) {
  const room = await startWithUser(...options)
  const { server, userId, queue } = room
  const run = (channelId?: string, text = 'why?') =>
    server.runCommand({ userId, name: 'ask', options: { message: text }, ...(channelId && { channelId }) })
  /** Runs it; resolves when the queue has the question. */
  const ask = async (channelId?: string) => {
    const started = await run(channelId)
    return { started, asked: await queue.next() }
  }
  /** The bot's messages, with where they came from. */
  const messages = async (channelId = room.channelId) => {
    const all = await server.messages(channelId)
    return all.filter(({ authorIsBot, deleted }) => authorIsBot && !deleted)
  }
  return { ...room, run, ask, messages }
}

describe('the command', () => {
  it('is registered once, for servers and people, wherever they write', async () => {
    const server = await newDiscord()
    await startRoom(server)
    const everywhere = { integration_types: [0, 1], contexts: [0, 1, 2] }
    const inServers = { integration_types: [0], contexts: [0], default_member_permissions: '32' }
    const whereItWrites = { integration_types: [0], contexts: [0, 1] }
    const places: Readonly<Record<string, object>> = { settings: inServers, remind: whereItWrites }
    const expected = definitions().map((known) => ({ ...known, ...(places[known.name] ?? everywhere) }))
    expect(await server.commands()).toMatchObject(expected)
    const { log } = await startRoom(server)
    expect((await server.log()).filter(({ method }) => method === 'PUT')).toHaveLength(1)
    expect(log.lines.map(({ message }) => message)).not.toContain('registered the commands with Discord')
  })

  it('is not registered again when Discord tells them in another order', async () => {
    const server = await newDiscord()
    const route = Routes.applicationCommands(await server.botUserId())
    const shuffled = definitions()
      .toReversed()
      .map((known) => ({ ...known, contexts: known.contexts?.toReversed() ?? [] }))
    await new REST({ api: server.apiUrl }).setToken(server.token).put(route, { body: shuffled })
    await startRoom(server)
    expect((await server.log()).filter(({ method }) => method === 'PUT')).toHaveLength(1)
  })

  it.each([
    ['its description differs', withAsk({ description: 'Ask something else.' })],
    ['another one is there', [...definitions(), { ...askCommand(4000).definition, name: 'other' }]],
    ['its option is not required', withAsk({ options: [{ type: 3, name: 'message', description: 'x' }] })],
    ['it works in servers only', withAsk({ contexts: [0] })],
    ['anybody may use what is for some', openForAll()],
    ['nothing is suggested for an option', withoutSuggestions()],
    ['a part of one differs', withAsk({ options: [{ type: 1, name: 'sub', description: 'x', options: [] }] })],
    ['there are options nobody knows', withAsk({ options: [{ type: 1, name: 'sub', description: 'x' }] })],
  ])('is registered again when %s', async (_, registered) => {
    const server = await newDiscord()
    const route = Routes.applicationCommands(await server.botUserId())
    await new REST({ api: server.apiUrl }).setToken(server.token).put(route, { body: registered })
    await startRoom(server)
    expect((await server.log()).filter(({ method }) => method === 'PUT')).toHaveLength(2)
    expect(await server.commands()).toMatchObject(definitions())
  })

  it.each([
    [4_000, 4_000],
    [500, 500],
    [6_001, 6_000],
    [100_000, 6_000],
  ])('takes, of %i characters that are allowed, at most %i', async (maxMessageLength, max) => {
    const { server, run } = await startWithAsk({}, { maxMessageLength })
    expect(await server.commands()).toMatchObject([
      { options: [{ max_length: max }, {}] },
      ...definitions(maxMessageLength).slice(1),
    ])
    await expect(run(undefined, 'x'.repeat(max + 1))).rejects.toThrow(`${max} characters at most`)
    await run(undefined, 'x'.repeat(max))
  })

  it('is registered anew when the longest message changes', async () => {
    const server = await newDiscord()
    await startRoom(server)
    await startRoom(server, { maxMessageLength: 1_000 })
    expect(await server.commands()).toMatchObject(definitions(1_000))
  })

  it('leaves messages working when it cannot be registered', async () => {
    const server = await newDiscord()
    await server.failNext({ route: COMMANDS, method: 'PUT', status: 400 })
    const { log, queue } = await startRoom(server)
    expect(log.lines).toContainEqual(expect.objectContaining({ message: 'the commands could not be registered' }))
    await server.sendDm(await server.addUser({ username: 'ada' }), 'why?')
    expect((await queue.next()).request.message).toBe('why?')
  })
})

describe('a question asked with it', () => {
  it('becomes a request in a direct conversation', async () => {
    const { ask, userId, channelId } = await startWithAsk()
    const { started, asked } = await ask()
    expect(asked.request).toEqual({
      userId,
      serverId: '0',
      channelId,
      message: 'why?',
      discordMessageId: started.id,
      interactionToken: started.token,
    })
  })

  it('becomes a request in a server and in a thread', async () => {
    const { ask, server } = await startWithAsk()
    const guildId = await server.addGuild('lab')
    const general = await server.addGuildChannel(guildId, 'general')
    const thread = await server.addThread(general, 'questions')
    for (const channelId of [general, thread]) {
      const { asked } = await ask(channelId)
      expect(asked.request).toMatchObject({ serverId: guildId, channelId })
    }
  })

  it('is acknowledged before the queue has said anything', async () => {
    const { ask, server, messages } = await startWithAsk()
    const { started } = await ask()
    const [call] = (await server.log()).filter(({ route }) => route.startsWith('/interactions'))
    expect(call).toMatchObject({ status: 204, body: { type: 5 } })
    expect(await messages()).toMatchObject([{ loading: true, interactionId: started.id }])
  })

  it('is answered in the message that waits for the answer', async () => {
    const { ask, see, messages } = await startWithAsk()
    const { started, asked } = await ask()
    asked.accept(2)
    await see('2nd in line')
    asked.tell({ type: 'started', attempt: 1 }).write('Because')
    await see('Because')
    asked.complete('Because @everyone said so.')
    await see('said so')
    const sent = await messages()
    expect(sent).toMatchObject([{ interactionId: started.id, loading: false, pinged: [] }])
    expect(sent[0]?.revisions.map(({ content }) => content)).toEqual([
      '',
      '⏳ Queued: you are 2nd in line.',
      'Because',
      'Because @everyone said so.',
    ])
  })

  it('is answered in further messages when the answer is long, each stored once though connections break', async () => {
    const { ask, see, messages, server } = await startWithAsk()
    const { started, asked } = await ask()
    for (const status of ['dropAfter', 'resetAfter'] as const) {
      await server.failNext({ method: 'PATCH', route: '/webhooks/:id/:token/messages/:message', status })
      await server.failNext({ method: 'POST', route: '/channels/:id/messages', status })
    }
    asked.start().complete('one', 'two', 'three @here')
    await see('three')
    const sent = await messages()
    expect(sent.map(({ content }) => content)).toEqual(['one', 'two', 'three @here'])
    const original = sent[0]?.id
    expect(sent).toMatchObject([
      { interactionId: started.id },
      { interactionId: null, referenceId: original, pinged: [] },
      { interactionId: null, referenceId: original, pinged: [] },
    ])
  })

  it('is answered in follow-ups where the bot may not write', async () => {
    const { ask, messages, server, clock } = await startWithAsk()
    const general = await server.addGuildChannel(await server.addGuild('lab'), 'general')
    await server.refuseDm(general)
    const { started, asked } = await ask(general)
    asked.start().complete('one', 'two', 'three @here')
    await clock.passUntil(server.waitFor({ type: 'message', channelId: general, contentIncludes: 'three' }, WAIT_MS))
    const sent = await messages(general)
    expect(sent.map(({ content, interactionId }) => [content, interactionId])).toEqual(
      ['one', 'two', 'three @here'].map((content) => [content, started.id]),
    )
    expect(sent.flatMap(({ pinged }) => pinged)).toEqual([])
    expect((await server.counts()).byStatus['403']).toBe(1)
  })

  it('says where the answer is when Discord takes no more follow-ups', async () => {
    const { ask, see, messages, server, userId, clock, ledger } = await startWithAsk()
    await server.refuseDm(userId)
    const { started, asked } = await ask()
    asked.start().write('two', 'one')
    await see('two')
    await server.failNext({ method: 'POST', route: '/webhooks/:id/:token', status: 403, code: 40_094 })
    asked.complete('one', 'two', 'three')
    await see('`/history` shows it.')
    await clock.passUntil(ledger.until(({ abandoned }) => abandoned.length > 0))
    expect((await messages()).map(({ interactionId }) => interactionId)).toEqual([started.id])
  })

  it('is answered in follow-ups also where its user has blocked the bot', async () => {
    const { ask, see, messages, server, userId } = await startWithAsk()
    await server.refuseDm(userId)
    const { started, asked } = await ask()
    asked.start().complete('one', 'two')
    await see('two')
    expect((await messages()).map(({ interactionId }) => interactionId)).toEqual([started.id, started.id])
  })

  it('is refused where its answer would be', async () => {
    const { ask, see, messages } = await startWithAsk()
    const { started, asked } = await ask()
    asked.refuse({ code: 'QUEUE_FULL', message: 'The queue is full. Please send it again.' })
    await see('The queue is full. Please send it again.\n-# QUEUE_FULL')
    expect(await messages()).toMatchObject([{ interactionId: started.id, loading: false }])
  })

  it('without a text, from an outdated client, reaches the queue, which says why it is refused', async () => {
    const { server, userId, queue } = await startWithAsk()
    await server.runCommand({ userId, name: 'ask', unregistered: true })
    expect((await queue.next()).request.message).toBe('')
  })

  it('is taken in once when Discord sends it again', async () => {
    const { ask, run, server, see, messages, queue } = await startWithAsk()
    const { started, asked } = await ask()
    await server.replayInteraction(started.token)
    asked.start().complete('because')
    await see('because')
    await run(undefined, 'and now?')
    await queue.next()
    expect(queue.added.map(({ message }) => message)).toEqual(['why?', 'and now?'])
    expect(await messages()).toMatchObject([{ content: 'because' }, { loading: true }])
    expect((await server.counts()).byStatus['400']).toBeUndefined()
  })

  it('of another command is left alone', async () => {
    const { ask, server, userId, queue } = await startWithAsk()
    await server.runCommand({ userId, name: 'other', unregistered: true })
    await ask()
    expect(queue.added).toHaveLength(1)
    expect((await server.counts()).byRoute[`POST ${CALLBACK.replace(':id', ':interactionId')}`]?.calls).toBe(1)
  })
})

describe('an answer that outlives the interaction', () => {
  it('goes on in a normal message, and the one that can no longer be edited disappears', async () => {
    const { ask, see, messages, server, clock } = await startWithAsk()
    const { asked } = await ask()
    asked.start().write('one')
    await see('one')
    await server.advanceClock(15 * MINUTE_MS)
    await clock.advance(15 * MINUTE_MS)
    asked.write('one and more')
    await see('one and more')
    asked.complete('one and more', 'two')
    await see('two')
    expect(await messages()).toMatchObject([
      { content: 'one and more', interactionId: null, referenceId: null },
      { content: 'two', interactionId: null, referenceId: null },
    ])
    expect((await server.counts()).byStatus['401']).toBeUndefined()
  })

  it('leaves what was complete where it is', async () => {
    const { ask, see, messages, server, clock } = await startWithAsk()
    const { started, asked } = await ask()
    asked.start().write('two', 'one')
    await see('two')
    await server.advanceClock(15 * MINUTE_MS)
    await clock.advance(15 * MINUTE_MS)
    asked.complete('one', 'two and more')
    await see('and more')
    expect(await messages()).toMatchObject([
      { content: 'one', interactionId: started.id },
      { content: 'two and more', interactionId: null },
    ])
  })

  it('goes on in a normal message when Discord ends the interaction early', async () => {
    const { ask, see, messages, server } = await startWithAsk()
    const { started, asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.expireToken(started.token)
    asked.write('Because')
    await see('Because')
    asked.complete('Because of the air.')
    await see('of the air')
    expect(await messages()).toMatchObject([{ content: 'Because of the air.', interactionId: null }])
    expect((await server.counts()).byStatus['401']).toBe(1)
  })

  it('begins in a normal message when all of it took that long', async () => {
    const { ask, see, messages, server, clock } = await startWithAsk()
    const { asked } = await ask()
    await server.advanceClock(15 * MINUTE_MS)
    await clock.advance(15 * MINUTE_MS)
    asked.start().complete('because')
    await see('because')
    expect((await messages()).at(-1)).toMatchObject({ content: 'because', interactionId: null, referenceId: null })
  })

  it('begins in a normal message when the user has deleted the one that waited for it', async () => {
    const { ask, see, messages, server } = await startWithAsk()
    const { asked } = await ask()
    const [waiting] = await messages()
    await server.deleteMessage(waiting?.id ?? '')
    asked.start().complete('because')
    await see('because')
    expect(await messages()).toMatchObject([{ content: 'because', interactionId: null }])
    expect((await server.counts()).byStatus['404']).toBe(1)
  })
})

describe('an acknowledgement', () => {
  it.each(['drop', 'dropAfter'] as const)('is made again when the connection breaks: %s', async (status) => {
    const { ask, see, messages, server } = await startWithAsk()
    await server.failNext({ route: CALLBACK, status })
    const { started, asked } = await ask()
    asked.start().complete('because')
    await see('because')
    expect(await messages()).toMatchObject([{ content: 'because', interactionId: started.id }])
  })

  it('that comes too late leaves the answer to a normal message', async () => {
    const { run, see, messages, server, queue, log } = await startWithAsk()
    await server.failNext({ route: CALLBACK, status: 404, code: 10_062 })
    await run()
    const asked = await queue.next()
    asked.start().complete('because')
    await see('because')
    expect(await messages()).toMatchObject([{ content: 'because', interactionId: null }])
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('could not be acknowledged') }),
    )
    expect((await server.counts()).byRoute[`POST ${CALLBACK.replace(':id', ':interactionId')}`]?.calls).toBe(1)
  })
})
