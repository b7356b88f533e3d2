import type { ConversationRequest } from '#domain/request.ts'
import type { AssistantEvent, AssistantOutcome } from './assistant.ts'

/** A request being worked on by a pool thread. */
export interface AssistantRun {
  /** Resolves exactly once and never rejects; after `cancel` or `stopAndKeep` within the pool's grace time. */
  readonly outcome: Promise<AssistantOutcome>
  /** Asks the thread to stop; the outcome tells whether it was in time. Calling it again does nothing. */
  cancel(): void
  /** Asks the thread to end the answer here and keep what was written; with nothing written it is a cancel. */
  stopAndKeep(): void
}

/** What the queue needs of the assistant pool. */
export interface AssistantPool {
  /** Places in threads that are alive and ready. */
  readonly slots: number
  /** Places in use. */
  readonly slotsUsed: number
  /** Starts a request; to be called only while `slotsUsed < slots`. */
  run(request: ConversationRequest, attempt: number, onEvent: (event: AssistantEvent) => void): AssistantRun
  /** Calls back whenever a place may have become free. */
  onSlotsChanged(listener: () => void): void
}
