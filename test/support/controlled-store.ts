import type { RequestFiles } from '#domain/attachments.ts'
import { ParleyError } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { Settlement, Turn } from '#protocol/database.ts'
import type { RequestStore } from '#queue/request-journal.ts'

/** A store whose calls a test can hold up or make fail. */
export class ControlledStore implements RequestStore {
  /** `refusing` writes nothing, `deaf` writes and loses the answer, `broken` throws before there is a promise. */
  mode: 'working' | 'refusing' | 'deaf' | 'broken' = 'working'
  /** Calls made and calls over: when neither grows, nothing is going on. */
  readonly counters = { made: 0, over: 0 }
  /** The names of all calls, in order. */
  readonly calls: (keyof RequestStore)[] = []
  readonly #store: RequestStore
  #busy = 0
  #gate: PromiseWithResolvers<void> | undefined
  #isCutOff = false

  constructor(store: RequestStore) {
    this.#store = store
  }

  /** Calls that are under way, those held up not among them. */
  get busy(): number {
    return this.#busy
  }

  acceptRequest(request: ConversationRequest, files?: RequestFiles): ReturnType<RequestStore['acceptRequest']> {
    return this.#call('acceptRequest', () => this.#store.acceptRequest(request, files))
  }

  amendRequest(id: string, message: string, discordMessageId: string): ReturnType<RequestStore['amendRequest']> {
    return this.#call('amendRequest', () => this.#store.amendRequest(id, message, discordMessageId))
  }

  startRequest(requestId: string, attempt: number, startedAt: number): ReturnType<RequestStore['startRequest']> {
    return this.#call('startRequest', () => this.#store.startRequest(requestId, attempt, startedAt))
  }

  requeueRequest(requestId: string, attempt: number, counted?: boolean): ReturnType<RequestStore['requeueRequest']> {
    return this.#call('requeueRequest', () => this.#store.requeueRequest(requestId, attempt, counted))
  }

  settleRequest(settlement: Settlement): ReturnType<RequestStore['settleRequest']> {
    return this.#call('settleRequest', () => this.#store.settleRequest(settlement))
  }

  saveTurn(turn: Turn): ReturnType<RequestStore['saveTurn']> {
    return this.#call('saveTurn', () => this.#store.saveTurn(turn))
  }

  probe(): ReturnType<RequestStore['probe']> {
    return this.#call('probe', () => this.#store.probe())
  }

  /** Calls made from now on wait for `release`. */
  hold(): void {
    this.#gate ??= Promise.withResolvers()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = undefined
  }

  /** Its process has ended: nothing reaches the store any more, and nobody is told anything. */
  cutOff(): void {
    this.#isCutOff = true
  }

  #call<T>(name: keyof RequestStore, call: () => Promise<T>): Promise<T> {
    this.calls.push(name)
    if (this.mode === 'broken') throw new Error('the store is broken')
    return this.#answer(call, this.mode, this.#gate?.promise)
  }

  async #answer<T>(call: () => Promise<T>, mode: ControlledStore['mode'], gate: Promise<void> | undefined): Promise<T> {
    this.counters.made += 1
    if (gate) await gate
    if (this.#isCutOff) return new Promise(() => undefined)
    this.#busy += 1
    try {
      if (mode === 'refusing') throw new ParleyError('DATABASE_UNAVAILABLE', 'The database is away.')
      const result = await call()
      if (mode === 'deaf') throw new ParleyError('CALL_TIMED_OUT', 'The database did not answer in time.')
      return result
    } finally {
      this.#busy -= 1
      this.counters.over += 1
    }
  }
}

/** Takes everything and keeps nothing. */
export const FORGETFUL_STORE: RequestStore = {
  acceptRequest: async () => 'stored',
  amendRequest: async () => 'stored',
  startRequest: async () => 'stored',
  requeueRequest: async () => ({ type: 'requeued' }),
  settleRequest: async () => 'stored',
  saveTurn: async () => 'stored',
  probe: async () => undefined,
}
