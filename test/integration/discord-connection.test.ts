import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#actors/clock.ts'
import { startDatabase } from '#database/database-actor.ts'
import { DiscordGateway } from '#discord/discord-gateway.ts'
import type { ConversationRequest } from '#domain/request.ts'
import { uuidV7 } from '#domain/uuid.ts'
import type { AssistantOutcome } from '#protocol/assistant.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { AssistantPool } from '#protocol/pool.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'
import { NO_FILES, NO_LIMITS, OPEN_TO_ALL, SCHEDULING } from '#support/access-rules.ts'
import type { DiscordServerHandle } from '#support/discord/start-discord-server.ts'
import { newDiscord, newRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

const GATEWAY = '/gateway/bot'

describe('a start', () => {
  it('says what to do when the token is refused', async () => {
    const { gateway } = newRoom(await newDiscord(), { token: 'wrong' })
    const message = expect.stringContaining('Copy it anew from the Bot page')
    await expect(gateway.start()).rejects.toMatchObject({ code: 'DISCORD_LOGIN_REFUSED', message })
  })

  it('says what to do when the intents are refused', async () => {
    const { gateway, givenUp } = newRoom(await newDiscord({ allowedIntents: 0 }))
    const message = expect.stringContaining('check that the application is not restricted')
    await expect(gateway.start()).rejects.toMatchObject({ code: 'DISCORD_INTENTS_REFUSED', message })
    expect(givenUp).toEqual([])
  })

  it('says what to do when nobody is there', async () => {
    const server = await newDiscord()
    const { gateway } = newRoom(server)
    await server.close()
    const message = expect.stringMatching(/ECONNREFUSED.*Check the network and discord.apiUrl/)
    await expect(gateway.start()).rejects.toMatchObject({ code: 'DISCORD_UNREACHABLE', message })
  })

  it('says what to do when Discord does not answer', async () => {
    const server = await newDiscord()
    await server.failNext({ route: GATEWAY, status: 'hang' })
    const { gateway, clock } = newRoom(server)
    const rejected = expect(gateway.start()).rejects.toMatchObject({
      code: 'DISCORD_UNREACHABLE',
      message: expect.stringContaining('it did not answer'),
    })
    await server.waitFor({ type: 'calls', route: GATEWAY, phase: 'arrived' }, WAIT_MS)
    await clock.advance(60_000)
    await rejected
  })

  it('ends when Parley is stopped meanwhile', async () => {
    const server = await newDiscord()
    await server.failNext({ route: GATEWAY, status: 'hang' })
    const { gateway, clock, log } = newRoom(server)
    const started = gateway.start()
    await server.waitFor({ type: 'calls', route: GATEWAY, phase: 'arrived' }, WAIT_MS)
    await gateway.stop(0)
    await started
    expect(await server.counts()).toMatchObject({ calls: 1, byStatus: { open: 1 } })
    expect(clock.pending).toBe(0)
    expect(log.lines).toEqual([])
    await server.releaseHeld()
    expect(await server.waitFor({ type: 'gateway', event: 'disconnected' }, WAIT_MS)).toMatchObject({ code: 1000 })
  })
})

describe('a connection that is lost', () => {
  it('for good ends the gateway and says what to do', async () => {
    const ended = Promise.withResolvers<Error>()
    const { server, log } = await startWithUser({}, { onGivenUp: ended.resolve })
    await server.closeGateway(4004)
    expect(await ended.promise).toMatchObject({ code: 'DISCORD_LOGIN_REFUSED' })
    expect(log.lines.map(({ message }) => message)).not.toContain('connection to Discord lost, reconnecting')
  })

  it('is taken up again after the session was declared invalid', async () => {
    const { server, ask, see, shown, log } = await startWithUser()
    const before = await ask('before')
    const connected = server.waitFor({ type: 'gateway', event: 'ready', count: 2 }, WAIT_MS)
    await server.invalidateSession(false)
    await connected
    before.asked.start().complete('answered')
    await see('answered')
    const after = await ask('after')
    after.asked.start().complete('answered again')
    await see('answered again')
    expect(await shown()).toEqual(['answered', 'answered again'])
    expect(await server.identifies()).toHaveLength(2)
    expect(log.lines.map(({ message }) => message)).toContain('connection to Discord lost, reconnecting')
  })

  it('is resumed: what was written meanwhile is answered, and nothing is answered twice', async () => {
    const server = await newDiscord()
    const userId = await server.addUser({ username: 'ada' })
    const { stored } = await startWithRealQueue(server, temporaryDatabase())
    const first = await server.sendDm(userId, 'first')
    await seeAnswer(server, 'first')
    await server.closeGateway(4000)
    await server.waitFor({ type: 'gateway', event: 'disconnected' }, WAIT_MS)
    await server.replayMessage(first)
    await server.sendDm(userId, 'second', { replay: 2 })
    await seeAnswer(server, 'second')
    await server.replayMessage(first)
    await server.sendDm(userId, 'third')
    await seeAnswer(server, 'third')
    expect(await server.identifies()).toHaveLength(1)
    expect(await server.resumes()).toHaveLength(1)
    expect(stored()).toEqual(['first', 'second', 'third'])
    expect(await answersTo(server, userId)).toEqual(['first', 'second', 'third'])
  })

  it('brings nothing twice after a restart either', async () => {
    const server = await newDiscord()
    const userId = await server.addUser({ username: 'ada' })
    const path = temporaryDatabase()
    const before = await startWithRealQueue(server, path)
    const first = await server.sendDm(userId, 'first')
    await seeAnswer(server, 'first')
    await before.stop()
    const { stored, log } = await startWithRealQueue(server, path)
    const refused = log.next('a message was refused')
    await server.replayMessage(first)
    expect(await refused).toMatchObject({ fields: { code: 'REQUEST_DUPLICATE', discordMessageId: first } })
    await server.sendDm(userId, 'second')
    await seeAnswer(server, 'second')
    expect(stored()).toEqual(['first', 'second'])
    expect(await answersTo(server, userId)).toEqual(['first', 'second'])
  })
})

describe('what was written while Parley was away', () => {
  it('is answered after the start, once, and what was answered before is not', async () => {
    const server = await newDiscord()
    const userId = await server.addUser({ username: 'ada' })
    const path = temporaryDatabase()
    const before = await startWithRealQueue(server, path)
    await server.sendDm(userId, 'first')
    await seeAnswer(server, 'first')
    await before.stop()
    await server.sendDm(userId, 'second')
    const after = await startWithRealQueue(server, path)
    await seeAnswer(server, 'second')
    await after.stop()
    const { stored } = await startWithRealQueue(server, path)
    await server.sendDm(userId, 'third')
    await seeAnswer(server, 'third')
    expect(stored()).toEqual(['first', 'second', 'third'])
    expect(await answersTo(server, userId)).toEqual(['first', 'second', 'third'])
  })
})

describe('a stop', () => {
  it('shows what is still to be shown and says goodbye', async () => {
    const { ask, see, shown, server, gateway, clock, log } = await startWithUser()
    const { asked } = await ask()
    asked.start().write('Because')
    await see('Because')
    gateway.stopIntake()
    asked.complete('Because of the air.', 'Really.')
    const stopped = gateway.stop(10_000)
    await clock.passUntil(stopped)
    expect(await shown()).toEqual(['Because of the air.', 'Really.'])
    const { code } = await server.waitFor({ type: 'gateway', event: 'disconnected' }, WAIT_MS)
    expect(code).toBe(1000)
    expect(clock.pending).toBe(0)
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })

  it('takes nothing more in, and says so to whoever writes', async () => {
    const { server, userId, see, gateway, queue } = await startWithUser()
    gateway.stopIntake()
    const messageId = await server.sendDm(userId, 'why?')
    const refused = await see('QUEUE_STOPPING')
    expect(refused).toMatchObject({ referenceId: messageId, content: expect.stringContaining('please send it again') })
    const { id } = await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    await see('QUEUE_STOPPING')
    const answers = { type: 'message', contentIncludes: 'QUEUE_STOPPING', count: 2 } as const
    expect(await server.waitFor(answers, WAIT_MS)).toMatchObject({ interactionId: id, loading: false })
    expect(queue.added).toEqual([])
  })

  it('does not wait for Discord longer than it may, and ends the calls under way', async () => {
    const { ask, see, server, gateway, clock, log } = await startWithUser()
    const { asked } = await ask()
    asked.start()
    await see('Thinking')
    await server.failNext({ method: 'PATCH', status: 'hang' })
    asked.complete('because')
    await clock.passUntil(server.waitFor({ type: 'calls', method: 'PATCH', phase: 'arrived' }, WAIT_MS))
    const stopped = gateway.stop(10_000)
    await clock.advance(10_000)
    await stopped
    expect(log.lines).toContainEqual({
      level: 'warn',
      fields: { replies: 1 },
      message: 'some replies could not be shown on Discord before the end',
    })
    await server.releaseHeld()
    const [call] = await server.waitFor({ type: 'calls', method: 'PATCH' }, WAIT_MS)
    expect(call?.status).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('leaves no connection behind when one is just being made again', async () => {
    const { server, gateway, log } = await startWithUser()
    const lost = log.next('connection to Discord lost')
    await server.closeGateway(4000)
    await lost
    await gateway.stop(10_000)
    const { code } = await server.waitFor({ type: 'gateway', event: 'disconnected', count: 2 }, WAIT_MS)
    expect(code).toBe(1000)
    expect(await server.gatewayEvents('connected')).toHaveLength(2)
  })

  it('can be asked for twice', async () => {
    const { gateway } = await startWithUser()
    await Promise.all([gateway.stop(10_000), gateway.stop(10_000)])
    await gateway.stop(10_000)
  })
})

function temporaryDatabase(): string {
  return join(temporaryFolder(), 'parley.db')
}

function seeAnswer(server: DiscordServerHandle, question: string): Promise<unknown> {
  const contentIncludes = `answer to ${question}`
  return server.waitFor({ type: 'message', authorIsBot: true, contentIncludes }, WAIT_MS)
}

/** The questions to which the bot wrote something, in order. */
async function answersTo(server: DiscordServerHandle, userId: string): Promise<string[]> {
  const messages = await server.messages(await server.openDm(userId))
  return messages.filter(({ authorIsBot }) => authorIsBot).map(({ content }) => content.replace('answer to ', ''))
}

const SETTINGS = {
  maxQueueSize: 50,
  warnAbove: 25,
  maxMessageLength: 4_000,
  requestTimeoutMs: 300_000,
  maxAttempts: 2,
  retryBackoffMs: 1_000,
  breakThreshold: 0,
  breakPauseMs: 5_000,
  adaptConcurrency: false,
  whenUnavailable: 'answer' as const,
  pollIntervalMs: 1_000,
  mailboxSize: 1_000,
}

/** A gateway with the real queue and database. */
async function startWithRealQueue(server: DiscordServerHandle, path: string) {
  const log = new RecordingLog()
  const onGivenUp = (error: Error) => {
    throw error
  }
  const limits = { callTimeoutMs: 10_000, errorRecoveryDelayMs: 5_000, logLevel: 'silent', logPretty: false }
  const database = await startDatabase({ path, ...limits, log, onGivenUp })
  const clock = systemClock
  const pool = instantPool(database.api)
  const newId = () => uuidV7(Date.now(), randomFillSync(new Uint8Array(16)))
  const queue = new ConversationQueue({ settings: SETTINGS, store: database.api, pool, clock, log, newId })
  const catchUp = { ageMs: 3_600_000, channels: 100, messages: 50 }
  const options = {
    token: server.token,
    apiUrl: server.apiUrl,
    editIntervalMs: 250,
    notifyAfterMs: 0,
    maxMessageLength: 4_000,
    catchUp,
  }
  const refusalIntervalMs = 5_000
  const rooms = {
    store: database.api,
    records: database.api,
    privacy: { retentionMs: null, modelHost: null },
    access: OPEN_TO_ALL,
    quota: NO_LIMITS,
    scheduling: SCHEDULING,
    models: { usual: 'small', offered: ['small'] },
    files: NO_FILES,
  }
  const gateway = new DiscordGateway({ ...options, ...rooms, refusalIntervalMs, queue, clock, log, onGivenUp })
  let stopped: Promise<void> | undefined
  const end = async () => {
    await queue.stop(0)
    await gateway.stop(1_000)
    await database.stop()
  }
  const stop = () => (stopped ??= end())
  onTestFinished(stop)
  await gateway.start()
  const stored = () => {
    const reader = new Database(path, { readonly: true })
    try {
      return reader.prepare('SELECT message FROM requests ORDER BY id').pluck().all()
    } finally {
      reader.close()
    }
  }
  return { stop, stored, log }
}

/** Answers at once, and stores the answer as the assistant does. */
function instantPool(api: DatabaseApi): AssistantPool {
  const told = { model: 'none', usage: null } as const
  const rest = { stopReason: 'end', trimmedMessages: 0, stored: true, database: { ok: 1, failed: 0 } } as const
  const answer = async (request: ConversationRequest, attempt: number): Promise<AssistantOutcome> => {
    const text = `answer to ${request.message}`
    await api.saveTurn({ request, attempt, answer: text, ...told, answeredAt: Date.now(), messages: [text] })
    return { type: 'answered', text, parts: [text], ...told, ...rest }
  }
  return {
    slots: 1,
    slotsUsed: 0,
    run: (request, attempt) => ({
      outcome: answer(request, attempt),
      cancel: () => undefined,
      stopAndKeep: () => undefined,
    }),
    onSlotsChanged: () => undefined,
  }
}
