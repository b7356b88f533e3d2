import type { DurationSummary } from '#domain/durations.ts'
import { describeHealth } from '#domain/model-health.ts'
import type { DatabaseApi, DatabaseStatistics } from '#protocol/database.ts'
import { type CountByUrgency, type DeliveryStatistics, URGENCIES } from '#protocol/delivery.ts'
import type { QueueStatistics, RequestQueue } from '#protocol/queue.ts'
import { type PrivateCommand, slashCommand } from './command.ts'

export interface StatsOptions {
  readonly owners: readonly string[]
  readonly queue: Pick<RequestQueue, 'stats'>
  readonly records: Pick<DatabaseApi, 'statistics'>
  readonly delivery: () => DeliveryStatistics
}

/** `/stats`: what the queue, the database and the delivery have done, for the owners. */
export function statsCommand({ owners, queue, records, delivery }: StatsOptions): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({ name: 'stats', description: 'What Parley has done; for those who run it.' }),
    reply: async ({ conversation }) => {
      if (!owners.includes(conversation.userId)) return { content: 'Only those who run this bot may see that.' }
      const database = await records.statistics().catch(() => undefined)
      return {
        content: codeBlock([...queueRows(queue.stats()), ...databaseRows(database), ...deliveryRows(delivery())]),
      }
    },
  }
}

type Row = readonly [name: string, value: string | number]

const NAME_WIDTH = 16

function codeBlock(rows: readonly Row[]): string {
  return ['```', ...rows.map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${value}`), '```'].join('\n')
}

function queueRows(stats: QueueStatistics): Row[] {
  const { slots, storage } = stats
  const refused = Object.entries(stats.rejected).filter(([, count]) => count > 0)
  return [
    ['queue', stats.mode],
    ['model', describeHealth(stats.model)],
    ['waiting', `${stats.queueSize} of ${stats.maxQueueSize}`],
    ['at work', `${stats.activeRequests} (slots used ${slots.used} of ${slots.total})`],
    ['answered', stats.totalProcessed],
    ['failed', stats.totalFailed],
    ['cancelled', stats.totalCancelled],
    ['tried again', stats.totalRetried],
    ['refused', refused.map(([code, count]) => `${code} ${count}`).join(', ') || 0],
    ['per minute', stats.requestsPerMinute],
    ['time waiting', describe(stats.waiting)],
    ['time at work', describe(stats.processing)],
    ['time in all', describe(stats.total)],
    ['storage', storage.available ? `available, ${storage.pendingWrites} writes wait` : 'not available'],
  ]
}

function databaseRows(statistics: DatabaseStatistics | undefined): Row[] {
  if (!statistics) return [['database', 'does not answer']]
  const { reads, writes, commits, failed, historyCache, walBytes, pruned } = statistics
  return [
    ['database', `${reads} reads, ${writes} writes in ${commits} commits, ${failed} failed`],
    ['history cache', `${historyCache.bytes} bytes, ${historyCache.hits} hits, ${historyCache.misses} misses`],
    ['log', `${walBytes} bytes`],
    ['pruned', pruned],
  ]
}

function deliveryRows({ waiting, granted, dropped, hiddenRefusals, ...calls }: DeliveryStatistics): Row[] {
  const { total, free } = calls.places
  return [
    ['Discord', `${calls.calls} calls, ${calls.rateLimited} refused by its limits; ${free} of ${total} free now`],
    ['calls for', URGENCIES.map((urgency) => `${urgency} ${granted[urgency]}`).join(', ')],
    ['still to send', sum(waiting)],
    ['never sent', `${sum(dropped)} dropped, ${hiddenRefusals} refusals that had just been told`],
  ]
}

function sum(counts: CountByUrgency): number {
  return URGENCIES.reduce((all, urgency) => all + counts[urgency], 0)
}

function describe({ count, p50Ms, p95Ms, p99Ms }: DurationSummary): string {
  return count === 0 ? 'none yet' : `half within ${p50Ms} ms, 95 % ${p95Ms} ms, 99 % ${p99Ms} ms`
}
