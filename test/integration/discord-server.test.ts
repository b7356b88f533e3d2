import { once } from 'node:events'
import { constants, inflateSync } from 'node:zlib'
import {
  ActionRowBuilder,
  ButtonBuilder,
  type ButtonInteraction,
  ButtonStyle,
  type ChatInputCommandInteraction,
  Client,
  Events,
  GatewayIntentBits,
  type Interaction,
  type Message,
  MessageFlags,
  Partials,
  REST,
  Routes,
  SlashCommandBuilder,
} from 'discord.js'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { DiscordServerOptions } from '#support/discord/options.ts'
import { ControlClient } from '#support/discord/remote-control.ts'
import { serveHere } from '#support/discord/serve-here.ts'
import { type DiscordServerHandle, startDiscordServer } from '#support/discord/start-discord-server.ts'

const WAIT_MS = 8_000
const INTENTS = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages]
const MESSAGES = '/channels/:id/messages'

const idOf = z.object({ id: z.string() })
const attachmentsOf = z.object({
  attachments: z.array(z.object({ id: z.string(), filename: z.string(), size: z.number() })),
})

const endings: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A server in a thread of its own, as other tests use it. */
async function startThread(options: DiscordServerOptions = {}): Promise<DiscordServerHandle> {
  const server = await startDiscordServer(options)
  endings.push(server.close)
  return server
}

/** The same server and protocol in this thread: what most of these tests look at is not the thread. */
async function start(options: DiscordServerOptions = {}): Promise<DiscordServerHandle> {
  const server = await serveHere(options)
  endings.push(server.close)
  return server
}

function newClient(server: DiscordServerHandle, intents: readonly GatewayIntentBits[] = INTENTS): Client {
  const client = new Client({ intents, partials: [Partials.Channel], rest: { api: server.apiUrl, retries: 1 } })
  client.on(Events.Error, () => {})
  client.on(Events.ShardError, () => {})
  endings.push(() => client.destroy())
  return client
}

async function login(server: DiscordServerHandle): Promise<Client<true>> {
  const client = newClient(server)
  const ready = once(client, Events.ClientReady)
  await client.login(server.token)
  await ready
  if (!client.isReady()) throw new Error('The client is not ready.')
  return client
}

async function nextMessage(client: Client): Promise<Message> {
  const [message] = (await once(client, Events.MessageCreate)) as [Message]
  return message
}

async function nextInteraction(client: Client): Promise<Interaction> {
  const [interaction] = (await once(client, Events.InteractionCreate)) as [Interaction]
  return interaction
}

function newRest(server: DiscordServerHandle, token = server.token): REST {
  return new REST({ api: server.apiUrl, retries: 1 }).setToken(token)
}

/** A user with an open direct channel, and a REST client to write there. */
async function startWithDm(options: DiscordServerOptions = {}) {
  const server = await start(options)
  const userId = await server.addUser({ username: 'ada' })
  const channelId = await server.openDm(userId)
  const rest = newRest(server)
  const send = (body: object) =>
    rest.post(Routes.channelMessages(channelId), { body }) as Promise<{ readonly id: string }>
  return { server, userId, channelId, rest, send }
}

