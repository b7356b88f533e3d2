import { randomFillSync } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { systemClock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { Settings } from '#config/settings.ts'
import { ConsoleGateway } from '#console/console-gateway.ts'
import { type DatabaseActor, startDatabase } from '#database/database-actor.ts'
import { DiscordGateway } from '#discord/discord-gateway.ts'
import { errorMessage } from '#domain/errors.ts'
import { uuidV7 } from '#domain/uuid.ts'
import { PiscinaPool } from '#pool/piscina-pool.ts'
import type { Gateway } from '#protocol/gateway.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'

/** The terminal, for when there is no Discord token. */
export interface Terminal {
  readonly input: Readable
  /** Answers alone. */
  readonly output: Writable
  /** Prompt and notices. */
  readonly notices: Writable
  /** Whether a person sits at it. */
  readonly interactive: boolean
}

export interface AppOptions {
  readonly settings: Settings
  readonly logPretty: boolean
  readonly log: Log
  readonly terminal: Terminal
}

/** How long a stop waits for answers and notices to reach Discord. */
const FLUSH_TIMEOUT_MS = 10_000

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
  #gateway: Gateway | undefined

  constructor(options: AppOptions) {
    this.#options = options
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve
      this.#rejectEnded = reject
    })
    // Whoever awaits it hears of it; nobody has to.
    this.ended.catch(() => undefined)
  }

  /** Starts everything; rejects with the error of the part that did not start, the others stopped again. */
  async start(): Promise<void> {
    try {
      const database = await this.#startDatabase()
      const pool = this.#startPool(database)
      const queue = this.#startQueue(database, pool)
      this.#gateway = this.#buildGateway(queue, database)
      this.#stops.push({ name: 'gateway', stop: async () => await this.#gateway?.stop(FLUSH_TIMEOUT_MS) })
      await this.#gateway.start()
    } catch (error) {
      await this.stop(0)
      throw error
    }
  }

  /** Takes no more messages in, lets running requests end within `graceMs`, and closes everything. */
  async stop(graceMs: number): Promise<void> {
  }
}
