import { ruleFrom, type Schedule } from '#domain/schedule.ts'

/** What schedules are due at in tests. */
export const DUE_AT = Date.parse('2026-11-26T08:00:00Z')

/** A schedule of Ada that is due once, at 9 o'clock in Berlin. */
export function scheduleOf(id: string, fields: Partial<Schedule> = {}): Schedule {
  return {
    ...ruleFrom(fields.recurrence ?? 'once', fields.nextAt ?? DUE_AT, fields.zone ?? 'Europe/Berlin'),
    id,
    userId: 'ada',
    serverId: '0',
    directServerName: null,
    channelId: 'channel',
    message: `question ${id}`,
    ifMissed: 'run',
    nextAt: DUE_AT,
    createdAt: DUE_AT - 1_000_000,
    ...fields,
  }
}
