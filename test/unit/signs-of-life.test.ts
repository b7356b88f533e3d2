import { describe, expect, it } from 'vitest'
import { SignsOfLife, type WorkingCard } from '#discord/signs-of-life.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

function working(fails = false) {
  const seen: (number | 'types')[] = []
  const card: WorkingCard = {
    showSeconds: (seconds) => seen.push(seconds),
    type: () => {
      seen.push('types')
      return fails ? Promise.reject(new Error('no')) : Promise.resolve()
    },
  }
  return { card, seen }
}

function start() {
  const clock = new SimulatedClock()
  return { clock, signs: new SignsOfLife(clock) }
}

describe('signs of life', () => {
  it('are given every eight seconds as typing, and every ten as seconds, until there is something to read', async () => {
    const { clock, signs } = start()
    const { card, seen } = working()
    signs.begin(card)
    signs.begin(card)
    await clock.advance(1_999)
    expect(seen).toEqual([])
    await clock.advance(18_001)
    // At 2, 10, 10, 18 and 20 seconds.
    expect(seen).toEqual(['types', 'types', 10, 'types', 20])
    signs.end(card)
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(seen).toHaveLength(5)
  })

  it('are no more than ten in two seconds, however many wait for one, and everybody gets some', async () => {
    const { clock, signs } = start()
    const all = Array.from({ length: 100 }, () => working())
    for (const { card } of all) signs.begin(card)
    let before = 0
    for (let round = 0; round < 30; round++) {
      await clock.advance(2_000)
      const total = all.reduce((sum, { seen }) => sum + seen.length, 0)
      expect(total - before).toBeLessThanOrEqual(11)
      before = total
    }
    expect(all.filter(({ seen }) => seen.length === 0)).toEqual([])
    signs.stop()
    expect(clock.pending).toBe(0)
  })

  it('type no more where that did not work', async () => {
    const { clock, signs } = start()
    const { card, seen } = working(true)
    signs.begin(card)
    await clock.advance(30_000)
    expect(seen).toEqual(['types', 10, 20, 30])
    signs.stop()
  })
})
