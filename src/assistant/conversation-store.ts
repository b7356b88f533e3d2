import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DatabaseApi } from '#protocol/database.ts'

/** The part of the database that an assistant uses. */
export type StoreApi = Pick<DatabaseApi, 'history' | 'choices' | 'filesOf' | 'fileBytes' | 'saveTurn'>

/** The database as one execution uses it: its calls are counted, and what it cannot do is gone on without. */
export class ConversationStore {
  readonly #connect: () => Promise<StoreApi>
  readonly #log: Log
  /** How many succeeded and failed. */
  readonly calls = { ok: 0, failed: 0 }

  constructor(connect: () => Promise<StoreApi>, log: Log) {
    this.#connect = connect
    this.#log = log
  }

  /** Never rejects: a call that fails is logged as `problem`, and `otherwise` stands for its result. */
  async ask<T, F>(otherwise: F, problem: string, call: (api: StoreApi) => Promise<T>): Promise<T | F> {
    try {
      const result = await call(await this.#connect())
      this.calls.ok++
      return result
    } catch (error) {
      this.calls.failed++
      this.#log.error({ error: errorMessage(error) }, problem)
      return otherwise
    }
  }
}
