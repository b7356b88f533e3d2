/** A date of the calendar; months count from 1. */
export interface CalendarDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** A time as a clock shows it. */
export interface ClockTime {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** What calendar and clock on a wall show. */
export type WallTime = CalendarDate & ClockTime

const SECOND_MS = 1_000
const DAY_MS = 86_400_000

/** Offsets in the guise of a name: whoever lives where that is said is an hour off in summer. */
const OFFSETS = /^(?:EST|MST|GMT|Etc\/GMT.+)$/i

/** By zone in small letters: Intl takes any. Making one takes a thousand times as long as using it, and there are a few hundred. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** Tells whether a text names a time zone of the IANA database, such as Europe/Berlin. */
export function isTimeZone(zone: string): boolean {
  // An offset such as +02:00 is none: it knows no daylight saving.
  if (!/^[A-Za-z]/.test(zone) || OFFSETS.test(zone)) return false
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** What the wall shows in a zone at an instant, ms since epoch; milliseconds are left out. */
export function wallTimeAt(instant: number, zone: string): WallTime {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(instant)) parts[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

/**
 * When the wall in a zone shows a time, ms since epoch. Of a time that comes twice, as clocks are put back, the first
 * that is later than `after`, or else the first; for one that never comes, as they are put forward, the first instant
 * after it.
 */
export function instantOf(wall: WallTime, zone: string, after = Number.NEGATIVE_INFINITY): number {
  const asUtc = utcOf(wall)
  const ahead = { before: offsetAt(asUtc - DAY_MS, zone), after: offsetAt(asUtc + DAY_MS, zone) }
  const candidates = [asUtc - ahead.before, asUtc - ahead.after].filter(
    (instant) => offsetAt(instant, zone) === asUtc - instant,
  )
  if (candidates.length === 0) return endOfGap(asUtc - ahead.after, asUtc - ahead.before, zone)
  const later = candidates.filter((instant) => instant > after)
  return Math.min(...(later.length > 0 ? later : candidates))
}

/** How far the clocks of a zone are ahead of UTC at an instant, in ms. */
export function offsetAt(instant: number, zone: string): number {
  const wholeSeconds = Math.floor(instant / SECOND_MS) * SECOND_MS
  return utcOf(wallTimeAt(instant, zone)) - wholeSeconds
}

/** The date some days later. */
export function daysLater(date: CalendarDate, days: number): CalendarDate {
  const moved = new Date(Date.UTC(date.year, date.month - 1, date.day + days))
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() }
}

/** 0 is Sunday. */
export function weekdayOf({ year, month, day }: CalendarDate): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay()
}

/** Clocks are put forward in (low, high]: finds the instant. */
function endOfGap(low: number, high: number, zone: string): number {
  const offset = offsetAt(high, zone)
  let [before, from] = [low, high]
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2)
    if (offsetAt(middle, zone) === offset) from = middle
    else before = middle
  }
  return from
}

function utcOf({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const key = zone.toLowerCase()
  const known = formats.get(key)
  if (known) return known
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const time = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, calendar: 'gregory', ...numeric, ...time })
  formats.set(key, format)
  return format
}
