import type { RequestFiles } from '#domain/attachments.ts'
import type { Failure } from '#domain/failure.ts'
import type { AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AmendWriteResult, RequeueResult } from '#protocol/database.ts'
import type { AddResult, Amendment, CancelReason, NewRequest, QueueMode, RequestEvent } from '#protocol/queue.ts'
import type { ActiveRequest, EndListener } from './queue-state.ts'
import type { AmendListener } from './request-amendments.ts'
import type { Acceptance } from './request-journal.ts'

export type AddListener = (result: AddResult) => void

/** The database has said whether it took an admitted message, its files included. */
export interface StoredMessage {
  readonly type: 'stored'
  readonly active: ActiveRequest
  readonly files: RequestFiles | undefined
  readonly result: Acceptance
  readonly answer: AddListener
}

/** Everything that can reach the queue: commands of others, and news it waits for. */
export type QueueMessage =
  | {
      readonly type: 'add'
      readonly request: NewRequest
      readonly listener: (event: RequestEvent) => void
      readonly answer: AddListener
    }
  | StoredMessage
  | { readonly type: 'cancel'; readonly requestId: string; readonly reason: CancelReason; readonly answer: EndListener }
  | {
      readonly type: 'amend'
      readonly requestId: string
      readonly amendment: Amendment
      readonly discordMessageId: string
      readonly answer: AmendListener
    }
  | {
      readonly type: 'amended'
      readonly active: ActiveRequest
      readonly message: string
      readonly result: AmendWriteResult | 'failed'
      readonly answer: AmendListener
    }
  | { readonly type: 'stopAndKeep'; readonly requestId: string; readonly answer: EndListener }
  | { readonly type: 'progress'; readonly requestId: string; readonly attempt: number; readonly event: AssistantEvent }
  | {
      readonly type: 'complete'
      readonly requestId: string
      readonly attempt: number
      readonly outcome: AssistantOutcome
    }
  | {
      readonly type: 'requeued'
      readonly active: ActiveRequest
      readonly result: RequeueResult
      readonly failure: Failure
      /** The model's server does not answer: the execution is to count as none. */
      readonly heldUp: boolean
    }
  | { readonly type: 'retryDue'; readonly active: ActiveRequest }
  | { readonly type: 'deadline'; readonly requestId: string }
  | { readonly type: 'stop'; readonly running: boolean }
  | { readonly type: 'mode'; readonly mode: QueueMode; readonly answer: () => void }
  | { readonly type: 'open' }
  | { readonly type: 'dispatch' }
