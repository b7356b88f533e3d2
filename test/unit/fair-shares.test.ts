import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairShares, type FairState, finishOf, type Share } from '#domain/fair-shares.ts'
import { FairOrder, type FairWaiting } from '#domain/order.ts'

interface Asked extends FairWaiting {
  readonly userId: string
  /** What it will really take, in tokens. */
  readonly cost: number
}

/** Users, requests and one slot, as the queue has them: a user has one request at a time. */
class World {
  shares: FairShares
  order: FairOrder<Asked>
  readonly served = new Map<string, number>()
  #admissions = 0

  constructor(state?: FairState, maxWaitMs?: number) {
    this.shares = new FairShares(state)
    this.order = new FairOrder(this.shares, maxWaitMs)
  }

  /** @param estimate what admission takes it to cost. */
  ask(userId: string, { cost, weight = 1, estimate = cost, at = 0 }: Ask): Asked {
    const share = this.shares.claim(userId, estimate, weight)
    const admission = this.#admissions++
    const asked = { requestId: `r${admission}`, admission, acceptedAt: at, userId, cost, share }
    this.order.add(asked)
    return asked
  }

  /** Runs the next one to its end; its cost is known then. */
  serve(now = 0): Asked | undefined {
    const asked = this.order.next(now)
    if (!asked) return undefined
    this.shares.settle(asked.userId, asked.share, asked.cost)
    this.served.set(asked.userId, (this.served.get(asked.userId) ?? 0) + asked.cost)
    return asked
  }

  /** As after a restart: only what is stored is left. */
  restart(): void {
    const waiting = [...this.order]
    this.shares = new FairShares(JSON.parse(JSON.stringify(this.shares.state())))
    this.order = new FairOrder(this.shares)
    for (const asked of waiting) this.order.add(asked)
  }
}

interface Ask {
  readonly cost: number
  readonly weight?: number
  readonly estimate?: number
  readonly at?: number
}

const cost = fc.integer({ min: 1, max: 4_000 })
const weight = fc.constantFrom(0.5, 1, 2, 3, 8)

