import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { Order } from '#domain/order.ts'
import type { Tier } from '#domain/tier.ts'
import type { AssistantPool } from '#protocol/pool.ts'
import type { ActiveRequest } from './queue-state.ts'
import type { RequestStore } from './request-journal.ts'

export interface QueueSettings {
  readonly maxQueueSize: number
  /** Whoever has more than that before them is told how to leave the line. */
  readonly warnAbove: number
  /** In UTF-16 code units. */
  readonly maxMessageLength: number
  /** From the start of a request's first execution. */
  readonly requestTimeoutMs: number
  /** Failures of the model's server in a row after which nothing is sent to it for a while; 0 means never. */
  readonly breakThreshold: number
  /** Before a silent server is tried for the first time; doubles from try to try. */
  readonly breakPauseMs: number
  /** Whether fewer requests run at the same time when the model's server says that there are too many. */
  readonly adaptConcurrency: boolean
  /** Executions of one request, the first included. */
  readonly maxAttempts: number
  /** The pause before the second execution; it doubles from one to the next. */
  readonly retryBackoffMs: number
  /** Whether messages are taken in, into memory only, while they cannot be stored. */
  readonly whenUnavailable: 'answer' | 'refuse'
  /** The safety net: how often the queue looks for something to dispatch without having been told. */
  readonly pollIntervalMs: number
  readonly mailboxSize: number
  /** Who has waited so long runs before all others; null: nobody does. */
  readonly maxWaitMs?: number | null
  /** With the places they have reserved. */
  readonly tiers?: readonly Tier[]
}

export interface QueueOptions {
  readonly settings: QueueSettings
  readonly store: RequestStore
  readonly pool: AssistantPool
  readonly clock: Clock
  /** Never jumps; `clock` when left out. */
  readonly steadyClock?: Pick<Clock, 'now'>
  readonly log: Log
  readonly newId: () => string
  /** In place of the fair order. */
  readonly order?: Order<ActiveRequest> | undefined
  /** From 0 to 1, for backoffs; Math.random when left out. */
  readonly random?: () => number
}
