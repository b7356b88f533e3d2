import type { Database } from 'better-sqlite3'
import { type RequestFiles, rememberedMessage } from '#domain/attachments.ts'
import type { ConversationKey } from '#domain/conversation.ts'
import { chargedTokens } from '#domain/fair-shares.ts'
import {
  type ConversationRequest,
  isDirect,
  isScheduled,
  isTerminal,
  originOf,
  type RequestOrigin,
} from '#domain/request.ts'
import type {
  AcceptResult,
  AmendWriteResult,
  DirectChannel,
  KnownRequest,
  Recovery,
  RequeueResult,
  Settlement,
  Turn,
  WriteResult,
} from '#protocol/database.ts'
import type { DeniedRequest, Promotion, PromotionFacts } from '#protocol/schedules.ts'
import { type AddedMessageStatements, prepareAddedMessageStatements } from './added-message-statements.ts'
import { AttachmentRecords } from './attachment-records.ts'
import { type ChannelStatements, prepareChannelStatements } from './channel-statements.ts'
import { FairRecords } from './fair-records.ts'
import { type MessageStatements, prepareMessageStatements } from './message-statements.ts'
import { OutboxRecords } from './outbox-records.ts'
import { mayComplete, mayRequeue, maySettle, mayStart } from './request-fence.ts'
import { prepareRequestStatements, type RequestStatements, recoveredRequest } from './request-statements.ts'
import { ScheduleRecords } from './schedule-records.ts'
import { UsageRecords } from './usage-records.ts'

/** What one step of retention has deleted. */
export interface Pruned {
  readonly requests: number
  readonly messages: number
  readonly conversations: readonly ConversationKey[]
}

/** What is written about requests. Each method is one write: to be called inside a savepoint, all or nothing. */
export class RequestRecords {
  readonly #requests: RequestStatements
  readonly #messages: MessageStatements
  readonly #outbox: OutboxRecords
  readonly #channels: ChannelStatements
  readonly #usage: UsageRecords
  readonly #fair: FairRecords
  readonly #added: AddedMessageStatements
  readonly attachments: AttachmentRecords
  readonly schedules: ScheduleRecords
  readonly #now: () => number

  /** `now` in ms since epoch. */
  constructor(database: Database, now: () => number) {
    this.#requests = prepareRequestStatements(database)
    this.#messages = prepareMessageStatements(database)
    this.#outbox = new OutboxRecords(database, now)
    this.#channels = prepareChannelStatements(database)
    this.#usage = new UsageRecords(database)
    this.#fair = new FairRecords(database)
    this.#added = prepareAddedMessageStatements(database)
    this.attachments = new AttachmentRecords(database)
    this.schedules = new ScheduleRecords(database)
    this.#now = now
  }

  /** A request that is stored already, under its own id, was stored by an earlier call whose answer was lost. */
  accept(request: ConversationRequest, files?: RequestFiles): AcceptResult {
    if (isScheduled(request)) return this.#acceptScheduled(request)
    const isAdded = this.#added.isAdded.get(request.discordMessageId) !== undefined
    if (!isAdded && this.#requests.insertQueued.run(request).changes === 1) {
      if (files) this.attachments.add(request.id, files)
      this.#fair.claim(request.userId, request)
      this.#noteRead(request)
      return 'stored'
    }
    return this.#requests.state.get(request.id) === undefined ? 'duplicate' : 'stored'
  }

