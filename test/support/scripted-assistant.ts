import type { DatabaseThreadCell } from '#protocol/assistant-thread.ts'

/** What a scripted pool thread does with a request. */
export type Instruction =
  /** Tells `DELTAS` and answers with them. */
  | 'answer'
  /** Ends only when it is cancelled. */
  | 'hang'
  /** Blocks the thread for ever. */
  | 'ignore'
  /** The task function throws. */
  | 'throw'
  /** An error nobody catches ends the thread. */
  | 'crash'
  /** Exits with code 7. */
  | 'exit'
  /** Allocates until the heap is full. */
  | 'exhaust'

/** The first delta of every request, as JSON. */
export interface Told {
  readonly threadId: number
  /** Requests at work in the thread, this one included. */
  readonly running: number
}

export const DELTAS = ['one ', 'two ', 'three'] as const

/** What happens when a thread starts. */
const STARTS = ['works', 'throws', 'exits', 'waitsAndThrows'] as const
export type Start = (typeof STARTS)[number]

/** Memory shared with the threads: how they start, whether they may go on, and whether an answer has left. */
export type Signals = DatabaseThreadCell

const START = 0
const GO_ON = 1
const DONE = 2
const COUNT = 3

export function newSignals(): Signals {
  return new Int32Array(new SharedArrayBuffer(COUNT * Int32Array.BYTES_PER_ELEMENT))
}

/** From now on threads start like this. */
export function setStart(signals: Signals, start: Start): void {
  Atomics.store(signals, START, STARTS.indexOf(start))
}

/** Lets a thread go on that waits in its start. */
export function letGoOn(signals: Signals): void {
  raise(signals, GO_ON)
}

/** Blocks this thread until an answer has left a scripted thread. */
export function blockUntilAnswered(signals: Signals): void {
  Atomics.wait(signals, DONE, 0)
}

/** To be called by the thread. */
export function sayDone(signals: Signals): void {
  raise(signals, DONE)
}

/** To be called by the thread when it starts. */
export function atBootstrap(signals: Signals): void {
  const start = STARTS[Atomics.load(signals, START)]
  if (start === 'exits') process.exit(9)
  if (start === 'waitsAndThrows') Atomics.wait(signals, GO_ON, 0)
  if (start !== 'works') throw new Error('the start failed')
}

function raise(signals: Signals, index: number): void {
  Atomics.store(signals, index, 1)
  Atomics.notify(signals, index)
}
