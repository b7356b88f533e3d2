import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import { findUsedUp, hasLimits, type QuotaLimits, type UsedUp } from '#domain/quota.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { GateRefusal } from '#protocol/queue.ts'
import { dateAndTime, timeAgo } from './commands/timestamps.ts'

export interface QuotaOptions {
  readonly limits: QuotaLimits
  /** They may always ask. */
  readonly owners: readonly string[]
  readonly records: Pick<PersonalRecordsApi, 'quotaUse'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** Says whose quota is used up. What cannot be counted, because the database is away, refuses nobody. */
export class QuotaCheck {
  readonly #options: QuotaOptions

  constructor(options: QuotaOptions) {
    this.#options = options
  }

  /** Never rejects; undefined when they may ask. */
  async refusal(userId: string): Promise<GateRefusal | undefined> {
    const { limits, owners, records, clock, log } = this.#options
    if (!hasLimits(limits) || owners.includes(userId)) return undefined
    const now = clock.now()
    try {
      const use = await records.quotaUse(userId, now, limits.requestsPerHour ?? 0)
      const usedUp = findUsedUp(limits, use, now)
      return usedUp && { code: 'QUOTA_USED_UP', message: describe(usedUp, limits) }
    } catch (error) {
      log.warn({ error: errorMessage(error) }, 'a quota could not be counted; the message is taken in')
      return undefined
    }
  }
}

function describe({ limit, freeAt }: UsedUp, limits: QuotaLimits): string {
  const when = `Your message was not taken in; please send it again ${timeAgo(freeAt)}, at ${dateAndTime(freeAt)}.`
  switch (limit) {
    case 'requestsPerHour': {
      const questions = limits.requestsPerHour === 1 ? 'question' : 'questions'
      return `You may ask ${limits.requestsPerHour} ${questions} an hour, and have. ${when}`
    }
    case 'tokensPerDay':
      return `You have used up what the model may read and write for you in a day. ${when}`
    case 'tokensPerDayInAll':
      return `What the model may read and write for everybody in a day is used up. ${when}`
    default:
      return limit satisfies never
  }
}
