import type { Database } from 'better-sqlite3'
import type { DatabaseApi } from '#protocol/database.ts'
import { HistoryCache } from './history-cache.ts'
import { personalCalls } from './personal-calls.ts'
import { PersonalRecords } from './personal-records.ts'
import { RecordAccess } from './record-access.ts'
import { requestCalls } from './request-calls.ts'
import { type Pruned, RequestRecords } from './request-records.ts'
import type { PruneStep } from './retention.ts'
import { scheduleCalls } from './schedule-calls.ts'
import { serverCalls } from './server-calls.ts'
import { ServerRecords } from './server-records.ts'
import { logBytes } from './write-ahead-log.ts'

export interface LocalDatabaseOptions {
  readonly historyCacheBytes?: number
  /** ms since epoch */
  readonly now?: () => number
  /** For durations, in ms. */
  readonly elapsed?: () => number
}

/** The calls of all clients on one open database. Used by the database thread only. */
export interface LocalDatabaseApi extends DatabaseApi {
  /**
   * Deletes at most `limit` requests that ended before an instant, with all that belongs to them; retention calls it.
   * The time it took includes the writes that shared its commit.
   */
  readonly prune: (finishedBefore: number, limit: number) => Promise<PruneStep>
}

const DEFAULTS = { historyCacheBytes: 16 * 1024 * 1024, now: Date.now, elapsed: () => performance.now() }

/** Puts the calls together. `onClose` closes the file; it is called once, after the last commit. */
export function createDatabaseApi(
  database: Database,
  onClose: () => void,
  options: LocalDatabaseOptions = {},
): LocalDatabaseApi {
  const { historyCacheBytes, now, elapsed } = { ...DEFAULTS, ...options }
  const path = database.name
  const access = new RecordAccess(database, onClose)
  const cache = new HistoryCache(historyCacheBytes)
  const records = new RequestRecords(database, now)
  const personal = new PersonalRecords(database, now)
  const servers = new ServerRecords(database)
  let pruned = 0

  async function prune(finishedBefore: number, limit: number): Promise<PruneStep> {
    let [beganAt, endedAt] = [0, 0]
    const work = () => {
      beganAt = elapsed()
      return records.prune(finishedBefore, limit)
    }
    const afterCommit = ({ requests, messages, conversations }: Pruned) => {
      endedAt = elapsed()
      pruned += requests + messages
      for (const key of conversations) cache.drop(key)
    }
    const { requests, messages } = await access.write(work, { afterCommit })
    return { requests, messages, tookMs: endedAt - beganAt }
  }

  return {
    ...requestCalls(access, { database, records, servers, cache }),
    ...personalCalls(access, { personal, servers, cache }),
    ...serverCalls(access, servers),
    ...scheduleCalls(access, records),
    prune,
    probe: () => access.write(() => records.probe()),
    statistics: async () => ({
      ...access.counters,
      walBytes: logBytes(path),
      historyCache: cache.counters,
      pruned,
    }),
    close: () => access.close(),
  }
}
