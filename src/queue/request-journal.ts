import type { Log } from '#actors/log.ts'
import { type ErrorCode, errorMessage } from '#domain/errors.ts'
import type { ConversationRequest, TerminalStatus } from '#domain/request.ts'
import type { DatabaseCalls } from '#protocol/assistant.ts'
import type { AcceptResult, DatabaseApi, RequeueResult } from '#protocol/database.ts'

/** The part of the database that the queue writes. */
export type RequestStore = Pick<DatabaseApi, 'acceptRequest' | 'startRequest' | 'requeueRequest' | 'settleRequest'>

/**
 * Writes the life of requests to the database, without ever holding the queue up: a write that
 * fails is counted and logged, and the request goes on in memory.
 */
export class RequestJournal {
  readonly #store: RequestStore
  readonly #log: Log
  readonly #count: (calls: DatabaseCalls) => void

  constructor(store: RequestStore, log: Log, count: (calls: DatabaseCalls) => void) {
    this.#store = store
    this.#log = log
    this.#count = count
  }

  accepted(request: ConversationRequest): Promise<AcceptResult | 'failed'> {
    return this.#attempt(request.id, () => this.#store.acceptRequest(request), 'failed')
  }

  started(requestId: string, attempt: number, at: number): void {
    this.#background(requestId, () => this.#store.startRequest(requestId, attempt, at))
  }

  requeued(requestId: string, attempt: number): Promise<RequeueResult> {
    return this.#attempt(requestId, () => this.#store.requeueRequest(requestId, attempt), { type: 'requeued' })
  }

  ended(
    requestId: string,
    attempt: number,
    status: Exclude<TerminalStatus, 'COMPLETED'>,
    errorCode: ErrorCode,
    finishedAt: number,
  ): void {
    this.#background(requestId, () => this.#store.settleRequest({ requestId, attempt, status, errorCode, finishedAt }))
  }

  /** Nobody waits for these: `#attempt` has dealt with their failure. */
  #background(requestId: string, call: () => Promise<unknown>): void {
    void this.#attempt(requestId, call, undefined)
  }

  async #attempt<T, F>(requestId: string, call: () => Promise<T>, otherwise: F): Promise<T | F> {
    try {
      const result = await call()
      this.#count({ ok: 1, failed: 0 })
      return result
    } catch (error) {
      this.#count({ ok: 0, failed: 1 })
      this.#log.error(
        { requestId, error: errorMessage(error) },
        'the database did not take a request’s status; the request goes on in memory',
      )
      return otherwise
    }
  }
}