describe('a fair order', () => {
  it('lets a light user overtake a heavy one, and keeps the order of those who are level', () => {
    const world = new World()
    world.ask('heavy', { cost: 4_000 })
    world.serve()
    world.ask('heavy', { cost: 4_000 })
    const [ann, bob] = [world.ask('ann', { cost: 10 }), world.ask('bob', { cost: 10 })]
    expect([...world.order].map(({ userId }) => userId)).toEqual(['ann', 'bob', 'heavy'])
    expect([world.order.position(ann), world.order.position(bob)]).toEqual([1, 2])
  })

  it('gives no credit to somebody who was away', () => {
    const world = new World()
    for (let round = 0; round < 5; round++) {
      world.ask('busy', { cost: 100 })
      world.serve()
    }
    world.ask('busy', { cost: 100 })
    world.ask('new', { cost: 100 })
    expect([world.serve()?.userId, world.serve()?.userId]).toEqual(['new', 'busy'])
    // Level with the others now: had the time away counted, it would go first five times.
    world.ask('new', { cost: 100 })
    world.ask('busy', { cost: 100 })
    expect(world.serve()?.userId).toBe('new')
    world.ask('new', { cost: 100 })
    expect(world.serve()?.userId).toBe('busy')
  })

  it('serves users who always have something waiting by their weights, as closely as the largest request of each', () => {
    const user = fc.record({ weight, costs: fc.array(cost, { minLength: 5, maxLength: 5 }) })
    fc.assert(
      fc.property(
        fc.array(user, { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 20, max: 200 }),
        (users, rounds) => {
          const world = new World()
          const asked = users.map(() => 0)
          const askNext = (index: number) => {
            const { costs, weight } = users[index] ?? { costs: [], weight: 1 }
            const turn = asked[index] ?? 0
            asked[index] = turn + 1
            world.ask(String(index), {
              cost: costs[turn % costs.length] ?? 1,
              weight,
            })
          }
          for (const index of users.keys()) askNext(index)
          const history: number[][] = []
          for (let round = 0; round < rounds; round++) {
            const { userId } = world.serve() ?? { userId: '0' }
            askNext(Number(userId))
            history.push(users.map(({ weight }, index) => (world.served.get(String(index)) ?? 0) / weight))
          }
          for (const [a, first] of users.entries()) {
            for (const [b, second] of users.entries()) {
              const apart = history.map((served) => (served[a] ?? 0) - (served[b] ?? 0))
              const bound = Math.max(...first.costs) / first.weight + Math.max(...second.costs) / second.weight
              // Over any stretch of time, not only from the beginning.
              expect(Math.max(...apart) - Math.min(...apart)).toBeLessThanOrEqual(bound + 1e-6)
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('starves nobody: what waits is passed only as long as its own share lasts', () => {
    const flood = fc.array(fc.record({ user: fc.nat(20), cost, weight }), { minLength: 50, maxLength: 300 })
    fc.assert(
      fc.property(flood, fc.array(cost, { maxLength: 5 }), (others, debts) => {
        const world = new World()
        for (const debt of debts) {
          world.ask('ann', { cost: debt })
          world.serve()
        }
        const ann = world.ask('ann', { cost: 1 })
        const ahead = ann.share.shareStart - world.shares.virtualTime
        const passed = new Map<string, number>()
        for (const { user, cost, weight } of others) {
          const userId = `u${user}`
          world.ask(userId, { cost, weight })
          const served = world.serve()
          if (!served || served === ann) return
          passed.set(served.userId, (passed.get(served.userId) ?? 0) + served.cost / served.share.shareWeight)
        }
        // Each other user got at most what ann is ahead, and the request that was then under way.
        for (const [userId, got] of passed) {
          const mine = others.filter(({ user }) => `u${user}` === userId).map(({ cost, weight }) => cost / weight)
          expect(got).toBeLessThanOrEqual(ahead + Math.max(...mine) + 1e-6)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('goes on after a restart at any point as if there had been none', () => {
    const step = fc.record({ user: fc.nat(5), cost, estimate: cost, weight, serves: fc.nat(2), restarts: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [kept, restarted] = [new World(), new World()]
        for (const { user, serves, restarts, ...ask } of steps) {
          for (const world of [kept, restarted]) {
            const userId = `u${user}`
            if (![...world.order].some((waiting) => waiting.userId === userId)) world.ask(userId, ask)
          }
          if (restarts) restarted.restart()
          for (let n = 0; n < serves; n++) expect(restarted.serve()?.requestId).toBe(kept.serve()?.requestId)
          expect(restarted.shares.state()).toEqual(kept.shares.state())
        }
      }),
    )
  })

  it('charges what a request has really cost, exactly, and nothing for one that never ran', () => {
    fc.assert(
      fc.property(cost, cost, weight, (estimate, real, weight) => {
        const shares = new FairShares()
        const share: Share = shares.claim('ann', estimate, weight)
        expect(shares.startOf('ann')).toBe(finishOf(share, estimate))
        shares.settle('ann', share, real)
        expect(shares.startOf('ann')).toBe(share.shareStart + real / weight)
        shares.settle('ann', share, 0)
        expect(shares.startOf('ann')).toBe(share.shareStart)
      }),
    )
  })

  it('puts first who has waited too long, the oldest first, without moving virtual time for the others', () => {
    const world = new World(undefined, 1_000)
    world.ask('heavy', { cost: 9_000 })
    world.serve()
    const heavy = world.ask('heavy', { cost: 9_000, at: 10 })
    const ann = world.ask('ann', { cost: 1, at: 20 })
    expect(world.order.next(1_009)).toBe(ann)
    world.order.add(ann)
    expect([world.order.advance(1_009), world.order.advance(1_010)]).toEqual([false, true])
    expect([world.order.position(heavy), world.order.position(ann), world.order.size]).toEqual([1, 2, 2])
    expect([world.order.remove(heavy), world.order.remove(heavy)]).toEqual([true, false])
    world.order.add(heavy)
    const before = world.shares.virtualTime
    expect(world.order.next(1_020)).toBe(heavy)
    expect(world.shares.virtualTime).toBe(before)
    expect(world.order.next(1_020)).toBe(ann)
  })

  it('forgets users who are level with the others again', () => {
    const shares = new FairShares()
    for (let n = 0; n < 1_000; n++) {
      const share = shares.claim(`u${n}`, 100, 1)
      shares.dispatched({ shareStart: n * 100, shareWeight: 1 })
      shares.settle(`u${n}`, share, 100)
    }
    expect(shares.state().finishes.length).toBeLessThanOrEqual(1)
  })
})
