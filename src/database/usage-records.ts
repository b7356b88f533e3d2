import type { Database } from 'better-sqlite3'
import { dayOf, HOUR_MS, type QuotaUse } from '#domain/quota.ts'
import type { DayUsage } from '#protocol/personal-records.ts'

interface Added {
  readonly day: number
  readonly userId: string
  readonly tokens: number
}

/** How much each person has used. `add` and `prune` belong into the write of what they count. */
export class UsageRecords {
  readonly #statements: ReturnType<typeof prepareUsageStatements>

  constructor(database: Database) {
    this.#statements = prepareUsageStatements(database)
  }

  /** Counts what an answer cost. */
  add(userId: string, tokens: number, answeredAt: number): void {
    if (tokens > 0) this.#statements.add.run({ day: dayOf(answeredAt), userId, tokens: Math.round(tokens) })
  }

  /** @param requests how many of the last hour are of interest. */
  quotaUse(userId: string, now: number, requests: number): QuotaUse {
    const day = dayOf(now)
    const limit = Math.max(0, Math.trunc(requests))
    return {
      requestTimes: this.#statements.requestTimes.all({ userId, since: now - HOUR_MS, limit }),
      tokensToday: this.#statements.ofUser.get({ day, userId }) ?? 0,
      tokensTodayInAll: this.#statements.inAll.get(day) ?? 0,
    }
  }

  days(userId: string): DayUsage[] {
    return this.#statements.days.all(userId)
  }

  /** Deletes the days that ended before an instant. */
  prune(before: number): void {
    this.#statements.prune.run(dayOf(before))
  }
}

function prepareUsageStatements(database: Database) {
  return {
    add: database.prepare<[Added]>(
      `INSERT INTO token_usage (day, user_id, tokens) VALUES (@day, @userId, @tokens)
         ON CONFLICT (day, user_id) DO UPDATE SET tokens = tokens + excluded.tokens`,
    ),
    ofUser: database
      .prepare<[{ day: number; userId: string }], number>(
        'SELECT tokens FROM token_usage WHERE day = @day AND user_id = @userId',
      )
      .pluck(),
    inAll: database.prepare<[day: number], number>('SELECT sum(tokens) FROM token_usage WHERE day = ?').pluck(),
    /** Of those that the queue has taken in. */
    requestTimes: database
      .prepare<[{ userId: string; since: number; limit: number }], number>(
        `SELECT timestamp FROM requests WHERE user_id = @userId AND timestamp > @since AND admission IS NOT NULL
           ORDER BY timestamp DESC LIMIT @limit`,
      )
      .pluck(),
    days: database.prepare<[userId: string], DayUsage>(
      'SELECT day, tokens FROM token_usage WHERE user_id = ? ORDER BY day',
    ),
    prune: database.prepare<[day: number]>('DELETE FROM token_usage WHERE day < ?'),
  }
}
