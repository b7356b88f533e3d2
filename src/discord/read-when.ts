import { parse } from 'chrono-node/en'
import { instantOf, offsetAt, type WallTime } from '#domain/zoned-time.ts'

/** A time that somebody has named, ms since epoch, and as the wall is to show it if that was said. */
interface Named {
  readonly at: number
  readonly wall?: WallTime
}

/** A time that somebody has named, or what is wrong with it. */
export type ReadWhen = Named | { readonly problem: 'unclear' | 'past' | 'tooFar' }

/** A year, and the day by which one can be longer. */
const FARTHEST_MS = 366 * 86_400_000

const MINUTE_MS = 60_000

/** What says that something is over: it is never meant as the next one of its kind. */
const OVER = /\b(ago|last|past|yesterday)\b/i

/** What may stand beside a time and changes nothing. */
const IDLE = /\b(at|on|by|please)\b|[\s,.!]/gi

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
  return named.at - now > FARTHEST_MS ? { problem: 'tooFar' } : named
}

/** Undefined when there is no time, more than one, or something that might be a part of it. */
function findTime(text: string, now: number, zone: string): Named | undefined {
  const reference = { instant: new Date(now), timezone: offsetAt(now, zone) / MINUTE_MS }
  const [found, ...others] = parse(text, reference, { forwardDate: true })
  if (!found || others.length > 0 || found.end) return undefined
  const beside = text.slice(0, found.index) + text.slice(found.index + found.text.length)
  if (beside.replaceAll(IDLE, '') !== '') return undefined
  const { start } = found
  // Said with the time, or counted in hours from now: an instant, whatever the clocks do until then.
  if (start.isCertain('timezoneOffset')) return { at: start.date().getTime() }
  const part = (name: 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second') => start.get(name) ?? 0
  const date = { year: part('year'), month: part('month'), day: part('day') }
  const wall = { ...date, hour: part('hour'), minute: part('minute'), second: part('second') }
  return { at: instantOf(wall, zone, now), wall }
}
