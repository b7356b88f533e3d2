import type { RequestFiles } from '#domain/attachments.ts'
import type { DurationSummary } from '#domain/durations.ts'
import type { ErrorCode } from '#domain/errors.ts'
import type { Failure } from '#domain/failure.ts'
import type { ModelHealth } from '#domain/model-health.ts'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { ConversationRequest, ScheduledFacts, TerminalStatus } from '#domain/request.ts'
import type { Tier } from '#domain/tier.ts'
import type { PartsDelta, StopReason } from './assistant.ts'

/** A message that asks to become a request; the queue gives it id and time. */
export interface NewRequest {
  readonly userId: string
  readonly serverId: string
  readonly channelId: string
  readonly message: string
  readonly discordMessageId: string | null
  readonly interactionToken: string | null
  /** Of its user; the default one when it is left out. */
  readonly fromTier?: Pick<Tier, 'name' | 'weight'>
  /** A request whose answer is to be replaced by the answer to this one. */
  readonly replaces?: string
  /** Of a direct message in a server's conversation: the server's name. */
  readonly directServerName?: string
  /** What came with it, fetched before it is offered; left out when that is nothing. */
  readonly files?: RequestFiles
  /** Of one whose time has come, and which is in the file already. */
  readonly scheduled?: ScheduledFacts
}

export type RefusalCode = Extract<
  ErrorCode,
  | 'REQUEST_INVALID'
  | 'REQUEST_ALREADY_ACTIVE'
  | 'REQUEST_DUPLICATE'
  | 'REQUEST_NOT_STORED'
  | 'QUEUE_FULL'
  | 'QUEUE_BUSY'
  | 'QUEUE_STOPPING'
  | 'QUEUE_DRAINING'
>

/** Why a message did not become a request. */
export interface Refusal {
  readonly code: RefusalCode
  /** For the user: why, and what to do. */
  readonly message: string
  /** Of QUEUE_FULL: the tier of its user, whose places are taken. */
  readonly tier?: string
}

/** Why a message was kept from the queue; `message` says it to the user. */
export interface GateRefusal {
  readonly code: Extract<
    ErrorCode,
    'ACCESS_DENIED' | 'QUOTA_USED_UP' | 'CONVERSATION_CLOSED' | 'CONVERSATION_UNCLEAR' | 'FILES_UNUSABLE'
  >
  readonly message: string
  /** What was needed to know could not be looked up: later it may be granted. */
  readonly passing?: true
}

/** What `addRequest` resolves with: a refusal is a value, never an exception. */
export type AddResult =
  | { readonly accepted: true; readonly request: ConversationRequest; readonly position: number }
  | { readonly accepted: false; readonly refusal: Refusal }

/** Why a request is cancelled. */
export type CancelReason = 'user' | 'shutdown'

interface OfRequest {
  readonly requestId: string
  /** How many executions have begun. */
  readonly attempt: number
}

/**
 * What happens to one request, in the order of its life: `queued` is the first, one of the last four is the last.
 * After a restart it begins with `queued` once more.
 */
export type RequestEvent =
  | ({ readonly type: 'queued'; readonly position: number; readonly restored: boolean } & OfRequest)
  | ({ readonly type: 'started' } & OfRequest)
  /** The model's server does not answer: it waits in line as if this execution had never begun. */
  | ({ readonly type: 'heldUp' } & OfRequest)
  | ({ readonly type: 'thinking' } & OfRequest)
  | ({ readonly type: 'delta'; readonly text: string } & PartsDelta & OfRequest)
  /** An execution brought nothing; the next one, with the number `nextAttempt`, begins when its turn comes. */
  | ({ readonly type: 'retrying'; readonly nextAttempt: number; readonly maxAttempts: number } & OfRequest)
  | ({
      readonly type: 'completed'
      readonly answer: string
      /** The answer as messages of bounded length, with what there is to note about it. */
      readonly parts: readonly string[]
      /** Come with the last of the messages; left out when there are none. */
      readonly files?: readonly ReplyFile[]
      readonly stopReason: StopReason
      readonly trimmedMessages: number
      readonly stored: boolean
    } & OfRequest)
  | ({ readonly type: 'failed'; readonly failure: Failure } & OfRequest)
  | ({ readonly type: 'cancelled'; readonly reason: CancelReason } & OfRequest)
  /** Parley stops; the request is kept and goes on when it starts again. */
  | ({ readonly type: 'suspended' } & OfRequest)

/** Everything the queue tells. */
export type QueueEvent =
  | RequestEvent
  /** Somewhere in line places changed, once a turn of the event loop at most: ask `position` for those you show. */
  | { readonly type: 'positionsChanged'; readonly waiting: number }