describe('messages', () => {
  it('lets a real client receive a direct message, reply and edit the reply', async () => {
    const server = await startThread()
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    const received = nextMessage(client)
    await server.sendDm(userId, 'hello')
    const message = await received
    expect(message.content).toBe('hello')
    expect(message.channel.isDMBased()).toBe(true)
    const reply = await message.reply({ content: 'thinking', allowedMentions: { parse: [], repliedUser: false } })
    await reply.edit({ content: 'hello **ada**', allowedMentions: { parse: [] } })
    const record = await server.waitFor({ type: 'message', authorIsBot: true, contentIncludes: 'ada' }, WAIT_MS)
    expect(record.revisions.map(({ content }) => content)).toEqual(['thinking', 'hello **ada**'])
    expect(record).toMatchObject({
      referenceId: message.id,
      pinged: [],
      revisions: [{}, { allowedMentions: { parse: [] } }],
    })
  })

  it('shows the client its own messages and edits over the gateway', async () => {
    const server = await start()
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    const own = nextMessage(client)
    const user = await client.users.fetch(userId).catch(() => null)
    expect(user).toBeNull()
    const channelId = await server.openDm(userId)
    const sent = (await client.rest.post(Routes.channelMessages(channelId), { body: { content: 'one' } })) as {
      id: string
    }
    expect((await own).id).toBe(sent.id)
    const edited = once(client, Events.MessageUpdate)
    await client.rest.patch(Routes.channelMessage(channelId, sent.id), { body: { content: 'two' } })
    const [, now] = (await edited) as [Message, Message]
    expect(now.content).toBe('two')
  })

  it('sends the same event again when a message is replayed', async () => {
    const server = await start()
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    const ids: string[] = []
    const thrice = new Promise<void>((resolve) => {
      client.on(Events.Raw, (packet: { t: string; d: { id: string } }) => {
        if (packet.t === 'MESSAGE_CREATE' && ids.push(packet.d.id) === 3) resolve()
      })
    })
    const id = await server.sendDm(userId, 'once', { replay: 1 })
    await server.replayMessage(id)
    await thrice
    expect(ids).toEqual([id, id, id])
  })

  it('gives a guild message without a mention no content, and one with a mention all of it', async () => {
    const server = await start()
    const guildId = await server.addGuild('lab')
    const channelId = await server.addGuildChannel(guildId, 'general')
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    expect(client.guilds.cache.get(guildId)?.name).toBe('lab')
    const first = nextMessage(client)
    await server.sendGuildMessage({ channelId, userId, content: 'not for you' })
    expect(await first).toMatchObject({ content: '', guildId })
    const second = nextMessage(client)
    await server.sendGuildMessage({ channelId, userId, content: 'for you', mentionsBot: true })
    const mentioned = await second
    expect(mentioned.content).toBe(`<@${client.user.id}> for you`)
    expect(mentioned.mentions.has(client.user)).toBe(true)
  })

  it('shows threads as channels of their own, also those from before the client connected', async () => {
    const server = await start()
    const channelId = await server.addGuildChannel(await server.addGuild('lab'), 'general')
    const userId = await server.addUser({ username: 'ada' })
    const before = await server.addThread(channelId, 'before')
    const client = await login(server)
    expect(client.channels.cache.get(before)).toMatchObject({ type: 11, parentId: channelId, name: 'before' })
    const created = once(client, Events.ThreadCreate)
    const after = await server.addThread(channelId, 'after')
    expect(await created).toMatchObject([{ id: after, parentId: channelId }, true])
    const received = nextMessage(client)
    await server.sendGuildMessage({ channelId: after, userId, content: 'here', mentionsBot: true })
    expect((await received).channel.isThread()).toBe(true)
  })

  it('sends no events that the intents do not cover', async () => {
    const server = await start()
    const channelId = await server.addGuildChannel(await server.addGuild('lab'), 'general')
    const userId = await server.addUser({ username: 'ada' })
    const client = newClient(server, [GatewayIntentBits.DirectMessages])
    const ready = once(client, Events.ClientReady)
    await client.login(server.token)
    await ready
    const received = nextMessage(client)
    await server.sendGuildMessage({ channelId, userId, content: 'unseen', mentionsBot: true })
    await server.sendDm(userId, 'seen')
    expect((await received).content).toBe('seen')
  })

  it('stores a message once when it is sent twice with the same enforced nonce, for some minutes', async () => {
    const { server, channelId, send } = await startWithDm()
    const body = { content: 'once', nonce: 'n-1', enforce_nonce: true }
    const first = await send(body)
    expect((await send(body)).id).toBe(first.id)
    await server.advanceClock(10 * 60_000)
    expect((await send(body)).id).not.toBe(first.id)
    expect(await server.messages(channelId)).toHaveLength(2)
  })

  it('pages through messages, newest first', async () => {
    const { server, userId, channelId, rest } = await startWithDm({ limits: 'off' })
    const ids: string[] = []
    for (const word of ['a', 'b', 'c', 'd']) ids.push(await server.sendDm(userId, word))
    const page = async (query: Record<string, string>) => {
      const found = await rest.get(Routes.channelMessages(channelId), { query: new URLSearchParams(query) })
      return (found as { content: string }[]).map(({ content }) => content).join('')
    }
    expect(await page({ limit: '3' })).toBe('dcb')
    expect(await page({ after: ids[1] ?? '' })).toBe('dc')
    expect(await page({ after: ids[0] ?? '', limit: '1' })).toBe('b')
    expect(await page({ before: ids[2] ?? '' })).toBe('ba')
    expect(await page({ around: ids[1] ?? '', limit: '3' })).toBe('cba')
  })

  it('tells whom a message would have pinged', async () => {
    const { server, userId, channelId, send } = await startWithDm()
    await send({ content: `<@${userId}> and @everyone` })
    await send({ content: `<@${userId}> and @everyone`, allowed_mentions: { parse: [] } })
    await send({ content: `<@${userId}> and @everyone`, allowed_mentions: { users: [userId] } })
    const pinged = (await server.messages(channelId)).map((message) => message.pinged)
    expect(pinged).toEqual([[userId, 'everyone'], [], [userId]])
  })

  it('keeps uploaded files with their text', async () => {
    const { server, channelId, rest } = await startWithDm()
    const files = [{ name: 'answer.md', data: Buffer.from('# long'), contentType: 'text/markdown' }]
    await rest.post(Routes.channelMessages(channelId), { body: { content: 'see file' }, files })
    const [message] = await server.messages(channelId)
    expect(message?.revisions[0]?.attachments).toMatchObject([{ filename: 'answer.md', text: '# long' }])
  })

  it('adds uploaded files to those of a message, or keeps those that an edit lists', async () => {
    const { server, rest, channelId } = await startWithDm()
    const file = (name: string) => ({ name, data: Buffer.from(name) })
    const { id } = idOf.parse(
      await rest.post(Routes.channelMessages(channelId), { body: { content: 'files' }, files: [file('a'), file('b')] }),
    )
    const edit = async (body: object, ...names: string[]) => {
      const shown = await rest.patch(Routes.channelMessage(channelId, id), { body, files: names.map(file) })
      const [message] = (await server.messages(channelId)).filter((one) => one.id === id)
      const { attachments } = attachmentsOf.parse(shown)
      expect(message?.attachments.map(({ text }) => text)).toEqual(attachments.map(({ filename }) => filename))
      return attachments
    }
    const [, b, c] = await edit({}, 'c')
    expect([b, c]).toMatchObject([{ filename: 'b', size: 1 }, { filename: 'c' }])
    const kept = await edit({ attachments: [{ id: b?.id }, { id: 0 }] }, 'd')
    expect(kept.map(({ filename }) => filename)).toEqual(['b', 'd'])
    expect(await edit({ content: 'other' })).toHaveLength(2)
    expect(await edit({ attachments: [] })).toEqual([])
  })

  it('takes ten files a message, each of 10 MiB', async () => {
    const { rest, channelId } = await startWithDm()
    const post = (files: { name: string; data: Buffer }[]) =>
      rest.post(Routes.channelMessages(channelId), { body: {}, files })
    const largest = 10 * 1024 * 1024
    await post([{ name: 'large', data: Buffer.alloc(largest) }])
    await expect(post([{ name: 'larger', data: Buffer.alloc(largest + 1) }])).rejects.toMatchObject({
      status: 413,
      code: 40_005,
    })
    const many = Array.from({ length: 11 }, (_, index) => ({ name: `${index}`, data: Buffer.from('x') }))
    await post(many.slice(1))
    await expect(post(many)).rejects.toMatchObject({ status: 400, code: 50_035 })
  })
})

