import { randomFillSync } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { monotonicClock, systemClock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { Settings } from '#config/settings.ts'
import { ConsoleGateway } from '#console/console-gateway.ts'
import { type DatabaseActor, startDatabase } from '#database/database-actor.ts'
import type { AccessRules } from '#domain/access.ts'
import { modelChoices } from '#domain/briefing.ts'
import { errorMessage } from '#domain/errors.ts'
import { uuidV7 } from '#domain/uuid.ts'
import { seesImages } from '#domain/vision.ts'
import { PiscinaPool } from '#pool/piscina-pool.ts'
import type { Recovery } from '#protocol/database.ts'
import type { Gateway } from '#protocol/gateway.ts'
import type { QueueStatistics } from '#protocol/queue.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'
import type { QueueSettings } from '#queue/queue-options.ts'
import { Scheduler } from '#queue/scheduler.ts'

/** The terminal, for when there is no Discord token. */
interface Terminal {
  readonly input: Readable
  /** Answers alone. */
  readonly output: Writable
  /** Prompt and notices. */
  readonly notices: Writable
  /** Whether a person sits at it. */
  readonly interactive: boolean
  /** Does what Ctrl+C does. */
  readonly onInterrupted: () => void
}

export interface AppOptions {
  readonly settings: Settings
  readonly logPretty: boolean
  readonly log: Log
  readonly terminal: Terminal
}

/** How long a stop waits for answers and notices to reach Discord. */
const FLUSH_TIMEOUT_MS = 10_000

/** A terminal has no limit on how often it is written to; this is about what an eye can follow. */
const CONSOLE_DELTA_INTERVAL_MS = 40

const ASSISTANT_ENTRY = fileURLToPath(new URL('../workers/assistant.ts', import.meta.url))

/**
 * Parley as a whole: builds the rooms and lets them meet.
 *
 * Starts database, pool, queue, gateway in this order; stops from the outside in, so that what has
 * been accepted can still be told and stored.
 */
export class App {
  /** Resolves when the gateway has ended by itself; rejects when a part has died for good. */
  readonly ended: Promise<void>
  readonly #options: AppOptions
  #resolveEnded: () => void = () => undefined
  #rejectEnded: (error: Error) => void = () => undefined
  readonly #stops: { readonly name: string; readonly stop: () => Promise<void> }[] = []
  #databaseStarting: Promise<DatabaseActor> | undefined
  #queue: ConversationQueue | undefined
  #gateway: Gateway | undefined
  #scheduler: Scheduler | undefined
  #stopped: Promise<void> | undefined

  constructor(options: AppOptions) {
    this.#options = options
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve
      this.#rejectEnded = reject
    })
    // Whoever awaits it hears of it; nobody has to.
    this.ended.catch(() => undefined)
  }

  /**
   * Starts everything; rejects with the error of the part that did not start, the others stopped again. A stop that
   * comes meanwhile ends it early.
   */
  async start(): Promise<void> {
    try {
      this.#databaseStarting = this.#startDatabase()
      // Loaded while the database thread starts; what goes wrong is told where it is used.
      if (this.#showsOnDiscord) import('#discord/discord-gateway.ts').catch(() => undefined)
      const database = await this.#databaseStarting
      if (this.#stopped !== undefined) return
      const pool = this.#startPool(database)
      const queue = this.#startQueue(database, pool)
      const gateway = await this.#buildGateway(queue, database)
      const recovery = await this.#recover(database, queue, gateway)
      await gateway.start()
      if (this.#stopped !== undefined) return
      for (const reply of recovery.undelivered) gateway.deliver(reply)
      queue.open()
      this.#startScheduler(database, queue, gateway)
      this.#options.log.info({ origin: gateway.origin }, 'Parley is ready')
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  /** Takes no more messages in, lets running requests end within `graceMs`, and closes everything. The first call counts. */
  stop(graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    const { log } = this.#options
    // What is half open cannot be closed yet; its failure is told by `start`.
    await this.#databaseStarting?.catch(() => undefined)
    this.#gateway?.stopIntake()
    await this.#scheduler?.stop()
    await this.#queue?.stop(graceMs)
    for (const { name, stop } of this.#stops.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        log.error({ part: name, error: errorMessage(error) }, 'a part of Parley did not stop as it should')
      }
    }
    if (this.#queue) log.info(totalsOf(this.#queue.stats()), 'stopped')
  }

  async #startDatabase(): Promise<DatabaseActor> {
    const { settings, log, logPretty } = this.#options
    const database = await startDatabase({
      path: settings.database.path,
      callTimeoutMs: settings.database.callTimeoutMs,
      retentionMs: settings.database.retentionMs,
      historyCacheBytes: settings.database.historyCacheMiB * 1024 * 1024,
      errorRecoveryDelayMs: settings.queue.errorRecoveryDelayMs,
      logLevel: settings.log.level,
      logPretty,
      log,
      onGivenUp: this.#rejectEnded,
    })
    this.#stops.push({ name: 'database', stop: () => database.stop() })
    return database
  }

  /** Takes up what an earlier process left unfinished, before anything new can come. */
  async #recover(database: DatabaseActor, queue: ConversationQueue, gateway: Gateway): Promise<Recovery> {
    const { log } = this.#options
    // Nobody waits at the terminal any more for what was asked in an earlier run.
    const ended = await database.api.interruptLeftovers('console', Date.now())
    const recovery = await database.api.recover(gateway.origin)
    const { waiting, undelivered, interrupted, fair } = recovery
    queue.restore(
      waiting.map((left) => ({ ...left, listener: gateway.resume(left) })),
      fair,
    )
    if (ended > 0) log.warn({ ended }, 'questions of an earlier run had not ended; they are marked as failed')
    if (waiting.length + undelivered.length > 0) {
      const facts = { waiting: waiting.length, interrupted, undelivered: undelivered.length }
      log.info(facts, 'an earlier run has left requests; they go on')
    }
    return recovery
  }

  #startPool(database: DatabaseActor): PiscinaPool {
    const { settings, log, logPretty } = this.#options
    const pool = new PiscinaPool({
      entry: ASSISTANT_ENTRY,
      size: settings.pool.size,
      concurrency: settings.pool.concurrency,
      maxHeapMiB: settings.pool.maxHeapMiB,
      cancelGraceMs: settings.pool.cancelGraceMs,
      errorRecoveryDelayMs: settings.queue.errorRecoveryDelayMs,
      historyLimit: settings.queue.historyLimit,
      thread: {
        model: settings.model,
        models: modelChoices(settings.model),
        systemPrompt: settings.model.systemPrompt,
        contextTokens: settings.model.contextTokens,
        attachments: settings.attachments,
        deltaIntervalMs: this.#showsOnDiscord ? settings.discord.editIntervalMs : CONSOLE_DELTA_INTERVAL_MS,
        maxMessages: settings.discord.maxMessages,
        databaseThread: database.threadCell,
        databaseCallTimeoutMs: settings.database.callTimeoutMs,
        logLevel: settings.log.level,
        logPretty,
      },
      clock: monotonicClock,
      log,
      onGivenUp: this.#rejectEnded,
    })
    this.#stops.push({ name: 'pool', stop: () => pool.stop() })
    return pool
  }

  #startQueue(database: DatabaseActor, pool: PiscinaPool): ConversationQueue {
    const { settings, log } = this.#options
    const queue = new ConversationQueue({
      settings: queueSettings(settings),
      store: database.api,
      pool,
      clock: systemClock,
      steadyClock: monotonicClock,
      log,
      newId,
    })
    this.#queue = queue
    return queue
  }

  /** What was scheduled is asked from now on; the terminal has nothing of the kind. */
  #startScheduler(database: DatabaseActor, queue: ConversationQueue, gateway: Gateway): void {
    if (!gateway.askScheduled) return
    const { log } = this.#options
    this.#scheduler = new Scheduler({
      store: database.api,
      queue,
      clock: systemClock,
      log,
      newId,
      ask: async (request) => gateway.askScheduled?.(request),
      deliver: (reply) => gateway.deliver(reply),
    })
    this.#scheduler.start()
  }

  /** discord.js takes a second to load, which a conversation in the terminal need not wait for. */
  async #buildGateway(queue: ConversationQueue, database: DatabaseActor): Promise<Gateway> {
    const { settings, log, terminal } = this.#options
    const { token, apiUrl, editIntervalMs, refusalIntervalMs, notifyAfterMs } = settings.discord
    const { catchUpAgeMs, catchUpChannels, catchUpMessages } = settings.discord
    const gateway =
      token === null
        ? new ConsoleGateway({ ...terminal, queue, store: database.api, onEnded: (problem) => this.#end(problem) })
        : new (await import('#discord/discord-gateway.ts')).DiscordGateway({
            token,
            apiUrl,
            editIntervalMs,
            refusalIntervalMs,
            notifyAfterMs,
            catchUp: { ageMs: catchUpAgeMs, channels: catchUpChannels, messages: catchUpMessages },
            maxMessageLength: settings.queue.maxMessageLength,
            debounceMs: settings.queue.debounceMs,
            access: accessRules(settings),
            files: { ...settings.attachments, seesImages: seesImages(settings.model) },
            tiers: settings.queue.tiers,
            quota: settings.quota,
            scheduling: { ...settings.schedule, newId, onChanged: () => this.#scheduler?.wake() },
            models: modelChoices(settings.model),
            privacy: { retentionMs: settings.database.retentionMs, modelHost: modelHost(settings) },
            queue,
            store: database.api,
            records: database.api,
            clock: systemClock,
            steadyClock: monotonicClock,
            log,
            onGivenUp: this.#rejectEnded,
          })
    this.#gateway = gateway
    this.#stops.push({ name: 'gateway', stop: () => gateway.stop(FLUSH_TIMEOUT_MS) })
    return gateway
  }

  #end(problem: Error | undefined): void {
    if (problem) this.#rejectEnded(problem)
    else this.#resolveEnded()
  }

  get #showsOnDiscord(): boolean {
    return this.#options.settings.discord.token !== null
  }
}

