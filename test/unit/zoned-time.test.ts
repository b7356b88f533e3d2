import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { daysLater, instantOf, isTimeZone, offsetAt, wallTimeAt, weekdayOf } from '#domain/zoned-time.ts'

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'] as const
const instants = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2040, 0) }).map((ms) => ms - (ms % 1000))

/** `2026-03-29 02:30` as the wall shows it. */
function wall(text: string) {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/\D/).map(Number)
  return { year, month, day, hour, minute, second: 0 }
}

describe('the time on the wall', () => {
  it('leads back to its instant, or to an earlier one when it comes twice', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...ZONES), (instant, zone) => {
        const found = instantOf(wallTimeAt(instant, zone), zone)
        expect(found).toBeLessThanOrEqual(instant)
        expect(wallTimeAt(found, zone)).toEqual(wallTimeAt(instant, zone))
        // A copy of it comes only as clocks are put back, by an hour at most.
        expect(instant - found).toBeLessThanOrEqual(3_600_000)
        if (offsetAt(found, zone) === offsetAt(instant, zone)) expect(found).toBe(instant)
      }),
    )
  })

  it.each([
    ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:00:00Z'],
    ['America/New_York', '2026-03-08 02:00', '2026-03-08T07:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:30:00Z'],
  ])('that never comes in %s (%s) is the first instant after it', (zone, shown, instant) => {
    expect(instantOf(wall(shown), zone)).toBe(Date.parse(instant))
    expect(offsetAt(Date.parse(instant) - 1, zone)).not.toBe(offsetAt(Date.parse(instant), zone))
  })

  it.each([
    ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00Z'],
    ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00Z'],
    ['Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-04T14:45:00Z'],
  ])('that comes twice in %s (%s) is the first of the two', (zone, shown, instant) => {
    expect(instantOf(wall(shown), zone)).toBe(Date.parse(instant))
  })

  it.each([
    ['Asia/Kolkata', '2026-06-01 09:00', '2026-06-01T03:30:00Z'],
    ['UTC', '2026-03-29 02:30', '2026-03-29T02:30:00Z'],
    ['Europe/Berlin', '2026-07-01 00:00', '2026-06-30T22:00:00Z'],
  ])('in %s (%s) is as far from UTC as the zone says', (zone, shown, instant) => {
    expect(instantOf(wall(shown), zone)).toBe(Date.parse(instant))
  })
})

describe('a zone', () => {
  it.each(['Europe/Berlin', 'UTC', 'America/Argentina/Buenos_Aires'])('is known by its name: %s', (zone) => {
    expect(isTimeZone(zone)).toBe(true)
  })

  it.each(['Berlin', '+02:00', '', 'Mars/Olympus', 'EST', 'gmt', 'Etc/GMT+5'])('is not: %s', (zone) => {
    expect(isTimeZone(zone)).toBe(false)
  })
})

describe('a format of times', () => {
  it('is kept once for a zone, however that is written', () => {
    const made = vi.spyOn(Intl, 'DateTimeFormat')
    for (const zone of ['America/Lima', 'america/lima', 'AMERICA/LIMA', 'aMERICA/lIMA']) isTimeZone(zone)
    expect(made).toHaveBeenCalledOnce()
    made.mockRestore()
  })
})

describe('a date', () => {
  it('goes on over the ends of months and years', () => {
    expect(daysLater({ year: 2026, month: 12, day: 31 }, 1)).toEqual({ year: 2027, month: 1, day: 1 })
    expect(daysLater({ year: 2028, month: 3, day: 1 }, -1)).toEqual({ year: 2028, month: 2, day: 29 })
    expect(weekdayOf({ year: 2026, month: 11, day: 25 })).toBe(3)
  })
})
