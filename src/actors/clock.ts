/** A timer that has been set. */
export interface Timer {
  /** Keeps the timer from firing; does nothing once it has fired. */
  cancel(): void
}

/** Where time comes from, so that tests can make it pass. */
export interface Clock {
  /** ms; since epoch unless the clock says otherwise */
  now(): number
  /** Calls back once after the given time; keeps the process alive until then. */
  setTimeout(callback: () => void, delayMs: number): Timer
}

function setSystemTimeout(callback: () => void, delayMs: number): Timer {
  const timeout = setTimeout(callback, delayMs)
  return { cancel: () => clearTimeout(timeout) }
}

/** The time of day, ms since epoch; jumps when the host's clock is set. */
export const systemClock: Clock = { now: () => Date.now(), setTimeout: setSystemTimeout }

/** Counts ms from the start of the thread and never jumps: for durations and deadlines only. */
export const monotonicClock: Clock = { now: () => performance.now(), setTimeout: setSystemTimeout }
