import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FifoOrder, type Waiting } from '#domain/order.ts'

function waitingOf(admission: number): Waiting {
  return { requestId: `r${admission}`, admission }
}

type Step = 'arrive' | 'next' | 'putBack' | { readonly remove: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>('arrive') },
  { weight: 2, arbitrary: fc.constantFrom<Step[]>('next', 'putBack') },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(20) }) },
)

describe('the order of waiting requests', () => {
  it('is first come, first served', () => {
    const order = new FifoOrder()
    const arrivals = [0, 1, 2, 3].map(waitingOf)
    for (const waiting of arrivals) order.add(waiting)
    expect(arrivals.map(() => order.next(0))).toEqual(arrivals)
    expect(order.next(0)).toBeUndefined()
  })

  it('gives a request that is put back the place it came with', () => {
    const order = new FifoOrder()
    for (const admission of [0, 1, 2]) order.add(waitingOf(admission))
    const first = order.next(0)
    if (!first) throw new Error('expected a request')
    order.add(first)
    expect(order.position(first)).toBe(1)
    expect([...order].map(({ admission }) => admission)).toEqual([0, 1, 2])
  })

  it('closes the gap when one leaves from the middle', () => {
    const order = new FifoOrder()
    const [a, b, c] = [waitingOf(0), waitingOf(1), waitingOf(2)]
    for (const waiting of [a, b, c]) order.add(waiting)
    expect(order.remove(b)).toBe(true)
    expect(order.remove(b)).toBe(false)
    expect([order.position(a), order.position(b), order.position(c)]).toEqual([1, undefined, 2])
  })

  it('runs what waits by admission, whatever came, left and was put back in between', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const order = new FifoOrder()
        let waiting: Waiting[] = []
        let taken: Waiting[] = []
        for (const [admission, each] of steps.entries()) {
          if (each === 'arrive') {
            waiting = [...waiting, waitingOf(admission)]
            order.add(waitingOf(admission))
          } else if (each === 'next') {
            const [first, ...others] = waiting
            expect(order.next(0)).toEqual(first)
            waiting = others
            if (first) taken = [...taken, first]
          } else if (each === 'putBack') {
            for (const back of taken) order.add(back)
            waiting = [...waiting, ...taken].toSorted((a, b) => a.admission - b.admission)
            taken = []
          } else {
            const gone = waiting[each.remove] ?? waitingOf(-1)
            expect(order.remove(gone)).toBe(gone.admission >= 0)
            waiting = waiting.filter((other) => other !== gone)
          }
          expect([...order]).toEqual(waiting)
          expect(order.size).toBe(waiting.length)
          expect(waiting.map((one) => order.position(one))).toEqual(waiting.map((_, index) => index + 1))
        }
      }),
    )
  })
})
