import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { bytesOf, type RequestFiles } from '#domain/attachments.ts'
import { errorMessage } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { DatabaseCalls } from '#protocol/assistant.ts'
import type {
  AcceptResult,
  AmendWriteResult,
  DatabaseApi,
  RequeueResult,
  Settlement,
  Turn,
} from '#protocol/database.ts'
import type { StorageState } from '#protocol/queue.ts'
import { StoreBacklog } from './store-backlog.ts'

/** The part of the database that the queue writes. */
export type RequestStore = Pick<
  DatabaseApi,
  'acceptRequest' | 'amendRequest' | 'startRequest' | 'requeueRequest' | 'settleRequest' | 'saveTurn' | 'probe'
>

export interface JournalOptions {
  readonly store: RequestStore
  readonly clock: Clock
  readonly log: Log
  readonly onCalls: (calls: DatabaseCalls) => void
}

/** `failed`: it is not known whether it was stored; `unavailable`: it was not tried. */
export type Acceptance = AcceptResult | 'failed' | 'unavailable'

/**
 * Writes the life of requests to the database, without ever holding the queue up: a write that
 * fails is counted and logged, the request goes on in memory, and what matters is written later.
 */
export class RequestJournal {
  readonly #options: JournalOptions
  readonly #backlog: StoreBacklog
  /** Writes that nobody waits for. */
  readonly #underWay = new Set<Promise<void>>()

  constructor(options: JournalOptions) {
    const { store, clock, log } = options
    this.#options = options
    this.#backlog = new StoreBacklog({ probe: () => store.probe(), clock, log })
  }

  get storage(): StorageState {
    return this.#backlog.state
  }

  /** False from the first write that fails until a probe works. */
  get available(): boolean {
    return this.#backlog.available
  }

  /** While nothing can be stored, nothing is tried. */
  async accepted(request: ConversationRequest, files?: RequestFiles): Promise<Acceptance> {
    if (!this.available) return 'unavailable'
    return this.#attempt(request.id, () => this.#options.store.acceptRequest(request, files), 'failed')
  }

  amended(requestId: string, message: string, discordMessageId: string): Promise<AmendWriteResult | 'failed'> {
    const call = () => this.#options.store.amendRequest(requestId, message, discordMessageId)
    return this.available ? this.#attempt(requestId, call, 'failed') : Promise.resolve('failed')
  }

  /** Stores a request that goes on in memory, as soon as that can be done. */
  acceptLater(request: ConversationRequest, files?: RequestFiles): void {
    const write = () => this.#options.store.acceptRequest(request, files)
    this.#later(request.id, write, 2 * request.message.length + bytesOf(files))
  }

  /** A request that was turned away because storing it failed: should it be there after all, it must not run later. */
  takeBack(request: ConversationRequest, finishedAt: number): void {
    const settlement = { requestId: request.id, attempt: 0, status: 'CANCELLED', messages: [], finishedAt } as const
    this.#later(request.id, () => this.#options.store.settleRequest({ ...settlement, errorCode: 'REQUEST_NOT_STORED' }))
  }

  started(requestId: string, attempt: number, at: number, virtualTime: number): void {
    // The fences make up for a start that is not in the file.
    const call = () => this.#options.store.startRequest(requestId, attempt, at, virtualTime)
    this.#follow(this.#attempt(requestId, call, undefined))
  }

  async requeued(requestId: string, attempt: number, counted: boolean): Promise<RequeueResult> {
    const call = () => this.#options.store.requeueRequest(requestId, attempt, counted)
    const result = await this.#attempt(requestId, call, null)
    if (result) return result
    // The file has an attempt too many then, and would take no end of an earlier one.
    if (!counted) this.#later(requestId, call)
    return { type: 'requeued' }
  }

  ended(settlement: Settlement): void {
    this.#follow(this.#ended(settlement))
  }

  /** Stores an answer that its worker could not store; it brings its request along. */
  answered(turn: Turn): void {
    const bytes = 2 * (turn.answer.length + turn.request.message.length)
    const write = () => this.#options.store.saveTurn(turn)
    this.#backlog.keep(turn.request.id, write, bytes, { replacing: true })
  }

  /** An answer that its worker stored brought the request along. */
  isStored(requestId: string): void {
    this.#backlog.forget(requestId)
  }

  /** Waits for what is being written, and tries once more what could not be. */
  async stop(): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#backlog.stop()
  }

  async #ended(settlement: Settlement): Promise<void> {
    const { requestId } = settlement
    const { store } = this.#options
    const result = this.available
      ? await this.#attempt(requestId, () => store.settleRequest(settlement), 'failed')
      : 'failed'
    // By the time it is written its messages have been shown.
    if (result === 'failed') this.#later(requestId, () => store.settleRequest({ ...settlement, messages: [] }))
  }

  #later(requestId: string, write: () => Promise<unknown>, bytes = 0): void {
    this.#backlog.keep(requestId, write, bytes)
  }

  #follow(write: Promise<unknown>): void {
    const followed: Promise<void> = write.then(() => void this.#underWay.delete(followed))
    this.#underWay.add(followed)
  }

  /** Never rejects. */
  async #attempt<T, F>(requestId: string, call: () => Promise<T>, otherwise: F): Promise<T | F> {
    const { log, onCalls } = this.#options
    try {
      const result = await call()
      onCalls({ ok: 1, failed: 0 })
      return result
    } catch (error) {
      onCalls({ ok: 0, failed: 1 })
      this.#backlog.failed(error)
      log.error(
        { requestId, error: errorMessage(error) },
        'the database did not take a request’s status; the request goes on in memory',
      )
      return otherwise
    }
  }
}
