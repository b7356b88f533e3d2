import type { Clock, Timer } from '#actors/clock.ts'

interface PendingTimer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until a test makes its time pass. */
export class SimulatedClock implements Clock {
  #now: number
  readonly #timers = new Set<PendingTimer>()

  constructor(nowMs = Date.UTC(2030, 0, 1)) {
    this.#now = nowMs
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Lets time pass: runs the timers that come due, in order, with a turn of the event loop after each. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer)
      this.#now = timer.at
      timer.callback()
      await turnOfTheEventLoop()
    }
    this.#now = until
    await turnOfTheEventLoop()
  }

  /** The earliest timer that is due; of several at one instant, the one set first. */
  #next(until: number): PendingTimer | undefined {
    let earliest: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= until && (earliest === undefined || timer.at < earliest.at)) earliest = timer
    }
    return earliest
  }
}

function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
