import type { DatabaseStatistics } from '#protocol/database.ts'

/** The statistics of a database thread that has done nothing but what the fields say. */
export function databaseStatistics(fields: Partial<DatabaseStatistics> = {}): DatabaseStatistics {
  return {
    reads: 0,
    writes: 0,
    failed: 0,
    commits: 0,
    largestBatch: 0,
    walBytes: 0,
    historyCache: { bytes: 0, hits: 0, misses: 0 },
    pruned: 0,
    ...fields,
  }
}
