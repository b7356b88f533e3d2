import type { Database } from 'better-sqlite3'
import type { ConversationKey, HistoryMessage } from '#domain/conversation.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type {
  AcceptResult,
  DatabaseApi,
  DatabaseStatistics,
  RequeueResult,
  Settlement,
  Turn,
  WriteResult,
} from '#protocol/database.ts'
import { GroupCommit } from './group-commit.ts'
import { type MessageStatements, prepareMessageStatements } from './message-statements.ts'
import { mayComplete, mayRequeue, maySettle, mayStart } from './request-fence.ts'
import { prepareRequestStatements, type RequestStatements } from './request-statements.ts'

/** The calls of all clients on one open database. Used by the database thread only. */
export class LocalDatabaseApi implements DatabaseApi {
  readonly #requests: RequestStatements
  readonly #messages: MessageStatements
  readonly #groupCommit: GroupCommit
  readonly #onClose: () => void
  #reads = 0
  #failedReads = 0
  #closing: Promise<void> | undefined

  /** `onClose` closes the file; it is called once, after the last commit. */
  constructor(database: Database, onClose: () => void) {
    this.#requests = prepareRequestStatements(database)
    this.#messages = prepareMessageStatements(database)
    this.#groupCommit = new GroupCommit(database)
    this.#onClose = onClose
  }

  acceptRequest(request: ConversationRequest): Promise<AcceptResult> {
    return this.#write(() => (this.#requests.insertQueued.run(request).changes === 1 ? 'stored' : 'duplicate'))
  }

  startRequest(requestId: string, attempt: number, startedAt: number): Promise<WriteResult> {
    return this.#write(() => {
      if (!mayStart(this.#requests.state.get(requestId), attempt)) return 'stale'
      this.#requests.start.run({ requestId, attempt, startedAt })
      return 'stored'
    })
  }

  requeueRequest(requestId: string, attempt: number): Promise<RequeueResult> {
    return this.#write(() => this.#requeue(requestId, attempt))
  }

  settleRequest(settlement: Settlement): Promise<WriteResult> {
    return this.#write(() => {
      const state = this.#requests.state.get(settlement.requestId)
      if (!maySettle(state, settlement.attempt, settlement.status)) return 'stale'
      this.#requests.settle.run(settlement)
      return 'stored'
    })
  }

  saveTurn(turn: Turn): Promise<WriteResult> {
    return this.#write(() => this.#saveTurn(turn))
  }

  async setStatusMessage(requestId: string, statusMessageId: string): Promise<void> {
    await this.#write(() => this.#requests.setStatusMessage.run({ requestId, statusMessageId }))
  }

  history(key: ConversationKey, limit: number): Promise<HistoryMessage[]> {
    return this.#read(() => {
      const messages = this.#messages.newest.all({ ...key, limit: Math.max(0, Math.trunc(limit)) }).reverse()
      // An answer at the front has lost its question to the limit.
      return messages[0]?.role === 'assistant' ? messages.slice(1) : messages
    })
  }

  forget(key: ConversationKey): Promise<number> {
    return this.#write(() => {
      this.#requests.blankTexts.run(key)
      return this.#messages.deleteConversation.run(key).changes
    })
  }

  interruptLeftovers(finishedAt: number): Promise<number> {
    const interruption = { errorCode: 'REQUEST_INTERRUPTED', finishedAt } as const
    return this.#write(() => this.#requests.interruptActive.run(interruption).changes)
  }

  async statistics(): Promise<DatabaseStatistics> {
    const { writes, commits, failed } = this.#groupCommit.counters
    return { reads: this.#reads, writes, failed: failed + this.#failedReads, commits }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#groupCommit.flush()
    this.#onClose()
  }

  #requeue(requestId: string, attempt: number): RequeueResult {
    const state = this.#requests.state.get(requestId)
    // Accepting it had failed, so nothing here says that it has ended: it may run again.
    if (state === undefined) return { type: 'requeued' }
    if (state.status === 'COMPLETED') return this.#storedAnswer(requestId)
    if (!mayRequeue(state, attempt)) return { type: 'stale' }
    this.#requests.requeue.run(requestId)
    return { type: 'requeued' }
  }

  #storedAnswer(requestId: string): RequeueResult {
    const stored = this.#messages.answer.get(requestId)
    return stored === undefined ? { type: 'stale' } : { type: 'answered', ...stored }
  }

  #saveTurn(turn: Turn): WriteResult {
    const { request, attempt, answeredAt: finishedAt } = turn
    const state = this.#requests.state.get(request.id)
    if (state === undefined) this.#requests.insertCompleted.run({ ...request, attempt, finishedAt })
    else if (mayComplete(state, attempt)) this.#requests.complete.run({ requestId: request.id, attempt, finishedAt })
    else return 'stale'
    this.#insertMessages(turn)
    return 'stored'
  }

  #insertMessages({ request, answer, model, usage, answeredAt }: Turn): void {
    const key = { requestId: request.id, userId: request.userId, serverId: request.serverId }
    this.#messages.insert.run({
      ...key,
      role: 'user',
      content: request.message,
      timestamp: request.timestamp,
      model: null,
      promptTokens: null,
      completionTokens: null,
    })
    this.#messages.insert.run({
      ...key,
      role: 'assistant',
      content: answer,
      timestamp: answeredAt,
      model,
      promptTokens: usage?.promptTokens ?? null,
      completionTokens: usage?.completionTokens ?? null,
    })
  }

  async #write<T>(work: () => T): Promise<T> {
    this.#refuseWhenClosing()
    return this.#groupCommit.write(work)
  }

  async #read<T>(work: () => T): Promise<T> {
    this.#refuseWhenClosing()
    this.#reads += 1
    try {
      return work()
    } catch (cause) {
      this.#failedReads += 1
      throw new ParleyError('DATABASE_FAILED', `The database could not be read (${errorMessage(cause)}).`, { cause })
    }
  }

  #refuseWhenClosing(): void {
    if (this.#closing === undefined) return
    throw new ParleyError('DATABASE_UNAVAILABLE', 'The database is closing. The call was not made.')
  }
}
