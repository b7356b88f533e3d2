import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeltaGatherer } from '#assistant/delta-gatherer.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const INTERVAL_MS = 1000

interface Sent {
  readonly text: string
  readonly at: number
}

function gather() {
  const clock = new SimulatedClock(0)
  const sent: Sent[] = []
  const gatherer = new DeltaGatherer(clock, INTERVAL_MS, (text) => sent.push({ text, at: clock.now() }))
  return { clock, sent, gatherer }
}

describe('a delta gatherer', () => {
  it('sends the first piece at once and what follows once an interval has passed', async () => {
    const { clock, sent, gatherer } = gather()
    gatherer.push('one')
    gatherer.push(' two')
    await clock.advance(INTERVAL_MS - 1)
    gatherer.push(' three')
    expect(sent).toEqual([{ text: 'one', at: 0 }])
    await clock.advance(1)
    gatherer.push(' four')
    await clock.advance(INTERVAL_MS)
    expect(sent.slice(1)).toEqual([
      { text: ' two three', at: INTERVAL_MS },
      { text: ' four', at: 2 * INTERVAL_MS },
    ])
  })

  it('sends a piece at once again after an interval without any', async () => {
    const { clock, sent, gatherer } = gather()
    gatherer.push('one')
    await clock.advance(INTERVAL_MS)
    expect(clock.pending).toBe(0)
    await clock.advance(500)
    gatherer.push(' two')
    expect(sent.at(-1)).toEqual({ text: ' two', at: INTERVAL_MS + 500 })
  })

  it('sends what is left when it is flushed, and sets no timer that outlives it', async () => {
    const { clock, sent, gatherer } = gather()
    gatherer.push('one')
    gatherer.push(' two')
    gatherer.flush()
    gatherer.flush()
    expect(sent.map(({ text }) => text)).toEqual(['one', ' two'])
    expect(clock.pending).toBe(0)
    await clock.advance(10 * INTERVAL_MS)
    expect(sent).toHaveLength(2)
  })

  it('sends nothing when there is nothing', async () => {
    const { clock, sent, gatherer } = gather()
    gatherer.push('')
    await clock.advance(INTERVAL_MS)
    gatherer.flush()
    expect(sent).toEqual([])
    expect(clock.pending).toBe(0)
  })

  const step = fc.oneof(fc.string({ maxLength: 5 }), fc.integer({ min: 0, max: 2 * INTERVAL_MS }))

  it('loses nothing, sends nothing empty, and nothing twice within an interval, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, sent, gatherer } = gather()
        for (const next of steps) {
          if (typeof next === 'string') gatherer.push(next)
          else await clock.advance(next)
        }
        for (const [index, { at }] of sent.slice(1).entries()) {
          expect(at - (sent[index]?.at ?? 0)).toBeGreaterThanOrEqual(INTERVAL_MS)
        }
        gatherer.flush()
        expect(sent.map(({ text }) => text).join('')).toBe(steps.filter((next) => typeof next === 'string').join(''))
        expect(sent.map(({ text }) => text)).not.toContain('')
      }),
    )
  })

  it('keeps no piece back for longer than an interval', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, sent, gatherer } = gather()
        let pushed = ''
        for (const next of steps) {
          if (typeof next === 'string') gatherer.push(next)
          else await clock.advance(next)
          pushed += typeof next === 'string' ? next : ''
        }
        await clock.advance(INTERVAL_MS)
        expect(sent.map(({ text }) => text).join('')).toBe(pushed)
      }),
    )
  })
})
