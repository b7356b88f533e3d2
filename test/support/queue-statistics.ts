import type { QueueStatistics } from '#protocol/queue.ts'

const NO_DURATIONS = { count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 }

/** The statistics of a queue that has done nothing but what the fields say. */
export function queueStatistics(fields: Partial<QueueStatistics> = {}): QueueStatistics {
  return {
    mode: 'open',
    model: { state: 'answering', silences: 0, rateLimited: 0, limit: null },
    queueSize: 0,
    activeRequests: 0,
    totalProcessed: 0,
    totalFailed: 0,
    totalCancelled: 0,
    maxQueueSize: 50,
    totalRetried: 0,
    waiting: NO_DURATIONS,
    processing: NO_DURATIONS,
    total: NO_DURATIONS,
    requestsPerMinute: 0,
    database: { ok: 0, failed: 0 },
    storage: { available: true, unavailableSince: null, pendingWrites: 0, droppedWrites: 0 },
    rejected: {
      REQUEST_INVALID: 0,
      REQUEST_ALREADY_ACTIVE: 0,
      REQUEST_DUPLICATE: 0,
      REQUEST_NOT_STORED: 0,
      QUEUE_FULL: 0,
      QUEUE_BUSY: 0,
      QUEUE_STOPPING: 0,
      QUEUE_DRAINING: 0,
    },
    slots: { used: 0, total: 16 },
    lateEvents: 0,
    trimmedMessages: 0,
    ...fields,
  }
}
