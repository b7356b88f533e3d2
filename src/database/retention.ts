import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'

/** What one step has deleted and how long it kept the thread. */
export interface PruneStep {
  readonly requests: number
  readonly messages: number
  readonly tookMs: number
}

export interface RetentionOptions {
  /** Deletes at most `limit` requests that ended before an instant. */
  readonly prune: (finishedBefore: number, limit: number) => Promise<PruneStep>
  readonly retentionMs: number
  /** ms since epoch */
  readonly now: () => number
  readonly clock: Clock
  readonly log: Log
}

/** A step is to take about this long: well below the 20 ms for which it may keep the thread, as steps differ. */
const GOAL_MS = 5
const FIRST_STEP = 4
const LARGEST_STEP = 500
/** The thread is for its callers: between two steps it has at least this long for them. */
const PAUSE_MS = 20
const INTERVAL_MS = 60 * 60 * 1000

/** How many requests the next step deletes: as many as fit the goal, and never more than twice as many. */
export function nextStepSize(size: number, tookMs: number): number {
  const growth = tookMs > 0 ? Math.min(2, GOAL_MS / tookMs) : 2
  return Math.min(LARGEST_STEP, Math.max(1, Math.floor(size * growth)))
}

/** Deletes what has become too old: at once and then every hour, in small steps, until it is stopped. */
export class Retention {
  readonly #options: RetentionOptions
  #timer: Timer | undefined
  #stopped = false
  #size = FIRST_STEP
  #deleted = 0

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#stepAfter(0)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #stepAfter(delayMs: number): void {
    if (!this.#stopped) this.#timer = this.#options.clock.setTimeout(() => void this.#step(), delayMs)
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    const { prune, now, retentionMs, log } = this.#options
    const limit = this.#size
    try {
      const { requests, messages, tookMs } = await prune(now() - retentionMs, limit)
      this.#deleted += requests + messages
      this.#size = nextStepSize(limit, tookMs)
      if (requests === limit) return this.#stepAfter(PAUSE_MS)
      if (this.#deleted > 0) log.info({ deleted: this.#deleted }, 'what was older than the retention time is deleted')
    } catch (error) {
      if (!this.#stopped) log.warn({ error: errorMessage(error) }, 'old turns could not be deleted; tried again later')
    }
    this.#deleted = 0
    this.#stepAfter(INTERVAL_MS)
  }
}
