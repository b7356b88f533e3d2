import type { Clock } from '#actors/clock.ts'
import { findUsedUp, type QuotaLimits, type QuotaUse } from '#domain/quota.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import { type PrivateCommand, slashCommand } from './command.ts'
import { timeAgo } from './timestamps.ts'

export interface QuotaCommandOptions {
  readonly limits: QuotaLimits
  readonly owners: readonly string[]
  readonly records: Pick<PersonalRecordsApi, 'quotaUse'>
  readonly clock: Pick<Clock, 'now'>
}

/** Without a limit all questions of the hour are counted, up to this many. */
const COUNTED_REQUESTS = 1_000

/** `/quota`: what the user has used, of how much. */
export function quotaCommand({ limits, owners, records, clock }: QuotaCommandOptions): PrivateCommand {
  return {
    type: 'private',
    definition: slashCommand({ name: 'quota', description: 'How much you have used, and how much is left.' }),
    reply: async ({ conversation: { userId } }) => {
      const now = clock.now()
      const use = await records.quotaUse(userId, now, limits.requestsPerHour ?? COUNTED_REQUESTS)
      const lines = describe(limits, use)
      if (owners.includes(userId))
        return { content: [...lines, 'You run this bot: nothing is refused to you.'].join('\n') }
      const usedUp = findUsedUp(limits, use, now)
      const free = usedUp ? `You can ask again ${timeAgo(usedUp.freeAt)}.` : 'You can ask now.'
      return { content: [...lines, free].join('\n') }
    },
  }
}

function describe(limits: QuotaLimits, { requestTimes, tokensToday, tokensTodayInAll }: QuotaUse): string[] {
  const { requestsPerHour, tokensPerDay, tokensPerDayInAll } = limits
  const shared =
    tokensPerDayInAll === null ? [] : [`**Everybody's tokens today:** ${of(tokensTodayInAll, tokensPerDayInAll)}`]
  return [
    `**Your questions in the last hour:** ${of(requestTimes.length, requestsPerHour)}`,
    `**Your tokens today (UTC):** ${of(tokensToday, tokensPerDay)}`,
    ...shared,
  ]
}

function of(used: number, limit: number | null): string {
  return limit === null ? `${used}, without a limit` : `${used} of ${limit}`
}