function newId(): string {
  return uuidV7(Date.now(), randomFillSync(new Uint8Array(16)))
}

function accessRules({ access }: Settings): AccessRules {
  const { owners, directMessages } = access
  const lists = (kind: 'allow' | 'deny') => ({
    users: access[`${kind}Users`],
    roles: access[`${kind}Roles`],
    servers: access[`${kind}Servers`],
    channels: access[`${kind}Channels`],
  })
  return { owners, directMessages, allow: lists('allow'), deny: lists('deny') }
}

function queueSettings({ queue, database, model }: Settings): QueueSettings {
  const { breakThreshold, breakPauseMs, concurrency } = model
  const { whenUnavailable } = database
  return { ...queue, whenUnavailable, breakThreshold, breakPauseMs, adaptConcurrency: concurrency === 'adaptive' }
}

/** Where questions are sent; null when the built-in model answers them. */
function modelHost({ model: { apiKey, baseUrl } }: Settings): string | null {
  if (baseUrl !== null) return new URL(baseUrl).host
  return apiKey === null ? null : 'api.openai.com'
}

/** What a run did in all, for the last line of its log. */
function totalsOf(stats: QueueStatistics): object {
  const { totalProcessed, totalFailed, totalCancelled, totalRetried, rejected, database, lateEvents } = stats
  return { totalProcessed, totalFailed, totalCancelled, totalRetried, rejected, database, lateEvents }
}
