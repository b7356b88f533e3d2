import { afterEach, describe, expect, it, vi } from 'vitest'
import { readPlan } from '#discord/commands/schedule-words.ts'
import { readWhen } from '#discord/read-when.ts'
import { offsetAt } from '#domain/zoned-time.ts'

/** A Wednesday. */
const NOW = '2026-11-25T15:00:00Z'

function read(text: string, zone: string, now = NOW): string {
  const when = readWhen(text, Date.parse(now), zone)
  return 'problem' in when ? when.problem : new Date(when.at).toISOString()
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe.each(['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland'])('on a host in %s a time', (host) => {
  it.each([
    ['in 2 hours', 'Europe/Berlin', '2026-11-25T17:00:00.000Z'],
    ['in 90 seconds', 'Asia/Kolkata', '2026-11-25T15:01:30.000Z'],
    ['in 2h30m', 'UTC', '2026-11-25T17:30:00.000Z'],
    ['tomorrow 9:00', 'Europe/Berlin', '2026-11-26T08:00:00.000Z'],
    ['tomorrow 9:00', 'America/New_York', '2026-11-26T14:00:00.000Z'],
    ['tomorrow at 9am, please', 'Asia/Kolkata', '2026-11-26T03:30:00.000Z'],
    ['9:00', 'Europe/Berlin', '2026-11-26T08:00:00.000Z'],
    ['17:30', 'Europe/Berlin', '2026-11-25T16:30:00.000Z'],
    ['monday 8:00', 'Australia/Lord_Howe', '2026-11-29T21:00:00.000Z'],
    ['dec 24 at 6pm', 'Europe/Berlin', '2026-12-24T17:00:00.000Z'],
    ['2026-12-24 18:00', 'America/New_York', '2026-12-24T23:00:00.000Z'],
    ['2026-12-24T18:00:00+05:30', 'Europe/Berlin', '2026-12-24T12:30:00.000Z'],
    ['2026-12-24T18:00:00Z', 'Europe/Berlin', '2026-12-24T18:00:00.000Z'],
    ['in 3 days', 'Europe/Berlin', '2026-11-28T15:00:00.000Z'],
  ])('%s in %s is %s', (text, zone, instant) => {
    vi.stubEnv('TZ', host)
    expect(new Date(NOW).getTimezoneOffset() + offsetAt(Date.parse(NOW), host) / 60_000).toBe(0)
    expect(read(text, zone)).toBe(instant)
  })
})

describe('over a change of the clocks', () => {
  it('a day later is the same time on the wall, and hours later are hours', () => {
    const evening = '2026-03-28T20:00:00Z'
    expect(read('tomorrow 21:00', 'Europe/Berlin', evening)).toBe('2026-03-29T19:00:00.000Z')
    expect(read('in 1 day', 'Europe/Berlin', evening)).toBe('2026-03-29T19:00:00.000Z')
    expect(read('in 24 hours', 'Europe/Berlin', evening)).toBe('2026-03-29T20:00:00.000Z')
  })

  it('a time that never comes is the first one after it, one that comes twice the first', () => {
    expect(read('tomorrow 2:30', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
    expect(read('tomorrow 2:30', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
  })
})

describe('a plan', () => {
  it('keeps the time that was named although the wall skips it on the first day', () => {
    const plan = readPlan('tomorrow 2:30', 'daily', Date.parse('2026-03-28T12:00:00Z'), 'Europe/Berlin')
    expect(plan).toMatchObject({ hour: 2, minute: 30, nextAt: Date.parse('2026-03-29T01:00:00Z') })
  })
})

describe('a time that comes twice', () => {
  it('is the second of the two when the first is over', () => {
    expect(read('2:20', 'Europe/Berlin', '2026-10-25T00:15:00Z')).toBe('2026-10-25T00:20:00.000Z')
    expect(read('2:20', 'Europe/Berlin', '2026-10-25T01:15:00Z')).toBe('2026-10-25T01:20:00.000Z')
  })
})

describe('what cannot be scheduled', () => {
  it.each(['', 'soon', 'buy milk', '9 or 10 tomorrow', '9-10 tomorrow', 'tomorrow 25:00', 'tomorrow 9:00 buy milk'])(
    'is no clear time: %s',
    (text) => expect(read(text, 'UTC')).toBe('unclear'),
  )

  it.each(['yesterday', 'last friday', '2 hours ago', '2020-01-01 10:00', 'now'])('is over: %s', (text) =>
    expect(read(text, 'UTC')).toBe('past'),
  )

  it.each(['in 2 years', '2028-01-01 10:00', '2027-11-26T15:00:01Z'])('is too far away: %s', (text) =>
    expect(read(text, 'UTC')).toBe('tooFar'),
  )
})
