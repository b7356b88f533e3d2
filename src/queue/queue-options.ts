import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { Order } from '#domain/order.ts'
import type { AssistantPool } from '#protocol/pool.ts'
import type { ActiveRequest } from './queue-state.ts'
import type { RequestStore } from './request-journal.ts'

export interface QueueSettings {
  readonly maxQueueSize: number
  /** In UTF-16 code units. */
  readonly maxMessageLength: number
  /** From the start of a request's first execution. */
  readonly requestTimeoutMs: number
  /** Executions of one request whose thread is lost, the first included. */
  readonly maxAttempts: number
  /** The safety net: how often the queue looks for something to dispatch without having been told. */
  readonly pollIntervalMs: number
  readonly mailboxSize: number
}

export interface QueueOptions {
  readonly settings: QueueSettings
  readonly store: RequestStore
  readonly pool: AssistantPool
  readonly clock: Clock
  readonly log: Log
  readonly newId: () => string
  readonly order?: Order<ActiveRequest>
}
