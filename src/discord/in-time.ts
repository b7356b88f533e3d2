import type { Clock } from '#actors/clock.ts'

/** Waits for a promise, for so long at most; tells whether it resolved in time. Rejects when it did in that time. */
export function inTime(promise: Promise<unknown>, clock: Clock, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(false), timeoutMs)
    void promise.then(() => resolve(true), reject).finally(() => timer.cancel())
  })
}
