import type { Database } from 'better-sqlite3'
import { type RequestFiles, rememberedMessage } from '#domain/attachments.ts'
import type { ConversationKey, HistoryMessage } from '#domain/conversation.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { Preferences } from '#domain/preferences.ts'
import type { QuotaUse } from '#domain/quota.ts'
import type { ConversationRequest, RequestOrigin } from '#domain/request.ts'
import type { Schedule } from '#domain/schedule.ts'
import type { StoredFile } from '#protocol/attachments.ts'
import type {
  AcceptResult,
  AmendWriteResult,
  DatabaseApi,
  DatabaseStatistics,
  DirectChannel,
  KnownRequest,
  Recovery,
  RequeueResult,
  Settlement,
  Turn,
  WriteResult,
} from '#protocol/database.ts'
import type {
  DayUsage,
  ExportedMessage,
  ExportedRequest,
  ForgetScope,
  HistoryCursor,
  HistoryPage,
  RowCursor,
  UndeliveredText,
} from '#protocol/personal-records.ts'
import type { DeniedRequest, Promotion, PromotionFacts, ScheduleChanges } from '#protocol/schedules.ts'
import type {
  AuditEntry,
  ChoicesOfConversation,
  ExportedSettingChange,
  ServerSettingsChange,
  ServerSettingsResult,
  StoredServerSettings,
} from '#protocol/server-records.ts'
import { GroupCommit, type WriteOptions } from './group-commit.ts'
import { HistoryCache } from './history-cache.ts'
import { type MessageStatements, prepareMessageStatements } from './message-statements.ts'
import { PersonalRecords } from './personal-records.ts'
import { type Pruned, RequestRecords } from './request-records.ts'
import type { PruneStep } from './retention.ts'
import { ServerRecords } from './server-records.ts'
import { logBytes } from './write-ahead-log.ts'

export interface LocalDatabaseOptions {
  readonly historyCacheBytes?: number
  /** ms since epoch */
  readonly now?: () => number
  /** For durations, in ms. */
  readonly elapsed?: () => number
}

/** Question and answer. */
const TURN_MESSAGES = 2

const DEFAULTS = { historyCacheBytes: 16 * 1024 * 1024, now: Date.now, elapsed: () => performance.now() }

/** The calls of all clients on one open database. Used by the database thread only. */
export class LocalDatabaseApi implements DatabaseApi {
  readonly #path: string
  readonly #records: RequestRecords
  readonly #personal: PersonalRecords
  readonly #servers: ServerRecords
  readonly #messages: MessageStatements
  readonly #groupCommit: GroupCommit
  readonly #cache: HistoryCache
  readonly #elapsed: () => number
  readonly #onClose: () => void
  #reads = 0
  #failedReads = 0
  #pruned = 0
  #closing: Promise<void> | undefined

  /** `onClose` closes the file; it is called once, after the last commit. */
  constructor(database: Database, onClose: () => void, options: LocalDatabaseOptions = {}) {
    const { historyCacheBytes, now, elapsed } = { ...DEFAULTS, ...options }
    this.#path = database.name
    this.#records = new RequestRecords(database, now)
    this.#personal = new PersonalRecords(database, now)
    this.#servers = new ServerRecords(database)
    this.#messages = prepareMessageStatements(database)
    this.#groupCommit = new GroupCommit(database)
    this.#cache = new HistoryCache(historyCacheBytes)
    this.#elapsed = elapsed
    this.#onClose = onClose
  }

  acceptRequest(request: ConversationRequest, files?: RequestFiles): Promise<AcceptResult> {
    return this.#write(() => this.#records.accept(request, files), { label: 'accept' })
  }

  filesOf(requestId: string): Promise<StoredFile[]> {
    return this.#read(() => this.#records.attachments.of(requestId))
  }

