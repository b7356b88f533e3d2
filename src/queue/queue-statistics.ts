import { EventsPerMinute, SlidingDurations } from '#domain/durations.ts'
import type { TerminalStatus } from '#domain/request.ts'
import type { DatabaseCalls } from '#protocol/assistant.ts'
import type { QueueStatistics, RefusalCode } from '#protocol/queue.ts'

/** The sliding window of the duration percentiles. */
const WINDOW_MS = 10 * 60_000
const WINDOW_SAMPLES = 2_048

/** The instants of a request's life, ms since epoch. */
export interface Lifetime {
  readonly acceptedAt: number
  /** When its first execution began; undefined when it never ran. */
  readonly startedAt: number | undefined
  readonly endedAt: number
}

/** What the counters do not know themselves. */
export type QueueGauges = Pick<
  QueueStatistics,
  'mode' | 'model' | 'queueSize' | 'activeRequests' | 'maxQueueSize' | 'slots' | 'storage'
>

/** Counts what happens in the queue; all of it since the start, but for the sliding windows. */
export class QueueCounters {
  lateEvents = 0
  totalRetried = 0
  trimmedMessages = 0
  readonly #ended: Record<TerminalStatus, number> = { COMPLETED: 0, FAILED: 0, CANCELLED: 0 }
  readonly #rejected: Record<RefusalCode, number> = {
    REQUEST_INVALID: 0,
    REQUEST_ALREADY_ACTIVE: 0,
    REQUEST_DUPLICATE: 0,
    REQUEST_NOT_STORED: 0,
    QUEUE_FULL: 0,
    QUEUE_BUSY: 0,
    QUEUE_STOPPING: 0,
    QUEUE_DRAINING: 0,
  }
  readonly #waiting = new SlidingDurations(WINDOW_SAMPLES, WINDOW_MS)
  readonly #processing = new SlidingDurations(WINDOW_SAMPLES, WINDOW_MS)
  readonly #total = new SlidingDurations(WINDOW_SAMPLES, WINDOW_MS)
  /** Of `meanProcessing`: everybody in line is told it at the same time. */
  #mean: { readonly second: number; readonly count: number; readonly meanMs: number } | undefined
  readonly #endedPerMinute = new EventsPerMinute()
  #databaseOk = 0
  #databaseFailed = 0

  rejected(code: RefusalCode): void {
    this.#rejected[code]++
  }

  databaseCalls({ ok, failed }: DatabaseCalls): void {
    this.#databaseOk += ok
    this.#databaseFailed += failed
  }

  ended(status: TerminalStatus, { acceptedAt, startedAt, endedAt }: Lifetime): void {
    this.#ended[status]++
    this.#endedPerMinute.add(endedAt)
    if (status === 'CANCELLED' || startedAt === undefined) return
    this.#waiting.add(endedAt, startedAt - acceptedAt)
    this.#processing.add(endedAt, endedAt - startedAt)
    this.#mean = undefined
    this.#total.add(endedAt, endedAt - acceptedAt)
  }

  /** How long requests were worked on in the last minutes, to the second. */
  meanProcessing(nowMs: number): { readonly count: number; readonly meanMs: number } {
    const second = Math.floor(nowMs / 1000)
    if (this.#mean?.second !== second) this.#mean = { second, ...this.#processing.mean(nowMs) }
    return this.#mean
  }

  read(gauges: QueueGauges, nowMs: number): QueueStatistics {
    return {
      ...gauges,
      totalProcessed: this.#ended.COMPLETED,
      totalFailed: this.#ended.FAILED,
      totalCancelled: this.#ended.CANCELLED,
      totalRetried: this.totalRetried,
      waiting: this.#waiting.summary(nowMs),
      processing: this.#processing.summary(nowMs),
      total: this.#total.summary(nowMs),
      requestsPerMinute: this.#endedPerMinute.count(nowMs),
      database: { ok: this.#databaseOk, failed: this.#databaseFailed },
      rejected: { ...this.#rejected },
      lateEvents: this.lateEvents,
      trimmedMessages: this.trimmedMessages,
    }
  }
}
