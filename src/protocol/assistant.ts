import type { MessagePort } from 'node:worker_threads'
import type { TokenUsage } from '#domain/conversation.ts'
import type { Failure } from '#domain/failure.ts'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { ConversationRequest } from '#domain/request.ts'

/** One execution of a request, as handed to a pool thread. The request's port travels with it. */
export interface AssistantTask {
  readonly request: ConversationRequest
  readonly attempt: number
  readonly historyLimit: number
  readonly port: MessagePort
}

/**
 * What more text changed in an answer that is shown as several messages of bounded length. Splitting
 * costs time, so it is done where the answer is generated.
 */
export interface PartsDelta {
  /** Messages that are now full and will not change any more, to follow those told before. */
  readonly finished: readonly string[]
  /** The message that is being written: all of it so far. */
  readonly tail: string
}

/** The model's server takes no more questions at the moment. */
export interface ServerBusy {
  /** When it wants to be asked again, if it said so. */
  readonly retryAfterMs?: number
}

/** From the pool thread over the request's port while it works. */
export type AssistantEvent =
  /** More of the answer, as text and as what it makes of the messages that show it. */
  | ({ readonly type: 'delta'; readonly text: string } & PartsDelta)
  /** The model is thinking; its reasoning itself never leaves the thread. */
  | { readonly type: 'reasoning' }
  /** The model could not be reached, or had too much to do, and is called again. */
  | { readonly type: 'modelRetry'; readonly call: number; readonly busy?: ServerBusy }

/** To the pool thread over the request's port. */
export type AssistantCommand =
  | { readonly type: 'cancel' }
  /** Ends the answer here: what was written of it is the answer. With nothing written it is a cancel. */
  | { readonly type: 'stop' }

/** How many database calls of an execution succeeded and failed. */
export interface DatabaseCalls {
  readonly ok: number
  readonly failed: number
}

/** Why the model stopped: its own end, the token limit, a content filter, or its user had read enough. */
export type StopReason = 'end' | 'length' | 'filtered' | 'stopped'

/** How an execution ended; what the pool thread returns. */
export type AssistantOutcome =
  | {
      readonly type: 'answered'
      readonly text: string
      /** The answer as messages of bounded length, with what there is to note about it. */
      readonly parts: readonly string[]
      /** Come with the last of the messages; left out when there are none. */
      readonly files?: readonly ReplyFile[]
      readonly model: string
      readonly stopReason: StopReason
      readonly usage: TokenUsage | null
      /** Older history messages that did not fit the token budget. */
      readonly trimmedMessages: number
      /** False when the turn could not be written; the answer still goes out. */
      readonly stored: boolean
      readonly database: DatabaseCalls
    }
  | { readonly type: 'failed'; readonly failure: Failure; readonly database: DatabaseCalls }
  | { readonly type: 'cancelled'; readonly database: DatabaseCalls }
  /** Never returned by a thread: the pool says it when the thread died or was ended. */
  | { readonly type: 'lost'; readonly reason: string }
