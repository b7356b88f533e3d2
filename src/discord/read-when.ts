import type { ParsedComponents } from 'chrono-node'
import { GB, parse } from 'chrono-node/en'
import { instantOf, type WallTime, wallTimeAt } from '#domain/zoned-time.ts'

/** A time that somebody has named, ms since epoch, and as the wall is to show it if that was said. */
interface Named {
  readonly at: number
  readonly wall?: WallTime
}

/** A time that somebody has named, or what is wrong with it. */
export type ReadWhen = Named | { readonly problem: 'unclear' | 'past' | 'tooFar' }

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** A year, and the day by which one can be longer. */
const FARTHEST_MS = 366 * DAY_MS

/** What says that something is over: it is never meant as the next one of its kind. */
const OVER = /\b(ago|last|past|yesterday)\b/i

/** What is meant of this day only. */
const TODAY = /\bthis (morning|afternoon|evening)\b/i

/** What may stand beside a time and changes nothing. */
const IDLE = /\b(at|on|by|please)\b|[\s,.!]/gi

/** A date with points, which begins with the day wherever it is written so. */
const POINTED = /\b(\d{1,2})\.(\d{1,2})\.(?:(\d{4}|\d{2})\b)?/

/**
 * chrono reckons on the host's calendar, where days begin at another time than for the user, and hours come twice or not
 * at all. 400 years ago no clock ever jumped and the calendar was as it is now, so that is when it is told to be.
 */
const YEARS_BACK = 400

/** Nobody means a year before it. */
const FIRST_YEAR = 1900

/** What chrono says of a time that is counted from now. */
const COUNTED = ['result/relativeDateAndTime', 'casualReference/now']

/**
 * Reads a time such as "in 2 hours", "tomorrow 9:00" or "2026-12-24T18:00Z". What says no zone of its own is what the
 * wall will show in the user's.
 *
 * @param now ms since epoch
 */
export function readWhen(text: string, now: number, zone: string): ReadWhen {
  const named = findTime(text, now, zone)
  if (named === undefined) return { problem: 'unclear' }
  if (named.at <= now || OVER.test(text)) return { problem: 'past' }
  if (TODAY.test(text) && named.wall && named.wall.day !== wallTimeAt(now, zone).day) return { problem: 'past' }
  return named.at - now > FARTHEST_MS ? { problem: 'tooFar' } : named
}

function findTime(text: string, now: number, zone: string): Named | undefined {
  const today = wallTimeAt(now, zone)
  const start = findParts(text, today, now % 1000)
  if (!start) return undefined
  const wall = wallOf(start)
  // As if clocks showed it in UTC.
  const shown = instantOf(wall, 'UTC')
  const tags = start.tags()
  // So many hours from now are an instant, whatever the clocks do until then.
  if (COUNTED.some((tag) => tags.has(tag))) return { at: now + shown - instantOf(today, 'UTC') }
  if (!start.isCertain('timezoneOffset')) return { at: instantOf(wall, zone, now), wall }
  const at = shown - (start.get('timezoneOffset') ?? 0) * MINUTE_MS
  // Of a time without a day, the next there is: where that zone is, it can be another day than for the user.
  return { at: isOnlyTime(start) ? now + ((((at - now) % DAY_MS) + DAY_MS) % DAY_MS) : at }
}

/** Undefined when there is no time, more than one, or something that might be a part of it. */
function findParts(text: string, { year, month, day, ...clock }: WallTime, milliseconds: number) {
  const asked = text.replace(POINTED, (_, first, second, third = '') => `${first}/${second}${third && '/'}${third}`)
  const { hour, minute, second } = clock
  const reference = new Date(year - YEARS_BACK, month - 1, day, hour, minute, second, milliseconds)
  const read = asked === text ? parse : GB.parse.bind(GB)
  const [found, ...others] = read(asked, reference, { forwardDate: true })
  if (!found || others.length > 0 || found.end) return undefined
  const beside = asked.slice(0, found.index) + asked.slice(found.index + found.text.length)
  return beside.replaceAll(IDLE, '') === '' ? found.start : undefined
}

function wallOf(start: ParsedComponents): WallTime {
  const part = (name: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => start.get(name) ?? 0
  const year = part('year')
  const date = { year: year < FIRST_YEAR ? year + YEARS_BACK : year, month: part('month'), day: part('day') }
  return { ...date, hour: part('hour'), minute: part('minute'), second: part('second') }
}

function isOnlyTime(start: ParsedComponents): boolean {
  return !(['weekday', 'day', 'month', 'year'] as const).some((part) => start.isCertain(part))
}
