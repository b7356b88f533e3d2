import type { HistoryMessage } from '#domain/conversation.ts'
import type { DurationSummary } from '#domain/durations.ts'
import { describeHealth } from '#domain/model-health.ts'
import type { DatabaseStatistics } from '#protocol/database.ts'
import type { QueueStatistics, StorageState } from '#protocol/queue.ts'

/** The conversation as it is read: who said what and when, oldest first. */
export function formatHistory(messages: readonly HistoryMessage[]): string {
  if (messages.length === 0) return 'Nothing has been said yet.\n'
  const lines = messages.map(({ role, content, timestamp }) => {
    return `${formatTime(timestamp)}  ${role === 'user' ? 'you' : 'parley'}: ${content}\n`
  })
  return lines.join('')
}

type Row = readonly [name: string, value: string | number]

/** The queue's statistics and those of the database, a line each; without the latter when they cannot be had. */
export function formatStatistics(stats: QueueStatistics, database: DatabaseStatistics | undefined): string {
  const rejected = Object.entries(stats.rejected).filter(([, count]) => count > 0)
  const rows: Row[] = [
    ['queue', stats.mode],
    ['model', describeHealth(stats.model)],
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
    ['storage', formatStorage(stats.storage)],
    ['database', `${stats.database.ok} calls, ${stats.database.failed} failed`],
    ...(database ? databaseRows(database) : []),
    ['left out of prompts', `${stats.trimmedMessages} messages`],
    ['late events', stats.lateEvents],
  ]
  return rows.map(([name, value]) => `${name.padEnd(21)}${value}\n`).join('')
}

function formatStorage({ available, unavailableSince, pendingWrites, droppedWrites }: StorageState): string {
  const since = unavailableSince === null ? '' : ` since ${formatTime(unavailableSince)}`
  const parts = [
    available ? 'available' : `not available${since}`,
    ...(pendingWrites > 0 ? [`${pendingWrites} writes wait`] : []),
    ...(droppedWrites > 0 ? [`${droppedWrites} writes were given up`] : []),
  ]
  return parts.join(', ')
}

function databaseRows({ writes, commits, largestBatch, historyCache, walBytes }: DatabaseStatistics): Row[] {
  const perCommit = commits === 0 ? '' : `, ${(writes / commits).toFixed(1)} a commit, at most ${largestBatch}`
  const lookups = historyCache.hits + historyCache.misses
  const hits = lookups === 0 ? '' : `, ${Math.round((100 * historyCache.hits) / lookups)} % of ${lookups} lookups`
  return [
    ['writes', `${writes} in ${commits} commits${perCommit}`],
    ['history cache', `${formatBytes(historyCache.bytes)}${hits}`],
    ['write-ahead log', formatBytes(walBytes)],
  ]
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function formatDurations({ count, p50Ms, p95Ms, p99Ms }: DurationSummary): string {
  if (count === 0) return 'none yet'
  return `half within ${p50Ms} ms, 95 % within ${p95Ms} ms, 99 % within ${p99Ms} ms`
}
