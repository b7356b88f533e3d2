import { constants } from 'node:os'
import { type Clock, monotonicClock } from '#actors/clock.ts'

export interface StopSignal {
  /** Resolves with the first SIGINT or SIGTERM. */
  readonly received: Promise<NodeJS.Signals>
  /** Leaves signals to Node again. */
  ignore(): void
}

/** What is needed of the process; tests pass one that lives on. */
export interface SignalledProcess {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  exit(code: number): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * npm hands on the signals it gets. A terminal and systemd signal every process themselves, so under `npm start` one
 * Ctrl+C arrives twice, about a millisecond apart; nobody presses it again that fast.
 */
const ECHO_MS = 100

/** Waits for the signal to stop; the second one ends the process at once. */
export function nextStopSignal(
  target: SignalledProcess = process,
  clock: Pick<Clock, 'now'> = monotonicClock,
): StopSignal {
  const { promise: received, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = { signal, at: clock.now() }
      return resolve(signal)
    }
    if (signal === first.signal && clock.now() - first.at < ECHO_MS) return
    // By convention 128 and the number of the signal.
    target.exit(128 + constants.signals[signal])
  }
  for (const name of SIGNALS) target.on(name, onSignal)
  return {
    received,
    ignore() {
      for (const name of SIGNALS) target.off(name, onSignal)
    },
  }
}
