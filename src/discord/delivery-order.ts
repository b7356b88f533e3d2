import { RankedSet } from '#domain/ranked-set.ts'
import { URGENCIES, type Urgency } from '#protocol/delivery.ts'

/** Something that waits for its call. */
export interface Waiter {
  readonly urgency: Urgency
  /** Counts what came to wait, so smaller came earlier; no two have the same. */
  readonly admission: number
  /** The key of its lane. */
  readonly lane: string
}

interface LaneState<W> {
  readonly key: string
  readonly waiting: RankedSet<W>
  busy: boolean
  /** Calls it has left until `resetAt`. */
  remaining: number
  resetAt: number
}

/** Lanes that are remembered at least before those with nothing to remember are looked for. */
const FEW_LANES = 64

/**
 * Which of those that wait goes next: the most urgent, and of these who came first; one at a time in each lane, and
 * none in a lane that Discord says is used up. The last call a lane has left is kept for what is more urgent than a
 * preview. Every operation takes O(log n), but for forgetting, which takes that on average.
 */
export class DeliveryOrder<W extends Waiter> {
  readonly #lanes = new Map<string, LaneState<W>>()
  /** Lanes whose first may go, in the order of these. */
  readonly #ready = new RankedSet<LaneState<W>>((a, b) => compareFirst(a, b))
  /** Lanes that wait for their reset. */
  readonly #parked = new RankedSet<LaneState<W>>((a, b) => a.resetAt - b.resetAt || compareFirst(a, b))
  #sweepAbove = FEW_LANES

  add(waiter: W, now: number): void {
    this.#change(this.#laneOf(waiter.lane, now), now, ({ waiting }) => waiting.add(waiter))
  }

  remove(waiter: W, now: number): boolean {
    const lane = this.#lanes.get(waiter.lane)
    return lane !== undefined && this.#change(lane, now, ({ waiting }) => waiting.delete(waiter))
  }

  /**
   * Takes out who goes next; its lane is busy until `end`.
   *
   * @param may asked of the first alone: what is less urgent does not overtake it.
   */
  next(now: number, may: (waiter: W) => boolean = () => true): W | undefined {
    this.#unpark(now)
    const lane = first(this.#ready)
    const waiter = lane && first(lane.waiting)
    if (!lane || !waiter || !may(waiter)) return undefined
    this.#change(lane, now, ({ waiting }) => {
      waiting.delete(waiter)
      lane.busy = true
    })
    return waiter
  }

  /** The call of a lane has ended. */
  end(key: string, now: number): void {
    const lane = this.#lanes.get(key)
    if (lane) this.#change(lane, now, () => Object.assign(lane, { busy: false }))
  }

  /** What Discord says is left of a lane. */
  learn(key: string, remaining: number, resetAt: number, now: number): void {
    this.#change(this.#laneOf(key, now), now, (lane) => Object.assign(lane, { remaining, resetAt }))
  }

  /** Whether somebody could go now. */
  hasReady(now: number): boolean {
    this.#unpark(now)
    return this.#ready.size > 0
  }

  /** When the next of the lanes that are used up is reset. */
  nextResetAt(): number | undefined {
    return first(this.#parked)?.resetAt
  }

  /** How many lanes are remembered. */
  get lanes(): number {
    return this.#lanes.size
  }

  #laneOf(key: string, now: number): LaneState<W> {
    const known = this.#lanes.get(key)
    if (known) return known
    if (this.#lanes.size >= this.#sweepAbove) this.#sweep(now)
    const waiting = new RankedSet<W>(compare)
    const lane = { key, waiting, busy: false, remaining: Number.POSITIVE_INFINITY, resetAt: Number.NEGATIVE_INFINITY }
    this.#lanes.set(key, lane)
    return lane
  }

  #sweep(now: number): void {
    for (const [key, { waiting, busy, resetAt }] of this.#lanes) {
      if (waiting.size === 0 && !busy && resetAt <= now) this.#lanes.delete(key)
    }
    this.#sweepAbove = Math.max(FEW_LANES, this.#lanes.size * 2)
  }

  #unpark(now: number): void {
    for (let lane = first(this.#parked); lane && lane.resetAt <= now; lane = first(this.#parked)) {
      this.#change(lane, now, () => undefined)
    }
  }

  /** Both sets are sorted by what is in a lane, so it is in none of them while that changes. */
  #change<T>(lane: LaneState<W>, now: number, change: (lane: LaneState<W>) => T): T {
    if (lane.waiting.size > 0 && !this.#ready.delete(lane)) this.#parked.delete(lane)
    const result = change(lane)
    const head = first(lane.waiting)
    if (!head || lane.busy) return result
    if (now >= lane.resetAt || lane.remaining > keptFrom(head)) this.#ready.add(lane)
    else this.#parked.add(lane)
    return result
  }
}

/** The calls of a lane that must be left before this one. */
function keptFrom({ urgency }: Waiter): number {
  return urgency === 'preview' ? 1 : 0
}

function compare(a: Waiter, b: Waiter): number {
  return URGENCIES.indexOf(a.urgency) - URGENCIES.indexOf(b.urgency) || a.admission - b.admission
}

function compareFirst<W extends Waiter>(a: LaneState<W>, b: LaneState<W>): number {
  const [firstOfA, firstOfB] = [first(a.waiting), first(b.waiting)]
  // A lane in which nobody waits is in no set.
  return firstOfA && firstOfB ? compare(firstOfA, firstOfB) : 0
}

function first<T>(set: RankedSet<T>): T | undefined {
  for (const value of set) return value
  return undefined
}