describe('refusals', () => {
  it('refuses a message of more than 2,000 characters and stores nothing', async () => {
    const { server, channelId, send } = await startWithDm()
    await expect(send({ content: 'x'.repeat(2_001) })).rejects.toMatchObject({ code: 50035, status: 400 })
    await send({ content: 'x'.repeat(2_000) })
    expect(await server.messages(channelId)).toHaveLength(1)
  })

  it.each([
    ['an empty message', { content: '  ' }, 50006],
    ['an embed description that is too long', { embeds: [{ description: 'x'.repeat(4_097) }] }, 50035],
    ['a nonce that is too long', { content: 'x', nonce: 'n'.repeat(26) }, 50035],
    ['a select menu that offers nothing', { components: [{ type: 1, components: [menu('a', 0)] }] }, 50035],
    ['a select menu that offers too much', { components: [{ type: 1, components: [menu('a', 26)] }] }, 50035],
    ['a select menu beside a button', { components: [{ type: 1, components: [menu('a', 1), button('b')] }] }, 50035],
    ['two buttons with one custom id', { components: [{ type: 1, components: [button('a'), button('a')] }] }, 50035],
    ['a reply to nothing', { content: 'x', message_reference: { message_id: '100000000000000000' } }, 50035],
    ['contradicting mentions', { content: 'x', allowed_mentions: { parse: ['users'], users: ['1'] } }, 50035],
  ])('refuses %s', async (_, body, code) => {
    const { send } = await startWithDm()
    await expect(send(body)).rejects.toMatchObject({ code })
  })

  it('knows no channel or message that does not exist, and lets nobody edit what others wrote', async () => {
    const { server, userId, channelId, rest } = await startWithDm()
    const nowhere = '100000000000000000'
    const theirs = await server.sendDm(userId, 'mine')
    const edit = { body: { content: 'yours' } }
    await expect(rest.get(Routes.channel(nowhere))).rejects.toMatchObject({ code: 10003, status: 404 })
    await expect(rest.patch(Routes.channelMessage(channelId, nowhere), edit)).rejects.toMatchObject({ code: 10008 })
    await expect(rest.patch(Routes.channelMessage(channelId, theirs), edit)).rejects.toMatchObject({ code: 50005 })
    await expect(rest.delete(Routes.channelMessage(channelId, theirs))).rejects.toMatchObject({ status: 403 })
    await expect(rest.get('/nothing/here')).rejects.toMatchObject({ status: 404, code: 0 })
    await expect(rest.put('/users/@me')).rejects.toMatchObject({ status: 405 })
  })

  it('refuses to write to a user who does not want it, and counts that as an invalid request', async () => {
    const { server, userId, send } = await startWithDm()
    await server.refuseDm(userId)
    await expect(send({ content: 'hi' })).rejects.toMatchObject({ code: 50007, status: 403 })
    expect(await server.counts()).toMatchObject({ invalid: 1 })
    await server.refuseDm(userId, false)
    await send({ content: 'hi' })
  })

  it('refuses a wrong token over REST and keeps a client with it from logging in', async () => {
    const server = await start()
    await expect(newRest(server, 'wrong').get(Routes.user())).rejects.toMatchObject({ status: 401 })
    await expect(newClient(server).login('wrong')).rejects.toMatchObject({ code: 'TokenInvalid' })
  })

  it('limits edits of messages older than an hour', async () => {
    const { server, channelId, send } = await startWithDm({
      limits: { oldMessageEdit: { limit: 1, windowMs: 60_000 } },
    })
    const { id } = await send({ content: 'old' })
    await server.advanceClock(3_600_001)
    const edit = (content: string) =>
      fetch(`${server.apiUrl}/v10/channels/${channelId}/messages/${id}`, {
        method: 'PATCH',
        headers: { Authorization: `Bot ${server.token}` },
        body: JSON.stringify({ content }),
      })
    expect((await edit('one')).status).toBe(200)
    const refused = await edit('two')
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: 30046 }])
  })
})

