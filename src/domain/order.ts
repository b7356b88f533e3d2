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
  /** Takes out the request that runs next. */
  next(): W | undefined
  /** 1 for the request that runs next; undefined when it is not waiting. */
  position(waiting: W): number | undefined
  /** In the order they will run. */
  [Symbol.iterator](): Iterator<W>
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

  next(): W | undefined {
    return this.#waiting.shift()
  }

  position(waiting: W): number | undefined {
    return this.#waiting.rank(waiting)
  }

  [Symbol.iterator](): Iterator<W> {
    return this.#waiting[Symbol.iterator]()
  }
}
