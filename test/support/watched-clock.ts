import type { Timer } from '#actors/clock.ts'
import { SimulatedClock } from './simulated-clock.ts'

/** A simulated clock that tells when something waits for its time. */
export class WatchedClock extends SimulatedClock {
  readonly #waiting: (() => void)[] = []

  override setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = super.setTimeout(callback, delayMs)
    for (const resolve of this.#waiting.splice(0)) resolve()
    return timer
  }

  /** Resolves once a timer is set; at once when one is. */
  timer(): Promise<void> {
    return this.pending > 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves once another timer is set. */
  nextTimer(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Lets time pass, timer after timer, until a promise is settled. */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const onSettled = () => {
      settled = true
    }
    void promise.then(onSettled, onSettled)
    while (!settled) {
      await Promise.race([promise, this.timer()])
      if (!settled) await this.advance(250)
    }
    return promise
  }
}