  /** Makes requests of the schedules that are due; see `SchedulesApi`. */
  promoteDue(facts: PromotionFacts): Promotion {
    const fired = this.schedules.promoteDue(facts).flatMap((id) => this.#requests.byId.all(id))
    return { fired: fired.map((stored) => recoveredRequest(stored).request), nextAt: this.schedules.nextAt() }
  }

  scheduled(): ConversationRequest[] {
    return this.#requests.scheduled.all().map((stored) => recoveredRequest(stored).request)
  }

  deleteSchedule(userId: string, id: string): boolean {
    return this.schedules.delete(userId, id, this.#now())
  }

  denyScheduled(denied: DeniedRequest): WriteResult {
    const state = this.#requests.state.get(denied.requestId)
    if (!this.schedules.deny(denied)) return 'stale'
    if (state?.status === 'QUEUED') this.#fair.settle(denied.requestId, { hasRun: false, usage: null })
    this.#outbox.add(denied.requestId, denied, denied.finishedAt)
    return 'stored'
  }

  amend(requestId: string, message: string, discordMessageId: string): AmendWriteResult {
    if (this.#requests.state.get(requestId)?.status !== 'QUEUED') return 'stale'
    if (this.#added.isTaken.get({ discordMessageId }) === 1) return 'duplicate'
    this.#requests.setMessage.run({ requestId, message })
    this.#added.insert.run({ requestId, discordMessageId })
    return 'stored'
  }

  start(requestId: string, attempt: number, startedAt: number, virtualTime?: number): WriteResult {
    if (!mayStart(this.#requests.state.get(requestId), attempt)) return 'stale'
    this.#requests.start.run({ requestId, attempt, startedAt })
    if (virtualTime !== undefined) this.#fair.dispatched(virtualTime)
    return 'stored'
  }

  requeue(requestId: string, attempt: number, counted: boolean): RequeueResult {
    const state = this.#requests.state.get(requestId)
    // Accepting it had failed, so nothing here says that it has ended: it may run again.
    if (state === undefined) return { type: 'requeued' }
    if (state.status === 'COMPLETED') return this.#storedAnswer(requestId)
    if (!mayRequeue(state, attempt)) return { type: 'stale' }
    this.#requests.requeue.run({ requestId, attempt: counted ? attempt : attempt - 1 })
    return { type: 'requeued' }
  }

  settle(settlement: Settlement): WriteResult {
    const { requestId, attempt, status, messages, finishedAt } = settlement
    if (!maySettle(this.#requests.state.get(requestId), attempt, status)) return 'stale'
    this.#requests.settle.run(settlement)
    this.#fair.settle(requestId, { hasRun: attempt > 0, usage: null })
    this.#outbox.add(requestId, { messages }, finishedAt)
    return 'stored'
  }

  saveTurn(turn: Turn): WriteResult {
    const { request, attempt, answeredAt: finishedAt } = turn
    const state = this.#requests.state.get(request.id)
    if (state === undefined) {
      this.#requests.insertCompleted.run({ ...request, attempt, finishedAt })
      this.#noteRead(request)
    } else {
      if (!mayComplete(state, attempt)) return 'stale'
      this.#requests.complete.run({ requestId: request.id, attempt, finishedAt })
    }
    this.#removeReplaced(request)
    this.#insertHistory(turn)
    const ended = { hasRun: true, usage: turn.usage }
    this.#usage.add(request.userId, chargedTokens(request, ended), finishedAt)
    this.#fair.settle(request.id, ended)
    this.#outbox.add(request.id, turn, finishedAt)
    return 'stored'
  }

  find(requestId: string): KnownRequest | undefined {
    const stored = this.#requests.byId.get(requestId)
    if (stored === undefined) return undefined
    const isNewestTurn = this.isNewestTurn(stored, requestId)
    return { request: recoveredRequest(stored).request, status: stored.status, isNewestTurn }
  }

  isNewestTurn({ userId, serverId }: ConversationKey, requestId: string): boolean {
    return this.#messages.newestRequest.get({ userId, serverId }) === requestId
  }

  setStatusMessage(requestId: string, statusMessageId: string): void {
    this.#requests.setStatusMessage.run({ requestId, statusMessageId })
  }

  markDelivered(requestId: string, messageIds: readonly string[]): void {
    this.#outbox.deliver(requestId, messageIds)
  }

  abandonDelivery(requestId: string, reason: string): void {
    this.#outbox.abandon(requestId, reason)
    // Where nothing can be shown, nothing needs to be asked again.
    this.schedules.endOf(requestId)
  }

  recover(origin: RequestOrigin): Recovery {
    const interrupted = this.#requests.requeueInterrupted.run({ origin }).changes
    const waiting = this.#requests.waiting.all({ origin }).map(recoveredRequest)
    return { waiting, undelivered: this.#outbox.undelivered(origin), interrupted, fair: this.#fair.recover() }
  }

  interruptLeftovers(origin: RequestOrigin, finishedAt: number): number {
    return this.#requests.interruptActive.run({ origin, finishedAt, errorCode: 'REQUEST_INTERRUPTED' }).changes
  }

  markRead(channel: DirectChannel): void {
    this.#channels.read.run({ ...channel, usedAt: this.#now() })
  }

  directChannels(limit: number): DirectChannel[] {
    return this.#channels.lastUsed.all(Math.max(0, Math.trunc(limit)))
  }

  /** Deletes the oldest requests that ended before an instant and have nothing left to deliver, with all their rows. */
  prune(finishedBefore: number, limit: number): Pruned {
    const requests = this.#requests.finishedBefore.all({ finishedBefore, limit })
    this.#usage.prune(finishedBefore)
    let messages = 0
    for (const { id } of requests) {
      messages += this.#messages.deleteTurn.run(id).changes
      this.#outbox.delete(id)
      this.#added.delete.run(id)
      this.attachments.delete(id)
      this.schedules.deleteRequest(id)
      this.#requests.delete.run(id)
    }
    return { requests: requests.length, messages, conversations: requests }
  }

  probe(): void {
    this.#channels.probe.run(this.#now())
  }

  /** It is in the file already, unless it was forgotten since. */
  #acceptScheduled(request: ConversationRequest): AcceptResult {
    if (this.#requests.queueScheduled.run(request).changes === 1) this.#fair.claim(request.userId, request)
    const state = this.#requests.state.get(request.id)
    return state === undefined || isTerminal(state.status) ? 'duplicate' : 'stored'
  }

  #storedAnswer(requestId: string): RequeueResult {
    const stored = this.#messages.answer.get(requestId)
    if (stored === undefined) return { type: 'stale' }
    const { promptTokens, completionTokens, ...answered } = stored
    const usage = promptTokens === null || completionTokens === null ? null : { promptTokens, completionTokens }
    return { type: 'answered', ...answered, usage, ...this.#outbox.of(requestId) }
  }

  /** A request of a direct message shows that the conversation has been read up to there. */
  #noteRead(request: ConversationRequest): void {
    const { channelId, userId, discordMessageId, interactionToken } = request
    if (!isDirect(request) || originOf(request) !== 'discord') return
    // The id of a command is none of a message.
    if (discordMessageId === null || interactionToken !== null) return
    this.markRead({ channelId, userId, lastMessageId: discordMessageId })
  }

  /** Once the conversation has gone on, what it went on from stays. */
  #removeReplaced({ replaces, ...key }: ConversationRequest): void {
    if (replaces === null || !this.isNewestTurn(key, replaces)) return
    this.#messages.deleteTurn.run(replaces)
    this.#requests.blankReplaced.run(replaces)
  }

  #insertHistory({ request, answer, model, usage, answeredAt }: Turn): void {
    const key = { requestId: request.id, userId: request.userId, serverId: request.serverId }
    this.#messages.insert.run({
      ...key,
      role: 'user',
      content: rememberedMessage(request),
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
}
