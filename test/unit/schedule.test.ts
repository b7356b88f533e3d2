import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  firstOccurrence,
  isMissed,
  nextOccurrence,
  planFrom,
  RECURRENCES,
  ruleFrom,
  withRecurrence,
} from '#domain/schedule.ts'
import { instantOf, wallTimeAt, weekdayOf } from '#domain/zoned-time.ts'
import { scheduleOf } from '#support/stored-schedules.ts'

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'] as const
const instants = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2034, 0) }).map((ms) => ms - (ms % 60_000))
const recurring = fc.constantFrom(...RECURRENCES.filter((recurrence) => recurrence !== 'once'))
const zones = fc.constantFrom(...ZONES)
const HOUR_MS = 3_600_000

describe('a recurring schedule', () => {
  it('comes after the instant, on its day and at its time, unless clocks skip that', () => {
    fc.assert(
      fc.property(recurring, zones, instants, instants, (recurrence, zone, first, after) => {
        const rule = ruleFrom(recurrence, first, zone)
        const next = nextOccurrence(rule, after) ?? 0
        expect(next).toBeGreaterThan(after)
        const { hour, minute, second, ...date } = wallTimeAt(next, zone)
        const isOnTime = hour === rule.hour && minute === rule.minute
        expect(isOnTime || next === instantOf({ ...rule, ...date }, zone)).toBe(true)
        expect(second).toBe(0)
        if (recurrence === 'weekly') expect(weekdayOf(date)).toBe(rule.weekday)
        if (recurrence === 'weekdays') expect([1, 2, 3, 4, 5]).toContain(weekdayOf(date))
      }),
    )
  })

  it('leaves nothing out: between two of its times lie a day, a week, or a weekend', () => {
    fc.assert(
      fc.property(recurring, zones, instants, (recurrence, zone, first) => {
        const rule = ruleFrom(recurrence, first, zone)
        const one = nextOccurrence(rule, first) ?? 0
        const next = nextOccurrence(rule, one) ?? 0
        const days = Math.round((next - one) / (24 * HOUR_MS))
        expect(recurrence === 'weekly' ? [7] : recurrence === 'daily' ? [1] : [1, 3]).toContain(days)
        // What comes next does not depend on when it is asked.
        expect(nextOccurrence(rule, next - 1)).toBe(next)
      }),
    )
  })

  it('stays at its time on the wall as clocks are put forward and back', () => {
    const rule = ruleFrom('daily', Date.parse('2026-03-27T08:00:00Z'), 'Europe/Berlin')
    expect(rule).toMatchObject({ hour: 9, minute: 0 })
    expect(nextOccurrence(rule, Date.parse('2026-03-28T12:00:00Z'))).toBe(Date.parse('2026-03-29T07:00:00Z'))
    expect(nextOccurrence(rule, Date.parse('2026-10-24T12:00:00Z'))).toBe(Date.parse('2026-10-25T08:00:00Z'))
  })

  it('comes at the end of the gap on the day that has no such time, and the day after as usual', () => {
    const rule = ruleFrom('daily', Date.parse('2026-03-27T01:30:00Z'), 'Europe/Berlin')
    const inGap = nextOccurrence(rule, Date.parse('2026-03-28T12:00:00Z')) ?? 0
    expect(inGap).toBe(Date.parse('2026-03-29T01:00:00Z'))
    expect(nextOccurrence(rule, inGap)).toBe(Date.parse('2026-03-30T00:30:00Z'))
  })

  it('keeps the time that was named although the wall skips it on the first day', () => {
    const endOfGap = Date.parse('2026-03-29T01:00:00Z')
    const named = { ...wallTimeAt(endOfGap, 'Europe/Berlin'), hour: 2, minute: 30 }
    const plan = planFrom('daily', endOfGap, 'Europe/Berlin', named)
    expect(plan).toMatchObject({ hour: 2, minute: 30, nextAt: endOfGap })
    expect(nextOccurrence(plan, plan.nextAt)).toBe(Date.parse('2026-03-30T00:30:00Z'))
  })

  it('that comes again in another way keeps its time, although the next one is at the end of a gap', () => {
    const endOfGap = Date.parse('2026-03-29T01:00:00Z')
    const rule = ruleFrom('daily', Date.parse('2026-03-27T01:30:00Z'), 'Europe/Berlin')
    const weekly = withRecurrence(scheduleOf('a', { ...rule, nextAt: endOfGap }), 'weekly')
    expect(weekly).toMatchObject({ hour: 2, minute: 30, weekday: 0, nextAt: endOfGap, recurrence: 'weekly' })
    expect(nextOccurrence(weekly, endOfGap)).toBe(Date.parse('2026-04-05T00:30:00Z'))
    const workdays = withRecurrence(weekly, 'weekdays')
    expect(workdays.nextAt).toBe(Date.parse('2026-03-30T00:30:00Z'))
  })

  it('comes once on the day that has its time twice', () => {
    const rule = ruleFrom('daily', Date.parse('2026-10-20T00:30:00Z'), 'Europe/Berlin')
    const first = nextOccurrence(rule, Date.parse('2026-10-24T12:00:00Z')) ?? 0
    expect(first).toBe(Date.parse('2026-10-25T00:30:00Z'))
    expect(nextOccurrence(rule, first)).toBe(Date.parse('2026-10-26T01:30:00Z'))
  })
})

describe('a schedule', () => {
  it('that is not recurring has no next time', () => {
    expect(nextOccurrence(ruleFrom('once', 0, 'UTC'), 0)).toBeUndefined()
  })

  it('on workdays begins on Monday when a Saturday was named', () => {
    const saturday = Date.parse('2026-11-28T09:00:00Z')
    expect(firstOccurrence(ruleFrom('weekdays', saturday, 'UTC'), saturday)).toBe(Date.parse('2026-11-30T09:00:00Z'))
    expect(firstOccurrence(ruleFrom('daily', saturday, 'UTC'), saturday)).toBe(saturday)
  })

  it('was missed when it was due before Parley ran, or a minute ago', () => {
    expect(isMissed(99, { now: 100, runningSince: 100 })).toBe(true)
    expect(isMissed(100, { now: 60_100, runningSince: 100 })).toBe(false)
    expect(isMissed(100, { now: 60_101, runningSince: 100 })).toBe(true)
  })
})
