import type { MessagePort } from 'node:worker_threads'
import type { ConversationKey, HistoryMessage, TokenUsage } from '#domain/conversation.ts'
import type { ErrorCode } from '#domain/errors.ts'
import type { ConversationRequest, TerminalStatus } from '#domain/request.ts'

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
}

/** The end of a request that has no turn. */
export interface Settlement {
  readonly requestId: string
  readonly attempt: number
  readonly status: Exclude<TerminalStatus, 'COMPLETED'>
  readonly errorCode: ErrorCode
  /** ms since epoch */
  readonly finishedAt: number
}

/** `duplicate`: the Discord message was taken in before. */
export type AcceptResult = 'stored' | 'duplicate'

/** `stale`: the request has ended or a newer attempt exists; nothing was written. */
export type WriteResult = 'stored' | 'stale'

/** What became of a request whose worker was lost: the answer, when the worker had committed it. */
export type RequeueResult =
  | { readonly type: 'requeued' }
  | { readonly type: 'answered'; readonly answer: string; readonly model: string }
  | { readonly type: 'stale' }

/** What the database thread has done since it started. */
export interface DatabaseStatistics {
  readonly reads: number
  readonly writes: number
  readonly failed: number
  readonly commits: number
}

/**
 * What the database thread does for the other threads, one call a message over a port.
 * Writes are acknowledged only after their commit. Any call can reject with `DATABASE_FAILED`,
 * `DATABASE_UNAVAILABLE` (the thread is gone) or `CALL_TIMED_OUT`.
 */
export interface DatabaseApi {
  /** Stores a new request as QUEUED, attempt 0. */
  acceptRequest(request: ConversationRequest): Promise<AcceptResult>
  /** Moves a request to PROCESSING under the given attempt, unless it has ended or moved on. */
  startRequest(requestId: string, attempt: number, startedAt: number): Promise<WriteResult>
  /** Puts a running request back to QUEUED after its worker was lost. */
  requeueRequest(requestId: string, attempt: number): Promise<RequeueResult>
  /** Ends a request as FAILED or CANCELLED. */
  settleRequest(settlement: Settlement): Promise<WriteResult>
  /** Stores both history messages and COMPLETED in one transaction; adds the request row when accepting it had failed. */
  saveTurn(turn: Turn): Promise<WriteResult>
  /** Remembers the message that shows a request's status and answer. */
  setStatusMessage(requestId: string, statusMessageId: string): Promise<void>
  /** The newest messages of a conversation, oldest first; always whole turns. */
  history(key: ConversationKey, limit: number): Promise<HistoryMessage[]>
  /** Deletes a conversation's history and the texts of its finished requests; returns the number of messages deleted. */
  forget(key: ConversationKey): Promise<number>
  /** Ends what an earlier process left QUEUED or PROCESSING as FAILED with `REQUEST_INTERRUPTED`; returns their number. */
  interruptLeftovers(finishedAt: number): Promise<number>
  statistics(): Promise<DatabaseStatistics>
  /** Finishes pending writes, closes the file and ends the thread. */
  close(): Promise<void>
}

/** Given to the database thread as workerData. */
export interface DatabaseThreadData {
  readonly path: string
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
