import { expect, onTestFinished } from 'vitest'
import { DiscordGateway } from '#discord/discord-gateway.ts'
import type { DiscordOptions } from '#discord/discord-options.ts'
import { NO_LIMITS, OPEN_TO_ALL, SCHEDULING } from './access-rules.ts'
import type { DiscordServerOptions } from './discord/options.ts'
import { serveHere } from './discord/serve-here.ts'
import type { DiscordServerHandle } from './discord/start-discord-server.ts'
import { NO_RECORDS } from './no-records.ts'
import { RecordingLog } from './recording-log.ts'
import { RecordingStore } from './recording-store.ts'
import { ScriptedQueue } from './scripted-queue.ts'
import { WatchedClock } from './watched-clock.ts'

/** So long a test waits for what must come; it fails then. */
export const WAIT_MS = 8_000

export const EDIT_INTERVAL_MS = 1_000

export const REFUSAL_INTERVAL_MS = 5_000

/** Parley's side of Discord with a queue that does what the test says. */
export interface Room {
  readonly gateway: DiscordGateway
  readonly queue: ScriptedQueue
  readonly clock: WatchedClock
  readonly log: RecordingLog
  /** What `onGivenUp` was told. */
  readonly givenUp: Error[]
  /** The messages that show requests, as `request message`. */
  readonly stored: string[]
  /** What was noted in the database. */
  readonly ledger: RecordingStore
}

/** A Discord without limits, unless the test asks for some. */
export async function newDiscord(options: DiscordServerOptions = {}): Promise<DiscordServerHandle> {
  const server = await serveHere({ limits: 'off', ...options })
  onTestFinished(server.close)
  return server
}

/** Builds a gateway; at the end of the test it is stopped, and must have left no timer. */
export function newRoom(server: DiscordServerHandle, options: Partial<DiscordOptions> = {}): Room {
  const queue = new ScriptedQueue()
  const clock = new WatchedClock()
  const log = new RecordingLog()
  const givenUp: Error[] = []
  const ledger = new RecordingStore()
  const gateway = new DiscordGateway({
    token: server.token,
    apiUrl: server.apiUrl,
    editIntervalMs: EDIT_INTERVAL_MS,
    refusalIntervalMs: REFUSAL_INTERVAL_MS,
    signsOfLife: false,
    notifyAfterMs: 0,
    maxMessageLength: 4000,
    queue,
    store: ledger,
    records: NO_RECORDS,
    access: OPEN_TO_ALL,
    quota: NO_LIMITS,
    scheduling: SCHEDULING,
    models: { usual: 'small', offered: ['small', 'large'] },
    files: {
      maxCount: 4,
      maxSizeMiB: 1,
      timeoutMs: 10_000,
      hosts: [new URL(server.apiUrl).origin],
      seesImages: true,
    },
    privacy: { retentionMs: null, modelHost: null },
    catchUp: { ageMs: 3_600_000, channels: 100, messages: 50 },
    clock,
    log,
    onGivenUp: (error) => givenUp.push(error),
    ...options,
  })
  onTestFinished(async () => {
    const stopped = gateway.stop(0)
    await clock.advance(0)
    await stopped
    expect(clock.pending).toBe(0)
  })
  return { gateway, queue, clock, log, givenUp, ledger, stored: ledger.statusMessages }
}

/** A gateway that is connected. */
export async function startRoom(server: DiscordServerHandle, options: Partial<DiscordOptions> = {}): Promise<Room> {
  const room = newRoom(server, options)
  await room.gateway.start()
  return room
}

/** A connected gateway, and a user with a direct channel. */
export async function startWithUser(serverOptions: DiscordServerOptions = {}, options: Partial<DiscordOptions> = {}) {
  const server = await newDiscord(serverOptions)
  const userId = await server.addUser({ username: 'ada' })
  const channelId = await server.openDm(userId)
  const room = await startRoom(server, options)
  /** Sends a direct message; resolves when the queue has it. */
  const ask = async (text = 'why?') => {
    const messageId = await server.sendDm(userId, text)
    return { messageId, asked: await room.queue.next() }
  }
  /** The bot's messages in the channel that were not deleted, oldest first. */
  const shown = async () => {
    const messages = await server.messages(channelId)
    return messages.filter(({ authorIsBot, deleted }) => authorIsBot && !deleted).map(({ content }) => content)
  }
  /** Resolves once the bot shows a text in the channel; time passes meanwhile. */
  const see = (text: string) =>
    room.clock.passUntil(
      server.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes: text }, WAIT_MS),
    )
  return { server, userId, channelId, ask, shown, see, ...room }
}
