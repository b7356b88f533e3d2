import { constants } from 'node:os'

export interface StopSignal {
  /** Resolves with the first SIGINT or SIGTERM. */
  readonly received: Promise<NodeJS.Signals>
  /** Leaves signals to Node again. */
  ignore(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Waits for the signal to stop; the second one ends the process at once. */
export function nextStopSignal(): StopSignal {
  let onSignal: (signal: NodeJS.Signals) => void = () => undefined
  const received = new Promise<NodeJS.Signals>((resolve) => {
    let count = 0
    onSignal = (signal) => {
      count++
      // By convention 128 and the number of the signal.
      if (count > 1) process.exit(128 + constants.signals[signal])
      resolve(signal)
    }
    for (const name of SIGNALS) process.on(name, onSignal)
  })
  return {
    received,
    ignore() {
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
