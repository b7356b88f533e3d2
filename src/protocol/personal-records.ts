import type { ConversationKey, HistoryMessage } from '#domain/conversation.ts'
import type { Preferences } from '#domain/preferences.ts'
import type { QuotaUse } from '#domain/quota.ts'
import type { RequestStatus } from '#domain/request.ts'
import type { DirectChannel } from './database.ts'

/** Where a page of history is: at its end, or next to a message that was seen. */
export type HistoryCursor =
  | { readonly type: 'newest' }
  | { readonly type: 'before' | 'after'; readonly messageId: number }

export interface StoredMessage extends HistoryMessage {
  readonly id: number
}

/** A part of a conversation. */
export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
}

/** What is to be forgotten of a user. */
export interface ForgetScope {
  readonly userId: string
  /** null: all conversations, which direct conversation is theirs, and what they have chosen. */
  readonly serverId: string | null
}

/** The row a page of an export goes on after; `FIRST_ROW` to begin. */
export interface RowCursor {
  readonly serverId: string
  readonly row: number
}

export const FIRST_ROW: RowCursor = { serverId: '', row: 0 }

/** A request as its user may take it along. */
export interface ExportedRequest extends RowCursor {
  readonly id: string
  readonly channelId: string
  /** Of a direct message in a server's conversation. */
  readonly directServerName: string | null
  readonly message: string
  readonly status: RequestStatus
  /** ms since epoch */
  readonly timestamp: number
  readonly finishedAt: number | null
  readonly errorCode: string | null
  /** What came with it; left out when that was nothing. */
  readonly files?: readonly ExportedFile[]
}

/** A file as its user may know of it; they have it themselves. */
interface ExportedFile {
  readonly name: string
  readonly kind: string
  readonly mediaType: string | null
  readonly sizeBytes: number | null
}

/** A message of a conversation as its user may take it along. */
export interface ExportedMessage extends HistoryMessage, RowCursor {
  readonly model: string | null
  readonly promptTokens: number | null
  readonly completionTokens: number | null
}

/** What the answers of a day have cost. */
export interface DayUsage {
  /** Of UTC, counted from 1970. */
  readonly day: number
  readonly tokens: number
}

/** A text that is still to be delivered to a user. */
export interface UndeliveredText {
  readonly requestId: string
  /** The file it is; null for a message. */
  readonly file: string | null
  readonly text: string
}

/** What a user may see, take along and have deleted of what is stored about them. */
export interface PersonalRecordsApi {
  /** A page of a conversation; the newest one when nothing is where the cursor points. */
  historyPage(key: ConversationKey, cursor: HistoryCursor, limit: number): Promise<HistoryPage>
  /** The requests of a user after a row, server by server. */
  exportRequests(userId: string, after: RowCursor, limit: number): Promise<ExportedRequest[]>
  /** The messages of a user's conversations after a row, server by server. */
  exportMessages(userId: string, after: RowCursor, limit: number): Promise<ExportedMessage[]>
  directChannelsOf(userId: string): Promise<DirectChannel[]>
  /** Day by day, those without any left out. */
  usageOf(userId: string): Promise<DayUsage[]>
  /** What is stored of a user's replies until they have arrived: the oldest messages, then files. */
  undeliveredOf(userId: string): Promise<UndeliveredText[]>
  /**
   * What the quotas count.
   *
   * @param now ms since epoch
   * @param requests how many of the last hour's requests are of interest.
   */
  quotaUse(userId: string, now: number, requests: number): Promise<QuotaUse>
  preferences(userId: string): Promise<Preferences>
  /** Changes what is named and returns all of it. */
  changePreferences(userId: string, changes: Partial<Preferences>): Promise<Preferences>
  /**
   * Deletes the history, the texts and files of finished requests and what is still to be delivered; returns the number of
   * messages deleted. That something was asked, and when, stays until retention deletes it.
   */
  forget(scope: ForgetScope): Promise<number>
}
