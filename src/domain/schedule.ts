import { type ClockTime, daysLater, instantOf, type WallTime, wallTimeAt, weekdayOf } from './zoned-time.ts'

/** How often a scheduled question is asked. */
export const RECURRENCES = ['once', 'daily', 'weekdays', 'weekly'] as const

export type Recurrence = (typeof RECURRENCES)[number]

/** What becomes of a question whose time came while Parley was not running. */
export const IF_MISSED = ['run', 'skip'] as const

export type IfMissed = (typeof IF_MISSED)[number]

/** When a question comes again: the wall's time in a zone, so that daylight saving does not move it. */
export interface ScheduleRule extends ClockTime {
  readonly recurrence: Recurrence
  /** Of the IANA database. */
  readonly zone: string
  /** Of `weekly`, 0 is Sunday. */
  readonly weekday: number
}

/** A question that is asked later, perhaps again and again. */
export interface Schedule extends ScheduleRule {
  readonly id: string
  readonly userId: string
  /** The conversation it belongs to, as that of a request. */
  readonly serverId: string
  readonly directServerName: string | null
  readonly channelId: string
  readonly message: string
  readonly ifMissed: IfMissed
  /** When it is due next, ms since epoch. */
  readonly nextAt: number
  readonly createdAt: number
}

/** The rule that a first time makes; what its user has named can be a time that the wall skips on that day. */
export function ruleFrom(
  recurrence: Recurrence,
  firstAt: number,
  zone: string,
  named: WallTime = wallTimeAt(firstAt, zone),
): ScheduleRule {
  const { hour, minute, second, ...date } = named
  return { recurrence, zone, hour, minute, second, weekday: weekdayOf(date) }
}

/** The first time a rule gives after an instant, ms since epoch; undefined for `once`, which has had its time. */
export function nextOccurrence(rule: ScheduleRule, after: number): number | undefined {
  if (rule.recurrence === 'once') return undefined
  const { hour, minute, second } = rule
  const today = wallTimeAt(after, rule.zone)
  // The day before can end later than today begins: where a gap skips a whole day.
  for (let days = -1; days <= LONGEST_WAIT_DAYS; days++) {
    const date = daysLater(today, days)
    if (!fallsOn(rule, weekdayOf(date))) continue
    const instant = instantOf({ ...date, hour, minute, second }, rule.zone)
    if (instant > after) return instant
  }
  return undefined
}

/** A week, and a day that clocks can skip. */
const LONGEST_WAIT_DAYS = 9

/** Tells whether a day may have it; of a first time it says whether it fits the rule at all. */
function fallsOn({ recurrence, weekday }: ScheduleRule, day: number): boolean {
  if (recurrence === 'weekly') return day === weekday
  return recurrence !== 'weekdays' || (day >= 1 && day <= 5)
}

/** The first time a rule gives, when its user has named one: that, or for workdays the first one after. */
export function firstOccurrence(rule: ScheduleRule, namedAt: number): number {
  const isFitting = fallsOn(rule, weekdayOf(wallTimeAt(namedAt, rule.zone)))
  return isFitting ? namedAt : (nextOccurrence(rule, namedAt) ?? namedAt)
}

/** A rule, and when it is due first. */
export type Plan = ScheduleRule & Pick<Schedule, 'nextAt'>

/** What a first time makes, as its user has named it. */
export function planFrom(recurrence: Recurrence, firstAt: number, zone: string, named?: WallTime): Plan {
  const rule = ruleFrom(recurrence, firstAt, zone, named)
  return { ...rule, nextAt: firstOccurrence(rule, firstAt) }
}

/** A schedule that comes again in another way, from its next time on and at the time of day it has. */
export function withRecurrence(schedule: Schedule, recurrence: Recurrence): Schedule {
  const { nextAt, zone, hour, minute, second } = schedule
  // As clocks are put forward, its next time can be another one than that of its rule.
  const named = { ...wallTimeAt(nextAt, zone), hour, minute, second }
  return { ...schedule, ...planFrom(recurrence, nextAt, zone, named) }
}

/** Later than this, somebody has to be told why. */
const LATE_MS = 60_000

/** Tells whether the time of a question passed while Parley was not running, or not able to. */
export function isMissed(dueAt: number, { now, runningSince }: { now: number; runningSince: number }): boolean {
  return dueAt < runningSince || now - dueAt > LATE_MS
}