describe('rate limits', () => {
  it('announces a bucket in headers that make discord.js wait instead of being refused', async () => {
    const { server, channelId, send } = await startWithDm({ limits: { messageCreate: { limit: 2, windowMs: 300 } } })
    for (const word of ['a', 'b', 'c', 'd', 'e']) await send({ content: word })
    expect((await server.messages(channelId)).map(({ content }) => content)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await server.counts()).toMatchObject({ calls: 5, rateLimited: 0 })
  })

  it('answers the call too many with 429, its waiting time and its scope', async () => {
    const { server, channelId } = await startWithDm({ limits: { messageCreate: { limit: 1, windowMs: 60_000 } } })
    const post = () =>
      fetch(`${server.apiUrl}/v10/channels/${channelId}/messages`, {
        method: 'POST',
        headers: { Authorization: `Bot ${server.token}` },
        body: JSON.stringify({ content: 'x' }),
      })
    const first = await post()
    expect(first.headers.get('x-ratelimit-remaining')).toBe('0')
    const second = await post()
    expect(second.status).toBe(429)
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(50)
    expect(second.headers.get('x-ratelimit-scope')).toBe('user')
    expect(second.headers.get('x-ratelimit-bucket')).toBe(first.headers.get('x-ratelimit-bucket'))
    expect(await second.json()).toMatchObject({ global: false, retry_after: expect.any(Number) })
    expect(await server.counts()).toMatchObject({
      rateLimited: 1,
      invalid: 1,
      byRoute: { 'POST /channels/:channelId/messages': { calls: 2, rateLimited: 1 } },
    })
  })

  it('limits all calls of the bot together, but not those that answer interactions', async () => {
    const server = await start({ limits: { global: { limit: 1, windowMs: 60_000 } } })
    const headers = { Authorization: `Bot ${server.token}` }
    const get = () => fetch(`${server.apiUrl}/v10/users/@me`, { headers })
    expect((await get()).status).toBe(200)
    const refused = await get()
    expect([refused.status, refused.headers.get('x-ratelimit-global')]).toEqual([429, 'true'])
    const webhook = await fetch(`${server.apiUrl}/v10/webhooks/${await server.botUserId()}/t`, { method: 'POST' })
    expect(webhook.status).toBe(404)
  })

  it('makes discord.js wait and send again after a 429', async () => {
    const { server, send } = await startWithDm()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 429, retryAfterSeconds: 0.01 })
    await send({ content: 'later' })
    const calls = await server.log()
    expect(calls.map(({ status }) => status)).toEqual([429, 200])
  })
})

