import type { MessagePort } from 'node:worker_threads'
import type { RequestFiles } from '#domain/attachments.ts'
import type { ConversationKey, HistoryMessage, TokenUsage } from '#domain/conversation.ts'
import type { ErrorCode } from '#domain/errors.ts'
import type { FairState } from '#domain/fair-shares.ts'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { ConversationRequest, RequestOrigin, RequestStatus, TerminalStatus } from '#domain/request.ts'
import type { AttachmentsApi } from './attachments.ts'
import type { PersonalRecordsApi } from './personal-records.ts'
import type { SchedulesApi } from './schedules.ts'
import type { ServerRecordsApi } from './server-records.ts'

/** A turn to keep: the two history messages of an answered request, and what the answer cost. */
export interface Turn {
  readonly request: ConversationRequest
  /** The attempt that produced it; the write changes nothing once a newer attempt exists. */
  readonly attempt: number
  readonly answer: string
  readonly model: string
  readonly usage: TokenUsage | null
  /** ms since epoch */
  readonly answeredAt: number
  /** What is to be delivered, message by message; empty when nothing has to be. */
  readonly messages: readonly string[]
  /** Delivered with the last of the messages; left out when there are none. */
  readonly files?: readonly ReplyFile[]
  /** The withdrawn model the answer tells of, so that its user is told of it once. */
  readonly toldOf?: string
}

/** The end of a request that has no turn. */
export interface Settlement {
  readonly requestId: string
  readonly attempt: number
  readonly status: Exclude<TerminalStatus, 'COMPLETED'>
  readonly errorCode: ErrorCode
  /** ms since epoch */
  readonly finishedAt: number
  /** What is to be delivered, message by message; empty when nothing has to be. */
  readonly messages: readonly string[]
}

/** `duplicate`: the Discord message was taken in before. */
export type AcceptResult = 'stored' | 'duplicate'

/** `stale`: the request has ended or a newer attempt exists; nothing was written. */
export type WriteResult = 'stored' | 'stale'

/** What became of another text for a request; `duplicate`: the Discord message was taken in before. */
export type AmendWriteResult = WriteResult | 'duplicate'

/** What is to be delivered of a request. */
export interface StoredReply {
  readonly messages: readonly string[]
  /** Come with the last of the messages; left out when there are none. */
  readonly files?: readonly ReplyFile[]
}

/** What became of a request whose execution ended without an outcome of its own: the answer, when it had been committed. */
export type RequeueResult =
  | { readonly type: 'requeued' }
  | ({
      readonly type: 'answered'
      readonly answer: string
      readonly model: string
      /** As the model counted; null when it did not. */
      readonly usage: TokenUsage | null
    } & Partial<StoredReply>)
  | { readonly type: 'stale' }

/** A request that an earlier process left unfinished and that is in line again. */
export interface RecoveredRequest {
  readonly request: ConversationRequest
  /** How many executions were begun. */
  readonly attempt: number
  /** The message that shows it, when one is known. */
  readonly statusMessageId: string | null
}

/** A request as it stands in the file. */
export interface KnownRequest {
  /** Its text can be gone: the user may have had the conversation forgotten. */
  readonly request: ConversationRequest
  readonly status: RequestStatus
  /** Whether its turn is the newest of its conversation. */
  readonly isNewestTurn: boolean
}

/** The end of a request that is stored and was not seen to arrive. */
export interface UndeliveredReply extends StoredReply {
  /** Its text can be gone: the user may have had the conversation forgotten. */
  readonly request: ConversationRequest
  readonly statusMessageId: string | null
  readonly status: RequestStatus
}

/** What an earlier process left to do, oldest first. */
export interface Recovery {
  readonly waiting: readonly RecoveredRequest[]
  readonly undelivered: readonly UndeliveredReply[]
  /** How many of those that wait were being worked on when that process ended. */
  readonly interrupted: number
  /** Where the fair order goes on. */
  readonly fair: FairState
}

/** A direct conversation on Discord and how far it has been read. */
export interface DirectChannel {
  readonly channelId: string
  readonly userId: string
  /** The newest message that was taken in or refused. */
  readonly lastMessageId: string
}

/** What the database thread has done since it started, and how it stands. */
export interface DatabaseStatistics {
  readonly reads: number
  /** Operations that were to be written; those of one tick share a commit. */
  readonly writes: number
  readonly failed: number
  readonly commits: number
  /** The most operations one commit has had. */
  readonly largestBatch: number
  /** The size of the write-ahead log; it grows while it cannot be brought into the file. */
  readonly walBytes: number
  readonly historyCache: { readonly bytes: number; readonly hits: number; readonly misses: number }
  /** Requests and messages that retention has deleted. */
  readonly pruned: number
}

