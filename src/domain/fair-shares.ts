/** What a request may claim: its place in virtual time, and what it pays for it. */
export interface Share {
  /** Virtual time at which its turn comes; the smallest of those that wait runs next. */
  readonly start: number
  /** How much of the whole its user is to get beside others. */
  readonly weight: number
}

/** Everything that decides later shares, as it can be stored. */
export interface FairState {
  readonly virtualTime: number
  /** Only of users who are ahead of virtual time; all others are level with it. */
  readonly finishes: readonly (readonly [userId: string, finish: number])[]
}

export const FAIR_START: FairState = { virtualTime: 0, finishes: [] }

/** So many users are remembered at least before those who are level with virtual time again are forgotten. */
const FEW_USERS = 64

/**
 * Start-time fair queueing (Goyal, Vin, Cheng, 1996): whoever has used more than others, measured by weight, waits
 * longer. A request starts where virtual time is, or where its user's last one finished if that is later; it finishes
 * its cost divided by its weight after that. Virtual time is the start of what was dispatched last, so somebody who
 * was away gets no credit for it, and nobody is starved by those who keep coming.
 *
 * A user has one request at a time, so a finish is an estimate until that request has ended, and exact after.
 */
export class FairShares {
  readonly #finishes: Map<string, number>
  #virtualTime: number
  #sweepAbove = FEW_USERS

  constructor({ virtualTime, finishes }: FairState = FAIR_START) {
    this.#virtualTime = virtualTime
    this.#finishes = new Map(finishes)
  }

  get virtualTime(): number {
    return this.#virtualTime
  }

  /** Virtual time at which a user's next request would start. */
  startOf(userId: string): number {
    return Math.max(this.#virtualTime, this.#finishes.get(userId) ?? 0)
  }

  /** The share of a request that comes in now; `cost`, in tokens, is an estimate. */
  claim(userId: string, cost: number, weight: number): Share {
    const share = { start: this.startOf(userId), weight }
    this.settle(userId, share, cost)
    return share
  }

  /**
   * A request was dispatched. Out of turn it moves virtual time no further than to those who still wait.
   *
   * @param waiting the smallest start of these; none: infinite.
   */
  dispatched({ start }: Share, waiting = Number.POSITIVE_INFINITY): void {
    this.#virtualTime = Math.max(this.#virtualTime, Math.min(start, waiting))
  }

  /** What a request has really cost, in tokens; 0 when it never ran. */
  settle(userId: string, share: Share, cost: number): void {
    this.#finishes.set(userId, finishOf(share, cost))
    if (this.#finishes.size >= this.#sweepAbove) this.#sweep()
  }

  state(): FairState {
    this.#sweep()
    return { virtualTime: this.#virtualTime, finishes: [...this.#finishes] }
  }

  #sweep(): void {
    for (const [userId, finish] of this.#finishes) if (finish <= this.#virtualTime) this.#finishes.delete(userId)
    this.#sweepAbove = Math.max(FEW_USERS, this.#finishes.size * 2)
  }
}

/** Virtual time at which a request finishes that costs so many tokens. */
export function finishOf({ start, weight }: Share, cost: number): number {
  return start + cost / weight
}
