import type { Database } from 'better-sqlite3'
import type { ConversationKey } from '#domain/conversation.ts'
import type { QuotaUse } from '#domain/quota.ts'
import type { DirectChannel } from '#protocol/database.ts'
import type {
  DayUsage,
  ExportedMessage,
  ExportedRequest,
  ForgetScope,
  HistoryCursor,
  HistoryPage,
  RowCursor,
  StoredMessage,
  UndeliveredText,
} from '#protocol/personal-records.ts'
import { type PersonalStatements, preparePersonalStatements } from './personal-statements.ts'
import { PreferenceRecords } from './preference-records.ts'
import { ReplyFileRecords } from './reply-file-records.ts'
import { ScheduleRecords } from './schedule-records.ts'
import { UsageRecords } from './usage-records.ts'

/** What was forgotten, so that caches can forget it too. */
export interface Forgotten {
  readonly messages: number
  readonly conversations: readonly ConversationKey[]
}

/** Above every message's id. */
const NEWEST = Number.MAX_SAFE_INTEGER
/** No page is longer: what is read at once keeps the thread from everybody else. */
const LONGEST_PAGE = 500

/** What is stored about one user. `forget` is one write: to be called inside a savepoint, all or nothing. */
export class PersonalRecords {
  readonly #statements: PersonalStatements
  readonly #usage: UsageRecords
  /** What its user has chosen. */
  readonly preferences: PreferenceRecords
  readonly #files: ReplyFileRecords
  readonly #schedules: ScheduleRecords
  readonly #now: () => number

  /** `now` in ms since epoch. */
  constructor(database: Database, now: () => number) {
    this.#statements = preparePersonalStatements(database)
    this.#usage = new UsageRecords(database)
    this.preferences = new PreferenceRecords(database)
    this.#files = new ReplyFileRecords(database)
    this.#schedules = new ScheduleRecords(database)
    this.#now = now
  }

  historyPage(key: ConversationKey, cursor: HistoryCursor, limit: number): HistoryPage {
    const found = this.#messagesAt(key, cursor, bounded(limit))
    const messages = found.length > 0 ? found : this.#messagesAt(key, { type: 'newest' }, bounded(limit))
    const [oldest, newest] = [messages[0], messages.at(-1)]
    return {
      messages,
      hasOlder:
        oldest !== undefined && this.#statements.before.get({ ...key, messageId: oldest.id, limit: 1 }) !== undefined,
      hasNewer:
        newest !== undefined && this.#statements.after.get({ ...key, messageId: newest.id, limit: 1 }) !== undefined,
    }
  }

  exportRequests(userId: string, after: RowCursor, limit: number): ExportedRequest[] {
    const rows = this.#statements.requests.all({ userId, ...after, limit: bounded(limit) })
    // Written as JSON by the statement that read it.
    return rows.map(({ files, ...row }) => (files === null ? row : { ...row, files: JSON.parse(files) }))
  }

  exportMessages(userId: string, after: RowCursor, limit: number): ExportedMessage[] {
    return this.#statements.messages.all({ userId, ...after, limit: bounded(limit) })
  }

  directChannelsOf(userId: string): DirectChannel[] {
    return this.#statements.channels.all(userId)
  }

  undeliveredOf(userId: string): UndeliveredText[] {
    return this.#statements.undelivered.all({ userId, limit: LONGEST_PAGE })
  }

  usageOf(userId: string): DayUsage[] {
    return this.#usage.days(userId)
  }

  quotaUse(userId: string, now: number, requests: number): QuotaUse {
    return this.#usage.quotaUse(userId, now, requests)
  }

  /** What was used stays counted. */
  forget({ userId, serverId }: ForgetScope): Forgotten {
    const scope = { userId, serverId }
    const conversations = this.#statements.conversations.all(scope)
    this.#statements.abandonReplies.run({ ...scope, reason: 'forgotten', endedAt: this.#now() })
    this.#files.forget(scope)
    this.#schedules.forget(scope, this.#now())
    this.#statements.blankRequests.run(scope)
    this.#statements.deleteAttachments.run(scope)
    if (serverId === null) {
      this.#statements.deleteChannels.run(userId)
      this.preferences.delete(userId)
    }
    return { messages: this.#statements.deleteMessages.run(scope).changes, conversations }
  }

  /** Oldest first. */
  #messagesAt(key: ConversationKey, cursor: HistoryCursor, limit: number): StoredMessage[] {
    if (cursor.type === 'after') return this.#statements.after.all({ ...key, messageId: cursor.messageId, limit })
    const messageId = cursor.type === 'before' ? cursor.messageId : NEWEST
    return this.#statements.before.all({ ...key, messageId, limit }).reverse()
  }
}

function bounded(limit: number): number {
  return Math.min(LONGEST_PAGE, Math.max(1, Math.trunc(limit)))
}
