import { describe, expect, it } from 'vitest'
import { formatHistory, formatStatistics } from '#console/console-format.ts'
import { databaseStatistics } from '#support/database-statistics.ts'
import { queueStatistics } from '#support/queue-statistics.ts'

describe('the history', () => {
  it('tells who said what and when, oldest first', () => {
    const timestamp = Date.UTC(2030, 1, 3, 4, 5, 59)
    const history = [
      { role: 'user', content: 'Hello', timestamp },
      { role: 'assistant', content: 'Hello!\nHow are you?', timestamp: timestamp + 60_000 },
    ] as const
    expect(formatHistory(history)).toBe(
      '2030-02-03 04:05 UTC  you: Hello\n2030-02-03 04:06 UTC  parley: Hello!\nHow are you?\n',
    )
  })

  it('says so when there is none', () => {
    expect(formatHistory([])).toBe('Nothing has been said yet.\n')
  })
})

describe('the statistics', () => {
  const refusals = queueStatistics().rejected

  it('take a line each, the values below each other', () => {
    const stats = queueStatistics({
      queueSize: 3,
      activeRequests: 2,
      totalProcessed: 40,
      totalFailed: 5,
      totalCancelled: 6,
      totalRetried: 7,
      requestsPerMinute: 8,
      database: { ok: 90, failed: 1 },
      rejected: { ...refusals, QUEUE_FULL: 11, REQUEST_INVALID: 2 },
      slots: { used: 2, total: 32 },
      lateEvents: 12,
      trimmedMessages: 13,
      waiting: { count: 5, p50Ms: 1, p95Ms: 2, p99Ms: 3 },
    })
    const database = databaseStatistics({
      writes: 1_234,
      commits: 56,
      largestBatch: 180,
      walBytes: 3 * 1024 * 1024,
      historyCache: { bytes: 1_536, hits: 3, misses: 1 },
    })
    expect(formatStatistics(stats, database).split('\n')).toEqual([
      'queue                open',
      'model                in use',
      'waiting              3 of 50',
      'at work              2 (slots used 2 of 32)',
      'answered             40',
      'failed               5',
      'cancelled            6',
      'tried again          7',
      'refused              REQUEST_INVALID 2, QUEUE_FULL 11',
      'per minute           8',
      'time waiting         half within 1 ms, 95 % within 2 ms, 99 % within 3 ms',
      'time at work         none yet',
      'time in all          none yet',
      'storage              available',
      'database             90 calls, 1 failed',
      'writes               1234 in 56 commits, 22.0 a commit, at most 180',
      'history cache        1.5 KiB, 75 % of 4 lookups',
      'write-ahead log      3.0 MiB',
      'left out of prompts  13 messages',
      'late events          12',
      '',
    ])
  })

  it('say 0 when nothing was refused', () => {
    expect(formatStatistics(queueStatistics(), undefined)).toMatch(/^refused {14}0$/m)
  })

  it('leave out what the database does not tell', () => {
    expect(formatStatistics(queueStatistics(), undefined)).not.toMatch(/commits|cache|log/)
  })

  it('have nothing to divide before the first commit', () => {
    const text = formatStatistics(queueStatistics(), databaseStatistics())
    expect(text).toMatch(/^writes {15}0 in 0 commits$/m)
    expect(text).toMatch(/^history cache {8}0 B$/m)
  })

  it('say since when nothing can be stored, what waits and what was lost', () => {
    const unavailableSince = Date.UTC(2030, 0, 2, 3, 4)
    const storage = { available: false, unavailableSince, pendingWrites: 5, droppedWrites: 6 }
    expect(formatStatistics(queueStatistics({ storage }), undefined)).toContain(
      'storage              not available since 2030-01-02 03:04 UTC, 5 writes wait, 6 writes were given up\n',
    )
  })
})
