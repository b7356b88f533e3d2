import { describe, expect, it } from 'vitest'
import { formatHistory, formatStatistics } from '#console/console-format.ts'
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
    expect(formatStatistics(stats).split('\n')).toEqual([
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
      'database             90 calls, 1 failed',
      'left out of prompts  13 messages',
      'late events          12',
      '',
    ])
  })

  it('say 0 when nothing was refused', () => {
    expect(formatStatistics(queueStatistics())).toMatch(/^refused {14}0$/m)
  })
})
