import type { TokenUsage } from './conversation.ts'

/** The place of a request in virtual time, and how much it pays for it. */
export interface Share {
  /** Virtual time at which its turn comes; the smallest of those that wait runs next. */
  readonly shareStart: number
  /** How much of the whole its user is to get beside others. */
  readonly shareWeight: number
}

/** What a request was admitted with. */
export interface Claim extends Share {
  /** The name of its user's tier. */
  readonly tier: string
  /** What admission took it to cost, in tokens. */
  readonly costEstimate: number
}

export const NO_CLAIM: Claim = { tier: 'default', shareStart: 0, shareWeight: 1, costEstimate: 0 }

/** How a request has ended, as far as it decides what it cost. */
export interface Ended {
  /** It was dispatched at least once. */
  readonly hasRun: boolean
  /** The model's own count; null when it told none. */
  readonly usage: TokenUsage | null
}

/** What the history and the answer of a question usually cost, in tokens. */
const USUAL_TOKENS = 600
/** As a rule of thumb. */
const CHARACTERS_PER_TOKEN = 4

/** What a question will cost, in tokens, as far as that can be said before it is answered. */
export function estimateTokens(message: string): number {
  return USUAL_TOKENS + Math.ceil(message.length / CHARACTERS_PER_TOKEN)
}

/** What a request has cost, in tokens: nothing if it never ran; what was not counted costs what was estimated. */
export function chargedTokens({ costEstimate }: Pick<Claim, 'costEstimate'>, { hasRun, usage }: Ended): number {
  if (!hasRun) return 0
  return usage === null ? costEstimate : usage.promptTokens + usage.completionTokens
}

/** Everything that decides later shares, as it can be stored. */
export interface FairState {
  readonly virtualTime: number
  /** Only of users who are ahead of virtual time; all others are level with it. */
  readonly finishes: readonly (readonly [userId: string, finish: number])[]
}

const FAIR_START: FairState = { virtualTime: 0, finishes: [] }

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

  /** Goes on with what was counted before. */
  restore({ virtualTime, finishes }: FairState): void {
    this.#virtualTime = Math.max(this.#virtualTime, virtualTime)
    for (const [userId, finish] of finishes) this.#finishes.set(userId, finish)
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
    const share = { shareStart: this.startOf(userId), shareWeight: weight }
    this.settle(userId, share, cost)
    return share
  }

  /** A request was dispatched in its turn. */
  dispatched({ shareStart }: Share): void {
    this.#virtualTime = Math.max(this.#virtualTime, shareStart)
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
export function finishOf({ shareStart, shareWeight }: Share, cost: number): number {
  return shareStart + cost / shareWeight
}