/** What is stored about requests, their delivery and their turns. */
export interface RequestRecordsApi {
  /** Stores a new request as QUEUED, attempt 0, with its files; of a direct message also that it has been read. */
  acceptRequest(request: ConversationRequest, files?: RequestFiles): Promise<AcceptResult>
  /** Gives a request that waits another text, to which this Discord message belongs from then on. */
  amendRequest(requestId: string, message: string, discordMessageId: string): Promise<AmendWriteResult>
  /** Moves a request to PROCESSING under the given attempt, unless it has ended or moved on. */
  startRequest(requestId: string, attempt: number, startedAt: number, virtualTime?: number): Promise<WriteResult>
  /**
   * Puts a running request back to QUEUED; its attempt may write nothing from then on. One that is not counted, because
   * nothing but a stop of Parley ended it, can be made again under the same number.
   */
  requeueRequest(requestId: string, attempt: number, counted?: boolean): Promise<RequeueResult>
  /** Ends a request as FAILED or CANCELLED; its messages wait in the outbox until they are delivered. */
  settleRequest(settlement: Settlement): Promise<WriteResult>
  /**
   * Stores both history messages, COMPLETED and the messages to deliver in one transaction; adds the request row when
   * accepting it had failed. The turn it replaces goes with it, if that is still the newest of the conversation.
   */
  saveTurn(turn: Turn): Promise<WriteResult>
  /** Reads a request; undefined when there is none. */
  findRequest(requestId: string): Promise<KnownRequest | undefined>
  /** Remembers the message that shows a request's status and answer. */
  setStatusMessage(requestId: string, statusMessageId: string): Promise<void>
  /** Takes a request's messages out of the outbox: they stand on Discord under these ids. */
  markDelivered(requestId: string, messageIds: readonly string[]): Promise<void>
  /** Takes a request's messages out of the outbox because they can never be delivered. */
  abandonDelivery(requestId: string, reason: string): Promise<void>
  /**
   * Puts what an earlier process left PROCESSING back in line, its attempts counted, and tells all that is left to do
   * for this origin.
   */
  recover(origin: RequestOrigin): Promise<Recovery>
  /** Ends what an earlier process left QUEUED or PROCESSING as FAILED with `REQUEST_INTERRUPTED`; returns their number. */
  interruptLeftovers(origin: RequestOrigin, finishedAt: number): Promise<number>
  /** The direct conversations that were used last, those first. */
  directChannels(limit: number): Promise<DirectChannel[]>
  /** Notes that a direct message was dealt with although it did not become a request. */
  markRead(channel: DirectChannel): Promise<void>
  /**
   * The newest messages of a conversation, oldest first; always whole turns.
   *
   * @param replaced a request whose turn is left out if it is the newest: its answer is being replaced.
   */
  history(key: ConversationKey, limit: number, replaced?: string | null): Promise<HistoryMessage[]>
}

/**
 * What the database thread does for the other threads, one call a message over a port.
 * Writes are acknowledged only after their commit. Any call can reject with `DATABASE_FAILED`,
 * `DATABASE_UNAVAILABLE` (the thread is gone) or `CALL_TIMED_OUT`.
 */
export interface DatabaseApi
  extends RequestRecordsApi,
    PersonalRecordsApi,
    ServerRecordsApi,
    AttachmentsApi,
    SchedulesApi {
  /** Writes something, to see whether that works. */
  probe(): Promise<void>
  statistics(): Promise<DatabaseStatistics>
  /** Finishes pending writes, closes the file and ends the thread. */
  close(): Promise<void>
}

/** Given to the database thread as workerData. */
export interface DatabaseThreadData {
  readonly path: string
  /** Turns and finished requests older than this are deleted; null keeps all. */
  readonly retentionMs: number | null
  readonly historyCacheBytes: number
  readonly logLevel: string
  readonly logPretty: boolean
}

/** Posted by the database thread to its parent once, before anything else. */
export type DatabaseThreadMessage =
  | { readonly type: 'opened' }
  | { readonly type: 'openFailed'; readonly code: ErrorCode; readonly message: string }

/** Sent to the database thread with `postMessageToThread`, its port transferred: one more client. */
export interface ConnectToDatabase {
  readonly type: 'connectToDatabase'
  readonly port: MessagePort
}
