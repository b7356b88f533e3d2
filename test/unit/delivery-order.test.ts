import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveryOrder, type Waiter } from '#discord/delivery-order.ts'
import { URGENCIES } from '#protocol/delivery.ts'

type Happening =
  | { readonly type: 'comes'; readonly urgency: Waiter['urgency']; readonly lane: string }
  | { readonly type: 'leaves'; readonly index: number }
  | { readonly type: 'isNext' }
  | { readonly type: 'ends'; readonly index: number }
  | { readonly type: 'passes'; readonly ms: number }
  | { readonly type: 'learns'; readonly lane: string; readonly remaining: number; readonly ms: number }

const lane = fc.constantFrom('a', 'b', 'c')
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('comes' as const), urgency: fc.constantFrom(...URGENCIES), lane }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leaves' as const), index: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.constant({ type: 'isNext' as const }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('ends' as const), index: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('passes' as const), ms: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('learns' as const), lane, remaining: fc.nat(2), ms: fc.nat(9) }),
  },
)

/** The same with lists that are searched. */
class PlainOrder {
  readonly waiting: Waiter[] = []
  readonly busy = new Set<string>()
  readonly learned = new Map<string, { readonly remaining: number; readonly resetAt: number }>()

  next(now: number): Waiter | undefined {
    const heads = ['a', 'b', 'c'].flatMap((key) => {
      const [head] = this.waiting.filter((waiter) => waiter.lane === key).sort(byUrgency)
      return head && this.#mayGo(head, now) ? [head] : []
    })
    const [next] = heads.sort(byUrgency)
    if (!next) return undefined
    this.busy.add(next.lane)
    this.waiting.splice(this.waiting.indexOf(next), 1)
    return next
  }

  #mayGo({ lane: key, urgency }: Waiter, now: number): boolean {
    const known = this.learned.get(key)
    if (this.busy.has(key)) return false
    return !known || now >= known.resetAt || known.remaining > (urgency === 'preview' ? 1 : 0)
  }
}

function byUrgency(a: Waiter, b: Waiter): number {
  return URGENCIES.indexOf(a.urgency) - URGENCIES.indexOf(b.urgency) || a.admission - b.admission
}

function waiter(admission: number, urgency: Waiter['urgency'], key = String(admission)): Waiter {
  return { admission, urgency, lane: key }
}

function drained(order: DeliveryOrder<Waiter>, now = 0): number[] {
  const admissions: number[] = []
  for (let next = order.next(now); next; next = order.next(now)) admissions.push(next.admission)
  return admissions
}

describe('the order of delivery', () => {
  it('is that of lists that are searched, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const [order, plain] = [new DeliveryOrder<Waiter>(), new PlainOrder()]
        let now = 0
        for (const [admission, event] of happenings.entries()) {
          if (event.type === 'comes') {
            const comes = waiter(admission, event.urgency, event.lane)
            order.add(comes, now)
            plain.waiting.push(comes)
          } else if (event.type === 'leaves') {
            const [leaves] = plain.waiting.splice(event.index, 1)
            if (leaves) expect(order.remove(leaves, now)).toBe(true)
          } else if (event.type === 'isNext') {
            expect(order.next(now)).toBe(plain.next(now))
          } else if (event.type === 'ends') {
            const [key] = [...plain.busy].slice(event.index)
            if (key === undefined) continue
            plain.busy.delete(key)
            order.end(key, now)
          } else if (event.type === 'passes') {
            now += event.ms
          } else {
            const { remaining, ms } = event
            plain.learned.set(event.lane, { remaining, resetAt: now + ms })
            order.learn(event.lane, remaining, now + ms, now)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('puts ends before refusals, these before placeholders, and previews last; each in the order they came', () => {
    const order = new DeliveryOrder<Waiter>()
    const urgencies = ['preview', 'placeholder', 'notice', 'answer', 'reading', 'answer', 'preview'] as const
    for (const [admission, urgency] of urgencies.entries()) order.add(waiter(admission, urgency), 0)
    expect(drained(order)).toEqual([3, 5, 2, 1, 4, 0, 6])
  })

  it('lets nobody overtake a more urgent one that may not go', () => {
    const order = new DeliveryOrder<Waiter>()
    order.add(waiter(0, 'preview'), 0)
    order.add(waiter(1, 'placeholder'), 0)
    expect(order.next(0, ({ urgency }) => urgency === 'preview')).toBeUndefined()
  })

  it('keeps the last call of a lane for what is more urgent than a preview', () => {
    const order = new DeliveryOrder<Waiter>()
    order.learn('a', 1, 1_000, 0)
    order.add(waiter(0, 'preview', 'a'), 0)
    expect([order.next(0), order.nextResetAt()]).toEqual([undefined, 1_000])
    order.add(waiter(1, 'answer', 'a'), 0)
    expect(order.next(0)?.admission).toBe(1)
    order.end('a', 0)
    expect([order.hasReady(999), order.hasReady(1_000)]).toEqual([false, true])
  })

  it('forgets lanes that have nothing left to remember', () => {
    const order = new DeliveryOrder<Waiter>()
    for (let second = 0; second < 10_000; second++) {
      const key = `lane-${second}`
      order.add(waiter(second, 'answer', key), second)
      order.next(second)
      order.learn(key, 0, second + 5, second)
      order.end(key, second)
    }
    expect(order.lanes).toBeLessThan(100)
  })
})
