import type { HistoryMessage } from '#domain/conversation.ts'
import type { DurationSummary } from '#domain/durations.ts'
import type { QueueStatistics } from '#protocol/queue.ts'

/** The conversation as it is read: who said what and when, oldest first. */
export function formatHistory(messages: readonly HistoryMessage[]): string {
  if (messages.length === 0) return 'Nothing has been said yet.\n'
  const lines = messages.map(({ role, content, timestamp }) => {
    const time = new Date(timestamp).toISOString().slice(0, 16).replace('T', ' ')
    return `${time} UTC  ${role === 'user' ? 'you' : 'parley'}: ${content}\n`
  })
  return lines.join('')
}

/** The queue's statistics, a line each. */
export function formatStatistics(stats: QueueStatistics): string {
  const rejected = Object.entries(stats.rejected).filter(([, count]) => count > 0)
  const rows: [string, string | number][] = [
    ['waiting', `${stats.queueSize} of ${stats.maxQueueSize}`],
    ['at work', `${stats.activeRequests} (slots used ${stats.slots.used} of ${stats.slots.total})`],
    ['answered', stats.totalProcessed],
    ['failed', stats.totalFailed],
    ['cancelled', stats.totalCancelled],
    ['tried again', stats.totalRetried],
    ['refused', rejected.length === 0 ? 0 : rejected.map(([code, count]) => `${code} ${count}`).join(', ')],
    ['per minute', stats.requestsPerMinute],
    ['time waiting', formatDurations(stats.waiting)],
    ['time at work', formatDurations(stats.processing)],
    ['time in all', formatDurations(stats.total)],
    ['database', `${stats.database.ok} calls, ${stats.database.failed} failed`],
    ['left out of prompts', `${stats.trimmedMessages} messages`],
    ['late events', stats.lateEvents],
  ]
  return rows.map(([name, value]) => `${name.padEnd(21)}${value}\n`).join('')
}

function formatDurations({ count, p50Ms, p95Ms, p99Ms }: DurationSummary): string {
  if (count === 0) return 'none yet'
  return `half within ${p50Ms} ms, 95 % within ${p95Ms} ms, 99 % within ${p99Ms} ms`
}
