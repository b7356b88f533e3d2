import { FairShares } from '#domain/fair-shares.ts'
import { FairOrder, type FairWaiting, type Order } from '#domain/order.ts'
import { RankedSet } from '#domain/ranked-set.ts'

/** One question of the load. */
export interface Arrival {
  /** s since the start */
  readonly at: number
  readonly userId: string
  readonly tier: Tier
  readonly kind: 'light' | 'heavy'
  /** tokens */
  readonly cost: number
}

export interface Tier {
  readonly name: string
  readonly weight: number
}

/** A question that was answered, or was turned away because the queue was full. */
export interface Served extends Arrival {
  /** s; null when it was turned away. */
  readonly waited: number | null
}

interface Waiting extends FairWaiting {
  readonly arrival: Arrival
}

/** How the queue decides who is next. */
export interface Discipline {
  readonly name: string
  readonly order: Order<Waiting>
  /** What the order looks at, if it does. */
  readonly shares?: FairShares
}

export function fifo(): Discipline {
  return { name: 'first come, first served', order: new SortedOrder((a, b) => a.admission - b.admission) }
}

export function strictPriority(): Discipline {
  const byTier = (a: Waiting, b: Waiting) => b.arrival.tier.weight - a.arrival.tier.weight || a.admission - b.admission
  return { name: 'strict priority', order: new SortedOrder(byTier) }
}

export function fair(maxWaitSeconds: number): Discipline {
  const shares = new FairShares()
  return { name: 'fair shares', order: new FairOrder(shares, maxWaitSeconds * 1_000), shares }
}

/** The order of one comparison. */
class SortedOrder implements Order<Waiting> {
  readonly #waiting: RankedSet<Waiting>

  constructor(compare: (a: Waiting, b: Waiting) => number) {
    this.#waiting = new RankedSet(compare)
  }

  get size(): number {
    return this.#waiting.size
  }

  add(waiting: Waiting): void {
    this.#waiting.add(waiting)
  }

  remove(waiting: Waiting): boolean {
    return this.#waiting.delete(waiting)
  }

  next(): Waiting | undefined {
    return this.#waiting.shift()
  }

  position(waiting: Waiting): number | undefined {
    return this.#waiting.rank(waiting)
  }

  [Symbol.iterator](): Iterator<Waiting> {
    return this.#waiting[Symbol.iterator]()
  }
}

export interface SimulationOptions {
  readonly slots: number
  readonly maxQueueSize: number
  /** tokens per second that one slot answers */
  readonly tokensPerSecond: number
  /** What admission takes every question to cost. */
  readonly estimate: number
}

/** Serves a load on a simulated clock. A user whose question is not answered yet asks the next one when it is. */
export function simulate(
  load: readonly Arrival[],
  { order, shares = new FairShares() }: Discipline,
  options: SimulationOptions,
): Served[] {
  const served: Served[] = []
  const later = new Map<string, Arrival[]>()
  const active = new Set<string>()
  const running = new RankedSet<{ readonly endsAt: number; readonly waiting: Waiting }>(
    (a, b) => a.endsAt - b.endsAt || a.waiting.admission - b.waiting.admission,
  )
  let admissions = 0

  const admit = (arrival: Arrival, now: number): void => {
    if (order.size >= options.maxQueueSize && running.size >= options.slots) {
      served.push({ ...arrival, waited: null })
      return
    }
    active.add(arrival.userId)
    const share = shares.claim(arrival.userId, options.estimate, arrival.tier.weight)
    const admission = admissions++
    const asked = { ...arrival, at: now }
    order.add({ requestId: String(admission), admission, acceptedAt: now * 1_000, share, arrival: asked })
  }
  const dispatch = (now: number): void => {
    while (running.size < options.slots) {
      const waiting = order.next(now * 1_000)
      if (!waiting) return
      served.push({ ...waiting.arrival, waited: now - waiting.arrival.at })
      running.add({ endsAt: now + waiting.arrival.cost / options.tokensPerSecond, waiting })
    }
  }
  const endThose = (until: number): void => {
    for (let next = firstOf(running); next && next.endsAt <= until; next = firstOf(running)) {
      running.delete(next)
      const { arrival, share } = next.waiting
      shares.settle(arrival.userId, share, arrival.cost)
      active.delete(arrival.userId)
      const waiting = later.get(arrival.userId)?.shift()
      if (waiting) admit(waiting, next.endsAt)
      dispatch(next.endsAt)
    }
  }

  for (const arrival of load) {
    endThose(arrival.at)
    if (active.has(arrival.userId)) later.set(arrival.userId, [...(later.get(arrival.userId) ?? []), arrival])
    else admit(arrival, arrival.at)
    dispatch(arrival.at)
  }
  endThose(Number.POSITIVE_INFINITY)
  return served
}

function firstOf<T>(set: RankedSet<T>): T | undefined {
  for (const value of set) return value
  return undefined
}