/** Whether requests can be stored. */
export interface StorageState {
  readonly available: boolean
  /** Since when not, ms since epoch. */
  readonly unavailableSince: number | null
  /** Writes that are kept in memory until they can be made. */
  readonly pendingWrites: number
  /** Writes that were given up: too many waited. */
  readonly droppedWrites: number
}

/** What the operator has decided: `paused` takes in and keeps; `draining` takes nothing in and ends what there is. */
export type QueueMode = 'open' | 'paused' | 'draining'

/** Why nothing begins at the moment. */
export type HeldUp = 'paused' | 'model'

export interface QueueStatistics {
  readonly mode: QueueMode
  readonly model: ModelHealth

  /** Requests waiting for a slot. */
  readonly queueSize: number
  /** Requests being worked on. */
  readonly activeRequests: number
  /** Requests that got their answer, since the start. */
  readonly totalProcessed: number
  /** Requests that ended without an answer, since the start. */
  readonly totalFailed: number
  readonly totalCancelled: number
  readonly maxQueueSize: number
  /** Executions that were followed by another one, because their thread was lost or the model could not answer. */
  readonly totalRetried: number
  readonly waiting: DurationSummary
  readonly processing: DurationSummary
  readonly total: DurationSummary
  /** Requests ended in the last minute. */
  readonly requestsPerMinute: number
  readonly database: { readonly ok: number; readonly failed: number }
  readonly storage: StorageState
  readonly rejected: Readonly<Record<RefusalCode, number>>
  readonly slots: { readonly used: number; readonly total: number }
  /** Events of an older attempt that came late and were dropped. */
  readonly lateEvents: number
  /** History messages left out of prompts because they did not fit. */
  readonly trimmedMessages: number
}

/** Another text for a request that waits. */
export interface Amendment {
  readonly type: 'replace' | 'append'
  readonly text: string
}

/** What became of it; `duplicate`: the Discord message was taken in before. */
export type AmendResult = 'amended' | 'notWaiting' | 'tooLong' | 'duplicate' | 'notStored'

/** A request between its admission and its end, as others see it. */
export interface ActiveFacts {
  readonly requestId: string
  readonly serverId: string
  /** Where its answer is shown. */
  readonly channelId: string
  /** It is in line and can still be changed. */
  readonly waiting: boolean
  /** 1 is next, 0 while it is being worked on. */
  readonly position: number
  /** ms since epoch */
  readonly acceptedAt: number
  /** When its first execution began, ms since epoch. */
  readonly startedAt: number | undefined
}

/** What lies before somebody in line. */
export interface WaitOutlook {
  /** All that wait. */
  readonly waiting: number
  /** How long it will take until it begins; null while too little was measured. */
  readonly waitMs: number | null
  /** Why nothing begins at the moment; left out while something does. */
  readonly heldUp?: HeldUp
  /** True when so many are before it that its user is told how to leave the line; left out otherwise. */
  readonly crowded?: boolean
}

/** What the gateways need of the queue. */
export interface RequestQueue {
  /**
   * Takes a message in; resolves once the request is stored, or refused.
   *
   * @param listener told every event of this request from the first on; none when it is refused.
   */
  addRequest(request: NewRequest, listener?: (event: RequestEvent) => void): Promise<AddResult>
  /** Cancels a waiting or running request; resolves with how it ended, or undefined when it is not active. */
  cancel(requestId: string, reason?: CancelReason): Promise<TerminalStatus | undefined>
  /**
   * Ends a running answer here: what was written of it becomes the answer. Resolves with how it ended: CANCELLED when
   * nothing was written; undefined when the request is not at work.
   */
  stopAndKeep(requestId: string): Promise<TerminalStatus | undefined>
  /** Changes the text of a request that waits, in the file and here: in both or in none. */
  amend(requestId: string, amendment: Amendment, discordMessageId: string): Promise<AmendResult>
  /** A user's active request; undefined without one. */
  active(userId: string): ActiveFacts | undefined
  /** The place in line of a user's waiting request (1 is next), 0 while it is being worked on, undefined without one. */
  position(userId: string): number | undefined
  /** What lies before somebody who has a place in line. */
  outlook(place: number): WaitOutlook
  stats(): QueueStatistics
  /**
   * Decides whether messages are taken in and whether requests begin; what runs goes on. Resolves once it holds. It is kept
   * nowhere: a restart opens the queue.
   */
  setMode(mode: QueueMode): Promise<void>
  /** Subscribes; returns the way out. */
  on(listener: (event: QueueEvent) => void): () => void
}
