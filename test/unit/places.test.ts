import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Places } from '#discord/places.ts'

const LIMIT = 5
const WINDOW_MS = 1_000

interface Travel {
  readonly thereMs: number
  readonly backMs: number
}

/** When calls reach the other side that are made as soon as there is a place. */
function arrivals(travels: readonly Travel[]): number[] {
  const places = new Places({ limit: LIMIT, windowMs: WINDOW_MS })
  const answers: number[] = []
  const arrived: number[] = []
  let now = 0
  for (const { thereMs, backMs } of travels) {
    while (places.free(now) <= 0) {
      now = Math.min(answers[0] ?? Number.POSITIVE_INFINITY, places.nextFreeAt(now) ?? Number.POSITIVE_INFINITY)
      while (answers[0] !== undefined && answers[0] <= now) {
        answers.shift()
        places.leave(now)
      }
    }
    places.take()
    arrived.push(now + thereMs)
    answers.push(now + thereMs + backMs)
    answers.sort((a, b) => a - b)
  }
  return arrived.sort((a, b) => a - b)
}

function mostInAWindow(instants: readonly number[]): number {
  const inWindowOf = (start: number) => instants.filter((at) => at >= start && at < start + WINDOW_MS).length
  return Math.max(0, ...instants.map(inWindowOf))
}

describe('places', () => {
  it('let no window see more calls than there are, however long calls and answers travel', () => {
    const travel = fc.record({ thereMs: fc.nat(1_500), backMs: fc.nat(1_500) })
    fc.assert(
      fc.property(fc.array(travel, { maxLength: 60 }), (travels) => {
        expect(mostInAWindow(arrivals(travels))).toBeLessThanOrEqual(LIMIT)
      }),
    )
  })

  it('are all used when answers come at once', () => {
    const instants = arrivals(Array.from({ length: 3 * LIMIT }, () => ({ thereMs: 0, backMs: 0 })))
    expect(instants).toEqual([0, 1, 2].flatMap((window) => Array<number>(LIMIT).fill(window * WINDOW_MS)))
  })

  it('come back at once when no call was made', () => {
    const places = new Places({ limit: 1, windowMs: WINDOW_MS })
    places.take()
    expect([places.free(0), places.nextFreeAt(0)]).toEqual([0, undefined])
    places.giveBack()
    expect(places.free(0)).toBe(1)
  })

  it('are closed for as long as a refusal says, fewer after it, and all there again after some quiet', () => {
    const places = new Places({ limit: 50, windowMs: WINDOW_MS })
    places.refused(0, 2_000)
    // Those that were under way with it are refused, too.
    places.refused(10, 2_000)
    expect([places.free(2_009), places.nextFreeAt(2_009)]).toEqual([0, 2_010])
    expect(places.free(2_010)).toBe(45)
    expect([places.total(29_999), places.total(30_000), places.total(1e9)]).toEqual([47, 48, 50])
  })
})
