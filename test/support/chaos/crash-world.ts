import { onTestFinished } from 'vitest'
import type { MessageRecord } from '#support/discord/records.ts'
import { type DiscordServerHandle, startDiscordServer } from '#support/discord/start-discord-server.ts'
import { type OpenAiServerHandle, startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { type ParleyProcess, startParley } from '#support/parley-process.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'
import { contradictions, isDelivered, storedRequests, unfinished, violations } from './inside.ts'
import { isFinal, outsideProblems, type Question, shownFor } from './outside.ts'

/** How long one thing is waited for before the test says what was there instead. */
const PATIENCE_MS = 40_000

/** Everything that has a pause is to be quick, and nothing is ever given up but what is to be. */
const ENVIRONMENT = {
  OPENAI_MODEL: 'test-model',
  PARLEY_POOL_SIZE: '1',
  PARLEY_POOL_CONCURRENCY: '4',
  PARLEY_MAX_HEAP: '128',
  PARLEY_EDIT_INTERVAL: '250ms',
  LOG_LEVEL: 'debug',
  PARLEY_ERROR_RECOVERY_DELAY: '50ms',
  PARLEY_RETRY_BACKOFF: '20ms',
  PARLEY_MAX_ATTEMPTS: '10',
  PARLEY_MAX_RETRIES: '0',
  PARLEY_FIRST_TOKEN_TIMEOUT: '1s',
  PARLEY_SILENCE_TIMEOUT: '500ms',
  // A preview can show the whole answer before it is stored: a stop must not come in between.
  PARLEY_SHUTDOWN_GRACE: '20s',
  // What could not be stored is turned away, so that everything accepted has to survive.
  PARLEY_WHEN_UNAVAILABLE: 'refuse',
} as const

/** Just about what Discord lets a person write. */
const LONG_QUESTION = 1_995

export interface Person {
  readonly userId: string
  readonly channelId: string
}

/** People on Discord, a model, and one database file, over which Parley after Parley is started and killed. */
export class CrashWorld {
  readonly discord: DiscordServerHandle
  readonly model: OpenAiServerHandle
  readonly people: readonly Person[]
  readonly questions: Question[] = []
  readonly folder = temporaryFolder()
  readonly #environment: Readonly<Record<string, string>>
  /** Questions that have not been seen to come to their end. */
  readonly #open = new Set<Question>()
  /** Processes that were killed so far. */
  kills = 0

  private constructor(
    discord: DiscordServerHandle,
    model: OpenAiServerHandle,
    people: readonly Person[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.discord = discord
    this.model = model
    this.people = people
    this.#environment = environment
  }

  /** So many people have been answered once, so Parley knows their conversations. */
  static async create(people: number, environment: Readonly<Record<string, string>> = {}): Promise<CrashWorld> {
    const [discord, model] = await Promise.all([
      startDiscordServer({ limits: 'off' }),
      // The same for each execution, whatever the conversation holds by then.
      startOpenAiServer({ apiKey: null, defaultScript: { type: 'echo', counting: false } }),
    ])
    onTestFinished(async () => {
      await Promise.all([discord.close(), model.close()])
    })
    const known = Array.from({ length: people }, async (_, number): Promise<Person> => {
      const userId = await discord.addUser({ username: `user-${number}` })
      return { userId, channelId: await discord.openDm(userId) }
    })
    const world = new CrashWorld(discord, model, await Promise.all(known), environment)
    const first = await world.ready()
    await Promise.all(world.people.map((person) => world.ask(person)))
    await world.answered()
    await world.stop(first)
    return world
  }

  get databasePath(): string {
    return `${this.folder}/data/parley.db`
  }

  /** Starts Parley over the file; `crashAt` says where it is killed. */
  start(crashAt = ''): ParleyProcess {
    return startParley({
      folder: this.folder,
      sabotaged: true,
      env: {
        ...ENVIRONMENT,
        ...this.#environment,
        DISCORD_TOKEN: this.discord.token,
        DISCORD_API_URL: this.discord.apiUrl,
        OPENAI_BASE_URL: this.model.baseUrl,
        ...(crashAt === '' ? {} : { PARLEY_CRASH_AT: crashAt }),
      },
    })
  }

  /** Starts Parley and waits until it takes messages in and has taken up what was left. */
  async ready(): Promise<ParleyProcess> {
    const parley = this.start()
    await parley.logged('Parley is ready')
    return parley
  }

  /** Somebody asks; long questions get an answer of two messages. */
  async ask({ userId, channelId }: Person, { long = false } = {}): Promise<Question> {
    const start = `question ${this.questions.length} `
    // With what the model adds to it, its answer is longer than a message can be.
    const content = start.padEnd(long ? LONG_QUESTION : 0, 'and on ').trim()
    const question = { id: await this.discord.sendDm(userId, content), userId, channelId, content }
    this.questions.push(question)
    this.#open.add(question)
    return question
  }

  /** Who has no question that waits for its end. */
  async idle(): Promise<Person[]> {
    await this.#sortOutSettled()
    const waiting = new Set([...this.#open].map(({ userId }) => userId))
    return this.people.filter(({ userId }) => !waiting.has(userId))
  }

  /** Resolves once every question that was asked has come to its end. */
  async answered(): Promise<void> {
    for (let since = 0; ; ) {
      // Taken first, so that nothing can happen between the look and the wait.
      since = (await this.discord.log(since)).at(-1)?.seq ?? since
      await this.#sortOutSettled()
      if (this.#open.size === 0) return
      await this.discord.waitFor({ type: 'calls', since }, PATIENCE_MS)
    }
  }

  /**
   * Resolves once the file says that everything has ended and was delivered, or the process is gone: what is to be seen
   * on Discord is there before the process knows it, and passes its last crash points.
   */
  delivered(parley: ParleyProcess): Promise<void> {
    // Each delivery that was noted in the file is a line of its log; a process that is gone says no more.
    const isOver = () => [...storedRequests(this.databasePath).values()].every(isDelivered)
    return parley.stderr.until(isOver).catch(() => undefined)
  }

  /** Ends Parley as its owner does. */
  async stop(parley: ParleyProcess): Promise<void> {
    parley.signal('SIGTERM')
    const exit = await parley.exited
    if (exit.code !== 0) throw new Error(`Parley ended with ${exit.code ?? exit.signal}. ${parley.describe()}`)
  }

  /**
   * Does something with a process that is to be killed, from when it is ready; one that outlives it is killed from
   * outside. `work` may do nothing more once its process is gone. Tells whether it was killed at its own crash point.
   */
  async killed(parley: ParleyProcess, work: (isRunning: () => boolean) => Promise<unknown>): Promise<boolean> {
    const ready = parley.logged('Parley is ready')
    await Promise.race([ready.then(() => work(() => parley.isRunning)), parley.exited])
    const killedItself = !parley.isRunning
    if (!killedItself) await parley.kill()
    const { signal } = await parley.exited
    if (signal !== 'SIGKILL') throw new Error(`Parley was not killed, it ended by itself. ${parley.describe()}`)
    this.kills += 1
    return killedItself
  }

  /** What is wrong at this moment, in the file and on Discord; to be asked while no Parley runs. */
  async problems(): Promise<string[]> {
    const stored = storedRequests(this.databasePath)
    const problems = await this.#ofEach((question, messages) => [
      ...outsideProblems(question, messages),
      ...contradictions(question, shownFor(question, messages), stored.get(question.id)),
    ])
    return [...problems, ...violations(this.databasePath)]
  }

  /** What has not come to its end, or to two different ones, once all should have. */
  async unfinished(): Promise<string[]> {
    const stored = storedRequests(this.databasePath)
    return this.#ofEach((question, messages) =>
      unfinished(question, shownFor(question, messages), stored.get(question.id)),
    )
  }

  /** How the questions ended, and how many did so: `answer`, or `failed` and `refused` with their code. */
  async ends(): Promise<Readonly<Record<string, number>>> {
    const ends: Record<string, number> = {}
    await this.#ofEach((question, messages) => {
      const shown = shownFor(question, messages)
      const end = 'code' in shown ? `${shown.type} ${shown.code}` : shown.type
      ends[end] = (ends[end] ?? 0) + 1
      return []
    })
    return ends
  }

  async #ofEach(look: (question: Question, messages: MessageRecord[]) => string[]): Promise<string[]> {
    const problems: string[] = []
    for (const { channelId } of this.people) {
      const messages = await this.discord.messages(channelId)
      const asked = this.questions.filter((question) => question.channelId === channelId)
      problems.push(...asked.flatMap((question) => look(question, messages)))
    }
    return problems
  }

  async #sortOutSettled(): Promise<void> {
    for (const question of this.#open) {
      if (isFinal(shownFor(question, await this.discord.messages(question.channelId)))) this.#open.delete(question)
    }
  }
}
