import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readPlan, scheduleOptions } from '#discord/commands/schedule-words.ts'
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

describe.each(['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York'])('on a host in %s', (host) => {
  beforeEach(() => {
    vi.stubEnv('TZ', host)
  })

  it.each([
    // Sunday, at seven in the morning.
    ['sunday', 'Asia/Kolkata', '2026-03-29T01:30:00Z', '2026-03-29T06:30:00.000Z'],
    // Friday, just after midnight.
    ['friday 5pm', 'Pacific/Kiritimati', '2026-12-31T10:30:00Z', '2027-01-01T03:00:00.000Z'],
    // Saturday morning.
    ['friday 5pm', 'America/New_York', '2026-03-28T12:00:00Z', '2026-04-03T21:00:00.000Z'],
    // Friday, after five.
    ['friday 5pm', 'Pacific/Pago_Pago', '2026-10-03T04:30:00Z', '2026-10-10T04:00:00.000Z'],
    ['jan 1', 'Asia/Kolkata', '2026-12-31T23:30:00Z', '2027-01-01T06:30:00.000Z'],
    ['nov 25', 'UTC', '2026-11-25T15:00:00Z', '2027-11-25T12:00:00.000Z'],
    ['the day after tomorrow 9:00', 'Europe/Berlin', '2026-03-28T23:30:00Z', '2026-03-31T07:00:00.000Z'],
  ])('the day is the one that %s is in %s at %s', (text, zone, now, instant) => {
    expect(read(text, zone, now)).toBe(instant)
  })

  it.each([
    ['in 3 hours', 'Europe/Berlin', '2026-03-28T22:30:00Z', '2026-03-29T01:30:00.000Z'],
    ['in 3 hours', 'UTC', '2026-03-28T23:30:00Z', '2026-03-29T02:30:00.000Z'],
    ['in 10 minutes', 'UTC', '2026-03-29T02:30:00Z', '2026-03-29T02:40:00.000Z'],
    ['in 1 day', 'UTC', '2026-03-08T02:30:00Z', '2026-03-09T02:30:00.000Z'],
    ['in 24 hours', 'America/New_York', '2026-03-07T07:30:00Z', '2026-03-08T07:30:00.000Z'],
    ['in 90 seconds', 'Asia/Kathmandu', '2026-10-25T01:30:00Z', '2026-10-25T01:31:30.000Z'],
  ])('%s in %s from %s is as long, whatever its own clocks do', (text, zone, now, instant) => {
    expect(read(text, zone, now)).toBe(instant)
  })

  it.each([
    ['15:30 UTC', 'Europe/Berlin', '2026-11-25T15:00:00Z', '2026-11-25T15:30:00.000Z'],
    ['14:30 UTC', 'Europe/Berlin', '2026-11-25T15:00:00Z', '2026-11-26T14:30:00.000Z'],
    ['9am GMT+5', 'Pacific/Kiritimati', '2026-11-25T03:30:00Z', '2026-11-25T04:00:00.000Z'],
    ['9pm EST', 'Asia/Kolkata', '2026-11-25T23:30:00Z', '2026-11-26T02:00:00.000Z'],
    ['this evening at 8pm EST', 'Europe/Berlin', '2026-11-25T15:00:00Z', '2026-11-26T01:00:00.000Z'],
    ['friday 5pm EST', 'Europe/Berlin', '2026-11-25T15:00:00Z', '2026-11-27T22:00:00.000Z'],
    ['jul 1 5pm ET', 'Europe/Berlin', '2026-06-25T15:00:00Z', '2026-07-01T21:00:00.000Z'],
  ])('%s for somebody in %s at %s is the next there is', (text, zone, now, instant) => {
    expect(read(text, zone, now)).toBe(instant)
  })
})

describe('a date in numbers', () => {
  it.each([
    ['31.12.2026 18:00', '2026-12-31T18:00:00.000Z'],
    ['5.12.2026 18:00', '2026-12-05T18:00:00.000Z'],
    ['5.12. 18:00', '2026-12-05T18:00:00.000Z'],
    ['24.12., 18:00', '2026-12-24T18:00:00.000Z'],
    ['01.02.27', '2027-02-01T12:00:00.000Z'],
    ['12/5 18:00', '2026-12-05T18:00:00.000Z'],
  ])('with points begins with the day, with slashes with the month: %s', (text, instant) => {
    expect(read(text, 'UTC')).toBe(instant)
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

describe('the times that are named as examples', () => {
  it.each(['2026-11-25T15:00:00Z', '2026-12-24T23:00:00Z', '2031-03-01T00:00:00Z'])('are understood at %s', (now) => {
    const plan = readPlan('soon', 'once', Date.parse(now), 'UTC')
    const said = 'problem' in plan ? plan.problem : ''
    const [when] = scheduleOptions(4_000, { required: true })
    const examples = [...said.matchAll(/`(.+?)`/g)].map(([, example = '']) => example)
    examples.push(...(when?.description ?? '').replaceAll(/^Such as: |\.$/g, '').split(', '))
    expect(examples.length).toBeGreaterThan(6)
    expect(examples.filter((example) => !read(example, 'UTC', now).endsWith('Z'))).toEqual([])
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

  it.each(['yesterday', 'last friday', '2 hours ago', '2020-01-01 10:00', 'now', 'this morning', '24.12.2025'])(
    'is over: %s',
    (text) => expect(read(text, 'UTC')).toBe('past'),
  )

  it.each(['in 2 years', '2028-01-01 10:00', '2027-11-26T15:00:01Z'])('is too far away: %s', (text) =>
    expect(read(text, 'UTC')).toBe('tooFar'),
  )
})
