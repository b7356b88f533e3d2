import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DiscordServerOptions } from './discord/options.ts'
import type { MessageRecord } from './discord/records.ts'
import { type DiscordServerHandle, startDiscordServer } from './discord/start-discord-server.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { OpenAiServerOptions, Script } from './openai/script.ts'
import { type OpenAiServerHandle, startOpenAiServer } from './openai/start-openai-server.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const LOOP_DELAY = new URL('./loop-delay.ts', import.meta.url).href

/** What every answer ends with. */
export const END_MARK = '[end]'

/** An answer of so many words, one after the other. */
export function answerOf(words: number, delayBetweenChunksMs: number): Script {
  const chunks = [...Array.from({ length: words - 1 }, (_, index) => `word-${index} `), END_MARK]
  return { type: 'answer', chunks, delayBetweenChunksMs }
}

/** Somebody who asks, and where. */
export interface Person {
  readonly userId: string
  readonly channelId: string
}

export async function addPeople(discord: DiscordServerHandle, count: number): Promise<Person[]> {
  const people: Person[] = []
  for (let index = 0; index < count; index++) {
    const userId = await discord.addUser({ username: `person-${index}` })
    people.push({ userId, channelId: await discord.openDm(userId) })
  }
  return people
}

/** Asks for each of the people, so many a second. */
export async function askAtRate(
  people: readonly Person[],
  perSecond: number,
  ask: (person: Person) => unknown,
): Promise<void> {
  const startedAt = performance.now()
  for (const [index, person] of people.entries()) {
    const waitMs = startedAt + (index * 1_000) / perSecond - performance.now()
    if (waitMs > 0) await pause(waitMs)
    void ask(person)
  }
}

/** The bot's messages to these people, oldest first for each. */
export async function repliesTo(discord: DiscordServerHandle, people: readonly Person[]): Promise<MessageRecord[]> {
  const messages: MessageRecord[] = []
  for (const { channelId } of people) messages.push(...(await discord.messages(channelId)))
  return messages.filter(({ authorIsBot }) => authorIsBot)
}

/** When an answer was there to its end, ms since epoch. */
export function endedAt({ revisions }: MessageRecord): number | undefined {
  return revisions.find(({ content }) => content.includes(END_MARK))?.at
}

/** Whether some of an answer was there before all of it. */
export function wasStreamed({ revisions }: MessageRecord): boolean {
  return revisions.some(({ content }) => content.startsWith('word-') && !content.includes(END_MARK))
}

/** A process that does nothing: how late its event loop is, is what the machine adds to that of others. */
export class IdleProcess {
  readonly #child = spawn(process.execPath, ['--import', LOOP_DELAY, '--eval', 'setInterval(() => undefined, 1_000)'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })

  loopDelay(): Promise<LoopDelay> {
    return askLoopDelay(this.#child)
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

async function askLoopDelay(child: ChildProcess): Promise<LoopDelay> {
  const told = once(child, 'message')
  child.send('tell')
  const [delay]: LoopDelay[] = await told
  if (!delay) throw new Error('expected the delay of the event loop')
  return delay
}

/** Parley as its owner starts it, between a Discord with limits and a model. */
export class LoadedParley {
  readonly discord: DiscordServerHandle
  readonly model: OpenAiServerHandle
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(discord: DiscordServerHandle, model: OpenAiServerHandle, child: ChildProcess, folder: string) {
    this.discord = discord
    this.model = model
    this.#child = child
    this.#folder = folder
  }

  /** Resolves once it is connected. */
  static async start(
    script: Script,
    env: Readonly<Record<string, string>>,
    options: DiscordServerOptions = {},
    modelOptions: OpenAiServerOptions = {},
  ): Promise<LoadedParley> {
    const [discord, model] = await Promise.all([
      startDiscordServer({ limits: 'documented', ...options }),
      startOpenAiServer({ apiKey: null, defaultScript: script, recordLimit: 1, ...modelOptions }),
    ])
    const folder = mkdtempSync(join(tmpdir(), 'parley-load-'))
    const child = spawn(process.execPath, ['--import', LOOP_DELAY, MAIN], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        PARLEY_CONFIG_DIR: folder,
        PARLEY_POOL_SIZE: '1',
        LOG_LEVEL: 'warn',
        DISCORD_TOKEN: discord.token,
        DISCORD_API_URL: discord.apiUrl,
        OPENAI_BASE_URL: model.baseUrl,
        OPENAI_MODEL: 'test-model',
        ...env,
      },
    })
    await discord.waitFor({ type: 'gateway', event: 'ready' }, 30_000)
    return new LoadedParley(discord, model, child, folder)
  }

  /** How late its main thread was since this was asked last. */
  loopDelay(): Promise<LoopDelay> {
    return askLoopDelay(this.#child)
  }

  /** Ends it, and those it talks to. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
    await Promise.all([this.discord.close(), this.model.close()])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