describe('faults', () => {
  it('answers 500 as often as asked and then works again', async () => {
    const { server, send } = await startWithDm()
    await server.failNext({ method: 'POST', route: MESSAGES, count: 1, status: 500 })
    await send({ content: 'second try' })
    await server.failNext({ method: 'POST', route: MESSAGES, count: 2, status: 502 })
    await expect(send({ content: 'never' })).rejects.toMatchObject({ status: 502 })
    expect((await server.log()).map(({ status }) => status)).toEqual([500, 200, 502, 502])
  })

  it('answers with an error code of Discord', async () => {
    const { server, send } = await startWithDm()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 400, code: 50_083 })
    await expect(send({ content: 'archived' })).rejects.toMatchObject({ status: 400, code: 50_083 })
  })

  it('can store a message and close the connection without an answer', async () => {
    const { server, channelId, send } = await startWithDm()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'drop' })
    await expect(send({ content: 'lost' })).rejects.toThrow()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    await expect(send({ content: 'kept' })).rejects.toThrow()
    expect((await server.messages(channelId)).map(({ content }) => content)).toEqual(['kept'])
    expect((await server.log()).map(({ status }) => status)).toEqual([0, 0])
  })

  it('makes discord.js send again after a connection reset, which only a nonce keeps from being stored twice', async () => {
    const { server, channelId, send } = await startWithDm()
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'resetAfter' })
    await send({ content: 'twice' })
    await server.failNext({ method: 'POST', route: MESSAGES, status: 'resetAfter' })
    await send({ content: 'once', nonce: 'n-1', enforce_nonce: true })
    expect((await server.messages(channelId)).map(({ content }) => content)).toEqual(['twice', 'twice', 'once'])
  })

  it('holds a call until it is released', async () => {
    const { server, channelId, send } = await startWithDm()
    await server.failNext({ route: MESSAGES, status: 'hang' })
    const sent = send({ content: 'held' })
    await server.waitFor({ type: 'calls', route: MESSAGES, phase: 'arrived' }, WAIT_MS)
    expect(await server.messages(channelId)).toEqual([])
    expect(await server.releaseHeld()).toBe(1)
    await sent
    expect(await server.messages(channelId)).toHaveLength(1)
  })
})

