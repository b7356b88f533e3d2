import type { DispatchGate } from './dispatch-gate.ts'
import type { QueueEvents } from './queue-events.ts'
import type { QueueMessage } from './queue-message.ts'
import type { QueueOptions } from './queue-options.ts'
import type { ActiveRequest, QueueState } from './queue-state.ts'
import type { QueueCounters } from './queue-statistics.ts'
import type { RequestJournal } from './request-journal.ts'

/** What the parts of the queue actor share. */
export interface QueueCore {
  readonly options: QueueOptions
  readonly state: QueueState
  readonly counters: QueueCounters
  readonly journal: RequestJournal
  readonly events: QueueEvents
  readonly gate: DispatchGate
  /** Restored requests that nobody has been told about yet. */
  readonly untold: Set<ActiveRequest>
  /** Puts a message into the queue's own mailbox. */
  readonly deliver: (message: QueueMessage) => void
}

export function idOf({ requestId, attempt }: ActiveRequest): { requestId: string; attempt: number } {
  return { requestId, attempt }
}