  fileBytes(requestId: string, position: number): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#records.attachments.bytes(requestId, position))
  }

  addSchedule(schedule: Schedule, limit: number): Promise<'stored' | 'full'> {
    return this.#write(() => this.#records.schedules.add(schedule, limit))
  }

  schedulesOf(userId: string): Promise<Schedule[]> {
    return this.#read(() => this.#records.schedules.of(userId))
  }

  changeSchedule(userId: string, id: string, changes: ScheduleChanges): Promise<Schedule | undefined> {
    return this.#write(() => this.#records.schedules.change(userId, id, changes))
  }

  deleteSchedule(userId: string, id: string): Promise<boolean> {
    return this.#write(() => this.#records.schedules.delete(userId, id))
  }

  promoteDue(facts: PromotionFacts): Promise<Promotion> {
    return this.#write(() => this.#records.promoteDue(facts))
  }

  scheduledRequests(): Promise<ConversationRequest[]> {
    return this.#read(() => this.#records.scheduled())
  }

  denyScheduled(denied: DeniedRequest): Promise<WriteResult> {
    return this.#write(() => this.#records.denyScheduled(denied))
  }

  amendRequest(requestId: string, message: string, discordMessageId: string): Promise<AmendWriteResult> {
    return this.#write(() => this.#records.amend(requestId, message, discordMessageId))
  }

  startRequest(requestId: string, attempt: number, startedAt: number, virtualTime?: number): Promise<WriteResult> {
    return this.#write(() => this.#records.start(requestId, attempt, startedAt, virtualTime))
  }

  requeueRequest(requestId: string, attempt: number, counted = true): Promise<RequeueResult> {
    return this.#write(() => this.#records.requeue(requestId, attempt, counted))
  }

  settleRequest(settlement: Settlement): Promise<WriteResult> {
    return this.#write(() => this.#records.settle(settlement))
  }

  saveTurn(turn: Turn): Promise<WriteResult> {
    return this.#write(() => this.#saveTurn(turn), {
      label: 'answer',
      afterCommit: (result) => {
        if (result === 'stale') return
        if (turn.request.replaces === null) this.#cache.append(turn.request, historyOf(turn))
        else this.#cache.drop(turn.request)
      },
    })
  }

  findRequest(requestId: string): Promise<KnownRequest | undefined> {
    return this.#read(() => this.#records.find(requestId))
  }

  setStatusMessage(requestId: string, statusMessageId: string): Promise<void> {
    return this.#write(() => this.#records.setStatusMessage(requestId, statusMessageId))
  }

  markDelivered(requestId: string, messageIds: readonly string[]): Promise<void> {
    return this.#write(() => this.#records.markDelivered(requestId, messageIds))
  }

  abandonDelivery(requestId: string, reason: string): Promise<void> {
    return this.#write(() => this.#records.abandonDelivery(requestId, reason))
  }

  recover(origin: RequestOrigin): Promise<Recovery> {
    return this.#write(() => this.#records.recover(origin))
  }

  interruptLeftovers(origin: RequestOrigin, finishedAt: number): Promise<number> {
    return this.#write(() => this.#records.interruptLeftovers(origin, finishedAt))
  }

  directChannels(limit: number): Promise<DirectChannel[]> {
    return this.#read(() => this.#records.directChannels(limit))
  }

  markRead(channel: DirectChannel): Promise<void> {
    return this.#write(() => this.#records.markRead(channel))
  }

  history(key: ConversationKey, limit: number, replaced: string | null = null): Promise<HistoryMessage[]> {
    const bounded = Math.max(0, Math.trunc(limit))
    return this.#read(() => {
      const leftOut = replaced !== null && this.#records.isNewestTurn(key, replaced) ? TURN_MESSAGES : 0
      const messages = this.#newest(key, bounded + leftOut).slice(0, leftOut === 0 ? undefined : -leftOut)
      // An answer at the front has lost its question to the limit.
      return messages[0]?.role === 'assistant' ? messages.slice(1) : messages
    })
  }

  historyPage(key: ConversationKey, cursor: HistoryCursor, limit: number): Promise<HistoryPage> {
    return this.#read(() => this.#personal.historyPage(key, cursor, limit))
  }

  exportRequests(userId: string, after: RowCursor, limit: number): Promise<ExportedRequest[]> {
    return this.#read(() => this.#personal.exportRequests(userId, after, limit))
  }

  exportMessages(userId: string, after: RowCursor, limit: number): Promise<ExportedMessage[]> {
    return this.#read(() => this.#personal.exportMessages(userId, after, limit))
  }

  directChannelsOf(userId: string): Promise<DirectChannel[]> {
    return this.#read(() => this.#personal.directChannelsOf(userId))
  }

  undeliveredOf(userId: string): Promise<UndeliveredText[]> {
    return this.#read(() => this.#personal.undeliveredOf(userId))
  }

  usageOf(userId: string): Promise<DayUsage[]> {
    return this.#read(() => this.#personal.usageOf(userId))
  }

  quotaUse(userId: string, now: number, requests: number): Promise<QuotaUse> {
    return this.#read(() => this.#personal.quotaUse(userId, now, requests))
  }

  preferences(userId: string): Promise<Preferences> {
    return this.#read(() => this.#personal.preferences.of(userId))
  }

  changePreferences(userId: string, changes: Partial<Preferences>): Promise<Preferences> {
    return this.#write(() => {
      // Who chooses anew is told anew.
      if (changes.model !== undefined) this.#servers.forgetTold(userId)
      return this.#personal.preferences.change(userId, changes)
    })
  }

  choices(key: ConversationKey): Promise<ChoicesOfConversation> {
    return this.#read(() => this.#servers.choices(key))
  }

  serverSettings(serverId: string): Promise<StoredServerSettings> {
    return this.#read(() => this.#servers.of(serverId))
  }

  changeServerSettings(change: ServerSettingsChange): Promise<ServerSettingsResult> {
    return this.#write(() => this.#servers.change(change))
  }

  serverAudit(serverId: string, limit: number): Promise<AuditEntry[]> {
    return this.#read(() => this.#servers.audit(serverId, limit))
  }

  exportSettingChanges(userId: string, after: RowCursor, limit: number): Promise<ExportedSettingChange[]> {
    return this.#read(() => this.#servers.exportChanges(userId, after, limit))
  }

  async forget(scope: ForgetScope): Promise<number> {
    const forget = () => {
      if (scope.serverId === null) this.#servers.forgetTold(scope.userId)
      return this.#personal.forget(scope)
    }
    const forgotten = await this.#write(forget, {
      afterCommit: ({ conversations }) => {
        for (const key of conversations) this.#cache.drop(key)
      },
    })
    return forgotten.messages
  }

  /**
   * Deletes at most `limit` requests that ended before an instant, with all that belongs to them; retention calls it.
   * The time it took includes the writes that shared its commit.
   */
  async prune(finishedBefore: number, limit: number): Promise<PruneStep> {
    let [beganAt, endedAt] = [0, 0]
    const work = () => {
      beganAt = this.#elapsed()
      return this.#records.prune(finishedBefore, limit)
    }
    const afterCommit = ({ requests, messages, conversations }: Pruned) => {
      endedAt = this.#elapsed()
      this.#pruned += requests + messages
      for (const key of conversations) this.#cache.drop(key)
    }
    const { requests, messages } = await this.#write(work, { afterCommit })
    return { requests, messages, tookMs: endedAt - beganAt }
  }

  probe(): Promise<void> {
    return this.#write(() => this.#records.probe())
  }

  async statistics(): Promise<DatabaseStatistics> {
    const { failed, ...counters } = this.#groupCommit.counters
    return {
      ...counters,
      reads: this.#reads,
      failed: failed + this.#failedReads,
      walBytes: logBytes(this.#path),
      historyCache: this.#cache.counters,
      pruned: this.#pruned,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Oldest first. */
  #newest(key: ConversationKey, limit: number): HistoryMessage[] {
    return this.#cache.newest(key, limit, () => this.#messages.newest.all({ ...key, limit }).reverse())
  }

  async #close(): Promise<void> {
    this.#groupCommit.flush()
    this.#onClose()
  }

  /** One write: that somebody was told something is stored with what told them, or not at all. */
  #saveTurn(turn: Turn): WriteResult {
    const result = this.#records.saveTurn(turn)
    if (result === 'stored' && turn.toldOf !== undefined) this.#servers.noteTold(turn.request.userId, turn.toldOf)
    return result
  }

  async #write<T>(work: () => T, options?: WriteOptions<T>): Promise<T> {
    this.#refuseWhenClosing()
    return this.#groupCommit.write(work, options)
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

/** The two history messages of a turn, as they are stored. */
function historyOf({ request, answer, answeredAt }: Turn): HistoryMessage[] {
  return [
    { role: 'user', content: rememberedMessage(request), timestamp: request.timestamp },
    { role: 'assistant', content: answer, timestamp: answeredAt },
  ]
}