describe('the gateway', () => {
  it('sends what was missed when a client resumes after its connection broke', async () => {
    const server = await startThread()
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    const resumed = once(client, Events.ShardResume)
    const received = nextMessage(client)
    await server.closeGateway()
    await server.waitFor({ type: 'gateway', event: 'disconnected' }, WAIT_MS)
    await server.sendDm(userId, 'while you were away')
    expect((await received).content).toBe('while you were away')
    await resumed
    expect(await server.identifies()).toHaveLength(1)
    expect(await server.resumes()).toHaveLength(1)
  })

  it('makes clients reconnect on request and resume', async () => {
    const server = await start()
    const client = await login(server)
    const resumed = once(client, Events.ShardResume)
    await server.requestReconnect()
    await resumed
    const again = once(client, Events.ShardResume)
    await server.invalidateSession(true)
    await again
    expect(await server.identifies()).toHaveLength(1)
    expect(await server.gatewayEvents('resumed')).toHaveLength(2)
  })

  it('forgets the session when it is invalidated for good, so that what was missed is not replayed', async () => {
    const server = await start()
    const userId = await server.addUser({ username: 'ada' })
    const client = newSocket(server)
    await client.identify()
    const { session_id } = (await client.next('READY')).d as { readonly session_id: string }
    await server.invalidateSession(false)
    expect((await client.next(9)).d).toBe(false)
    client.send(6, { token: server.token, session_id, seq: 1 })
    expect((await client.next(9)).d).toBe(false)
    await server.sendDm(userId, 'missed')
    client.send(2, { token: server.token, intents: 1 << 12, properties: {} })
    const ready = await client.next('READY')
    expect(ready.s).toBe(1)
    expect(await server.identifies()).toHaveLength(2)
  })

  it('lets a client find out that its connection is dead and resume', async () => {
    const server = await startThread({ heartbeatIntervalMs: 100 })
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    const received = nextMessage(client)
    await server.freezeGateway()
    await server.sendDm(userId, 'into the silence')
    expect((await received).content).toBe('into the silence')
    expect(await server.resumes()).toHaveLength(1)
    expect((await server.heartbeats()).length).toBeGreaterThan(0)
  })

  it('ends the connection of a client that asks for intents it may not have', async () => {
    const server = await start()
    const client = newClient(server, [...INTENTS, GatewayIntentBits.MessageContent])
    const closed = once(client, Events.ShardDisconnect)
    // The login itself never settles: discord.js only tells of the disconnect.
    void client.login(server.token).catch(() => {})
    const [event] = (await closed) as [{ readonly code: number }]
    expect(event.code).toBe(4014)
    expect((await server.identifies())[0]?.intents).toBe(client.options.intents.bitfield)
  })

  it.each([
    ['a wrong token', 2, { token: 'wrong', intents: 0 }, 4004],
    ['intents that do not exist', 2, { token: 'test-token', intents: 1 << 30 }, 4013],
    ['an operation that does not exist', 99, null, 4001],
    ['a request before it identified', 3, {}, 4003],
  ])('ends the connection of a client that sends %s', async (_, op, d, code) => {
    const server = await start()
    const client = newSocket(server)
    await client.next(10)
    client.send(op, d)
    expect(await client.closed).toBe(code)
  })

  it('compresses into one zlib stream when asked to', async () => {
    const server = await start()
    const { port } = new URL(server.apiUrl)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?v=10&encoding=json&compress=zlib-stream`)
    endings.push(async () => socket.terminate())
    const [frame] = (await once(socket, 'message')) as [Buffer]
    expect(frame.subarray(-4)).toEqual(Buffer.from([0, 0, 255, 255]))
    const text = inflateSync(frame, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
    expect(JSON.parse(text)).toMatchObject({ op: 10 })
  })
})

describe('commands and interactions', () => {
  const ask = new SlashCommandBuilder()
    .setName('ask')
    .setDescription('Ask something')
    .addStringOption((option) => option.setName('question').setDescription('What').setRequired(true))
    .toJSON()

  async function startWithCommand() {
    const server = await start()
    const guildId = await server.addGuild('lab')
    const channelId = await server.addGuildChannel(guildId, 'general')
    const userId = await server.addUser({ username: 'ada' })
    const client = await login(server)
    await client.application.commands.set([ask])
    const run = async (place: { readonly channelId?: string } = { channelId }) => {
      const received = nextInteraction(client)
      const started = await server.runCommand({ userId, name: 'ask', options: { question: 'why?' }, ...place })
      return { interaction: (await received) as ChatInputCommandInteraction, started }
    }
    return { server, client, guildId, channelId, userId, run }
  }

  it('registers commands, keeps their ids, and refuses invalid ones', async () => {
    const { server, client } = await startWithCommand()
    const [before] = await server.commands()
    await client.application.commands.set([ask, { ...ask, name: 'forget' }])
    const after = await server.commands()
    expect(after.map(({ name }) => name)).toEqual(['ask', 'forget'])
    expect(after[0]?.id).toBe(before?.id)
    const invalid = { ...ask, name: 'Not Allowed' }
    const route = Routes.applicationCommands(client.application.id)
    await expect(client.rest.put(route, { body: [invalid] })).rejects.toMatchObject({ code: 50035 })
    expect(await server.commands()).toHaveLength(2)
  })

  it('lets users run only what is registered, with what is required', async () => {
    const { server, userId } = await startWithCommand()
    await expect(server.runCommand({ userId, name: 'nothing' })).rejects.toThrow('/nothing')
    await expect(server.runCommand({ userId, name: 'ask' })).rejects.toThrow('question')
  })

  it('goes through a deferred reply, its edit and a follow-up in a server', async () => {
    const { server, client, channelId, userId, guildId, run } = await startWithCommand()
    const seen: string[] = []
    client.on(Events.MessageCreate, ({ content }) => seen.push(content))
    const { interaction, started } = await run()
    expect(interaction).toMatchObject({ commandName: 'ask', guildId, channelId })
    expect(interaction.user.id).toBe(userId)
    expect(interaction.options.getString('question')).toBe('why?')
    const response = await interaction.deferReply({ withResponse: true })
    expect(response.interaction.responseMessageLoading).toBe(true)
    await interaction.editReply({ content: 'because' })
    await interaction.followUp({ content: 'only for you', flags: MessageFlags.Ephemeral })
    const [original, followUp] = await server.messages(channelId)
    expect(original).toMatchObject({ id: response.interaction.responseMessageId, content: 'because', loading: false })
    expect(original?.interactionId).toBe(started.id)
    expect(followUp).toMatchObject({ content: 'only for you', ephemeral: true })
    expect((await server.log()).filter(({ path }) => path.includes('%40original'))).toHaveLength(1)
    const last = nextMessage(client)
    await server.sendGuildMessage({ channelId, userId, content: 'thanks', mentionsBot: true })
    await last
    expect(seen).toEqual(['', expect.stringContaining('thanks')])
  })

  it('sends the same event again when an interaction is replayed', async () => {
    const { server, client, run } = await startWithCommand()
    const { interaction, started } = await run()
    const again = nextInteraction(client)
    await server.replayInteraction(started.token)
    expect(await again).toMatchObject({ id: interaction.id, token: started.token })
  })

  it('goes through a reply in direct messages and deletes it', async () => {
    const { server, run, userId } = await startWithCommand()
    const { interaction } = await run({})
    expect(interaction.inGuild()).toBe(false)
    await interaction.reply('hello')
    expect((await interaction.fetchReply()).content).toBe('hello')
    await interaction.deleteReply()
    expect(await server.messages(await server.openDm(userId))).toMatchObject([{ content: 'hello', deleted: true }])
  })

  it('fills a deferred reply with the first follow-up', async () => {
    const { server, channelId, run } = await startWithCommand()
    const { interaction } = await run()
    await interaction.deferReply()
    await interaction.followUp('here')
    expect(await server.messages(channelId)).toMatchObject([{ content: 'here', loading: false }])
  })

  it('refuses a second acknowledgement, a late one, and a token that has expired', async () => {
    const { server, client, run } = await startWithCommand()
    const first = await run()
    const callback = (id: string, token: string) =>
      client.rest.post(Routes.interactionCallback(id, token), { body: { type: 5 }, auth: false })
    await first.interaction.deferReply()
    await expect(callback(first.started.id, first.started.token)).rejects.toMatchObject({ code: 40060 })
    await server.expireToken(first.started.token)
    await expect(first.interaction.editReply('late')).rejects.toMatchObject({ code: 50027, status: 401 })
    const second = await run()
    await server.advanceClock(3_000)
    await expect(second.interaction.deferReply()).rejects.toMatchObject({ code: 10062, status: 404 })
    const third = await run()
    await third.interaction.deferReply()
    await server.advanceClock(15 * 60_000)
    await expect(third.interaction.editReply('late')).rejects.toMatchObject({ code: 50027 })
  })

  it('lets a user press a button and the bot update its message', async () => {
    const { server, client, userId } = await startWithCommand()
    const channelId = await server.openDm(userId)
    const cancel = new ButtonBuilder().setCustomId('cancel').setLabel('Cancel').setStyle(ButtonStyle.Danger)
    const components = [new ActionRowBuilder<ButtonBuilder>().addComponents(cancel).toJSON()]
    const sent = await client.rest.post(Routes.channelMessages(channelId), { body: { content: 'working', components } })
    const { id: messageId } = sent as { readonly id: string }
    const received = nextInteraction(client)
    await server.pressButton({ userId, messageId, customId: 'cancel' })
    const press = (await received) as ButtonInteraction
    expect(press).toMatchObject({ customId: 'cancel', message: { id: messageId } })
    await press.update({ content: 'cancelled', components: [] })
    expect(await server.messages(channelId)).toMatchObject([{ content: 'cancelled', components: [] }])
    await expect(server.pressButton({ userId, messageId, customId: 'cancel' })).rejects.toThrow('no button')
    const disabled = [new ActionRowBuilder<ButtonBuilder>().addComponents(cancel.setDisabled()).toJSON()]
    await client.rest.patch(Routes.channelMessage(channelId, messageId), { body: { components: disabled } })
    await expect(server.pressButton({ userId, messageId, customId: 'cancel' })).rejects.toThrow('no button')
  })
})

describe('the handle', () => {
  it('resolves a wait for settled channels once every one has its answer', async () => {
    const server = await startThread({ limits: 'off' })
    const rest = newRest(server)
    const channels = await Promise.all(
      ['a', 'b'].map(async (username) => server.openDm(await server.addUser({ username }))),
    )
    const settled = server.waitFor({ type: 'settled', channels: 2, contentMatches: '^done' }, WAIT_MS)
    for (const channelId of channels) {
      const { id } = (await rest.post(Routes.channelMessages(channelId), { body: { content: 'wait' } })) as {
        id: string
      }
      await rest.patch(Routes.channelMessage(channelId, id), { body: { content: 'done' } })
    }
    expect((await settled).map(({ channelId }) => channelId).toSorted()).toEqual(channels.toSorted())
  })

  it('says what it saw instead when a wait ends in vain', async () => {
    const { server, channelId, send } = await startWithDm()
    await send({ content: 'something else' })
    const wait = server.waitFor({ type: 'message', channelId, contentIncludes: 'the answer' }, 20)
    await expect(wait).rejects.toThrow(/20 ms.*the answer.*parley: "something else"/)
  })

  it('rejects what is open when the server is closed, and nothing listens afterwards', async () => {
    const server = await startDiscordServer()
    const wait = server.waitFor({ type: 'message' }, WAIT_MS)
    const rejected = expect(wait).rejects.toThrow('closed')
    await server.counts()
    await server.close()
    await server.close()
    await rejected
    await expect(fetch(`${server.apiUrl}/v10/users/@me`)).rejects.toThrow()
    await expect(server.counts()).rejects.toThrow('closed')
  })

  it('rejects the calls that are open when the other side is lost', async () => {
    const control = new ControlClient(() => {})
    const open = control.methods().counts()
    control.end(new Error('gone'))
    await expect(open).rejects.toThrow('gone')
  })

  it('rejects when the port is taken', async () => {
    const server = await startThread()
    const port = Number(new URL(server.apiUrl).port)
    await expect(startDiscordServer({ port })).rejects.toThrow('EADDRINUSE')
  })
})

function menu(customId: string, options: number) {
  const offered = Array.from({ length: options }, (_, n) => ({ label: `option ${n}`, value: `${n}` }))
  return { type: 3, custom_id: customId, options: offered }
}

function button(customId: string) {
  return { type: 2, style: 1, label: 'x', custom_id: customId }
}

interface Frame {
  readonly op: number
  readonly t: string | null
  readonly s: number | null
  readonly d: unknown
}

/** A plain WebSocket that speaks the gateway's JSON. */
function newSocket(server: DiscordServerHandle) {
  const { port } = new URL(server.apiUrl)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?v=10&encoding=json`)
  endings.push(async () => socket.terminate())
  const frames: Frame[] = []
  const waiting = new Map<string | number, (frame: Frame) => void>()
  socket.on('message', (raw: Buffer) => {
    const frame = JSON.parse(raw.toString()) as Frame
    const key = frame.t ?? frame.op
    const resolve = waiting.get(key)
    waiting.delete(key)
    if (resolve) resolve(frame)
    else frames.push(frame)
  })
  const next = (key: string | number): Promise<Frame> => {
    const index = frames.findIndex((frame) => (frame.t ?? frame.op) === key)
    const [frame] = index < 0 ? [] : frames.splice(index, 1)
    return frame ? Promise.resolve(frame) : new Promise((resolve) => waiting.set(key, resolve))
  }
  const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }))
  const identify = async () => {
    await next(10)
    send(2, { token: server.token, intents: 1 << 12, properties: {} })
  }
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  return { next, send, identify, closed }
}
