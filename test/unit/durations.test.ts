import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventsPerMinute, SlidingDurations } from '#domain/durations.ts'

const WINDOW_MS = 600_000

/** Nearest rank by its definition: the smallest value that at least so many percent are not above. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length) ?? 0
}

function summaryOf(values: readonly number[]) {
  const [p50Ms, p95Ms, p99Ms] = [50, 95, 99].map((percent) => percentile(values, percent))
  return { count: values.length, p50Ms, p95Ms, p99Ms }
}

describe('sliding durations', () => {
  it('are all zero without samples', () => {
    expect(new SlidingDurations(10, WINDOW_MS).summary(0)).toEqual({ count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 })
  })

  it('tell percentiles by nearest rank', () => {
    const durations = new SlidingDurations(2048, WINDOW_MS)
    for (let value = 100; value >= 1; value--) durations.add(0, value)
    expect(durations.summary(0)).toEqual({ count: 100, p50Ms: 50, p95Ms: 95, p99Ms: 99 })
  })

  it('tell exact percentiles for any number of samples', () => {
    const durations = new SlidingDurations(2048, WINDOW_MS)
    for (let count = 1; count <= 2048; count++) {
      durations.add(0, count)
      if (count % 61 !== 0 && count > 300) continue
      const rank = (percent: number) => Math.floor((percent * count + 99) / 100)
      expect(durations.summary(0)).toEqual({ count, p50Ms: rank(50), p95Ms: rank(95), p99Ms: rank(99) })
    }
  })

  it('keep the newest samples up to the capacity, none older than the window', () => {
    const sample = fc.record({ afterMs: fc.nat(100_000), valueMs: fc.nat(10_000) })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (samples, capacity) => {
        const durations = new SlidingDurations(capacity, WINDOW_MS)
        const kept: { at: number; value: number }[] = []
        let now = 0
        for (const { afterMs, valueMs } of samples) {
          now += afterMs
          durations.add(now, valueMs)
          kept.push({ at: now, value: valueMs })
          const inWindow = kept.slice(-capacity).filter(({ at }) => now - at <= WINDOW_MS)
          expect(durations.summary(now)).toEqual(summaryOf(inWindow.map(({ value }) => value)))
        }
      }),
    )
  })

  it('leave out samples of a time that has not come when the host clock was set back', () => {
    const durations = new SlidingDurations(10, WINDOW_MS)
    durations.add(5_000_000, 100)
    durations.add(1_000_000, 7)
    expect(durations.summary(1_000_000)).toMatchObject({ count: 1, p50Ms: 7 })
  })

  it('never tell a negative duration', () => {
    const durations = new SlidingDurations(10, WINDOW_MS)
    durations.add(0, -3_600_000)
    expect(durations.summary(0)).toEqual({ count: 1, p50Ms: 0, p95Ms: 0, p99Ms: 0 })
  })
})

describe('events per minute', () => {
  it('count what happened in the last sixty seconds', () => {
    const events = new EventsPerMinute()
    const start = Date.UTC(2030, 0, 1)
    events.add(start)
    events.add(start + 30_000)
    expect(events.count(start + 59_999)).toBe(2)
    expect(events.count(start + 60_000)).toBe(1)
    expect(events.count(start + 90_000)).toBe(0)
  })

  it('count the same as a list of instants, also when the host clock is set back', () => {
    const move = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -100_000, max: 100_000 }) },
    )
    fc.assert(
      fc.property(fc.array(fc.record({ move, adds: fc.boolean() }), { maxLength: 80 }), (steps) => {
        const events = new EventsPerMinute()
        let now = Date.UTC(2030, 0, 1)
        let seconds: number[] = []
        for (const { move, adds } of steps) {
          now += move
          const second = Math.floor(now / 1000)
          seconds = seconds.filter((each) => each <= second && each > second - 60)
          if (adds) {
            seconds.push(second)
            events.add(now)
          }
          expect(events.count(now)).toBe(seconds.length)
        }
      }),
    )
  })

  it('count again as before an hour after the host clock was set back by an hour', () => {
    const events = new EventsPerMinute()
    const start = Date.UTC(2030, 0, 1, 12)
    events.add(start)
    for (let minute = -60; minute <= 0; minute++) {
      events.add(start + minute * 60_000)
      expect(events.count(start + minute * 60_000)).toBe(1)
    }
  })
})
