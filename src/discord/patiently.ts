import type { Clock } from '#actors/clock.ts'

/** Between tries. */
const PAUSES_MS = [1_000, 5_000, 30_000]

export interface Patience {
  readonly clock: Clock
  /** Ends it: there is no further try. */
  readonly signal: AbortSignal
  /** Tells whether a failure may pass by itself. */
  readonly isPassing: (error: unknown) => boolean
}

/** Tries again, after longer and longer pauses, while the trouble may pass. Rejects with the last failure. */
export async function patiently<T>(work: () => Promise<T>, { clock, signal, isPassing }: Patience): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error
      await pause(clock, pauseMs, signal)
    }
  }
  return work()
}

/** Resolves after some time, or when it is no longer worth waiting. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
