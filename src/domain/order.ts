import type { FairShares, Share } from './fair-shares.ts'
import { RankedSet } from './ranked-set.ts'

/** A request as the order sees it. */
export interface Waiting {
  readonly requestId: string
  /** Counts admissions, so smaller came earlier; a request keeps it when it is put back. */
  readonly admission: number
}

/** Which waiting request runs next. Every operation takes O(log n) or better. */
export interface Order<W extends Waiting = Waiting> {
  readonly size: number
  add(waiting: W): void
  remove(waiting: W): boolean
  /** Takes out the request that runs next. @param now ms since epoch */
  next(now: number): W | undefined
  /** 1 for the request that runs next; undefined when it is not waiting. */
  position(waiting: W): number | undefined
  /** Lets time pass, where that decides; tells whether places have changed. */
  advance?(now: number): boolean
  /** In the order they will run. */
  [Symbol.iterator](): Iterator<W>
}

/** A request as the fair order sees it. */
export interface FairWaiting extends Waiting {
  readonly share: Share
  /** ms since epoch */
  readonly acceptedAt: number
}

/**
 * Whose share starts first runs first, among equals who came first; a request that is put back keeps its place. Who has
 * waited for `maxWaitMs` runs before all others, the oldest of these first.
 */
export class FairOrder<W extends FairWaiting = FairWaiting> implements Order<W> {
  readonly #shares: FairShares
  readonly #maxWaitMs: number
  readonly #byShare = new RankedSet<W>((a, b) => a.share.shareStart - b.share.shareStart || a.admission - b.admission)
  /** The same requests by age, to find those who have waited too long. */
  readonly #byAge = new RankedSet<W>(compareAge)
  readonly #late = new RankedSet<W>(compareAge)

  /** @param maxWaitMs infinite for no limit. */
  constructor(shares: FairShares, maxWaitMs = Number.POSITIVE_INFINITY) {
    this.#shares = shares
    this.#maxWaitMs = maxWaitMs
  }

  get size(): number {
    return this.#late.size + this.#byShare.size
  }

  add(waiting: W): void {
    this.#byShare.add(waiting)
    this.#byAge.add(waiting)
  }

  remove(waiting: W): boolean {
    return this.#late.delete(waiting) || (this.#byAge.delete(waiting) && this.#byShare.delete(waiting))
  }

  /** Puts those first who have waited too long; tells whether there were any. */
  advance(now: number): boolean {
    let moved = false
    for (let oldest = first(this.#byAge); oldest && now - oldest.acceptedAt >= this.#maxWaitMs; ) {
      this.#byAge.delete(oldest)
      this.#byShare.delete(oldest)
      this.#late.add(oldest)
      moved = true
      oldest = first(this.#byAge)
    }
    return moved
  }

  next(now: number): W | undefined {
    this.advance(now)
    const late = this.#late.shift()
    // Out of turn it moves virtual time for nobody.
    if (late) return late
    const next = this.#byShare.shift()
    if (!next) return undefined
    this.#byAge.delete(next)
    this.#shares.dispatched(next.share)
    return next
  }

  position(waiting: W): number | undefined {
    const rank = this.#byShare.rank(waiting)
    return rank === undefined ? this.#late.rank(waiting) : this.#late.size + rank
  }

  *[Symbol.iterator](): Generator<W> {
    yield* this.#late
    yield* this.#byShare
  }
}

function compareAge(a: FairWaiting, b: FairWaiting): number {
  return a.acceptedAt - b.acceptedAt || a.admission - b.admission
}

function first<T>(set: RankedSet<T>): T | undefined {
  for (const value of set) return value
  return undefined
}

/** First come, first served; a request that is put back keeps the place it came with. */
export class FifoOrder<W extends Waiting = Waiting> implements Order<W> {
  readonly #waiting = new RankedSet<W>((a, b) => a.admission - b.admission)

  get size(): number {
    return this.#waiting.size
  }

  add(waiting: W): void {
    this.#waiting.add(waiting)
  }

  remove(waiting: W): boolean {
    return this.#waiting.delete(waiting)
  }

  next(_now: number): W | undefined {
    return this.#waiting.shift()
  }

  position(waiting: W): number | undefined {
    return this.#waiting.rank(waiting)
  }

  [Symbol.iterator](): Iterator<W> {
    return this.#waiting[Symbol.iterator]()
  }
}
