import { pino } from 'pino'
import pretty from 'pino-pretty'
import type { Log } from './log.ts'

/** How a thread writes its log. */
export interface ThreadLogOptions {
  /** A pino level, or `silent`. */
  readonly level: string
  /** Lines for people instead of JSON. */
  readonly pretty: boolean
  /** The thread, on every line. */
  readonly name: string
}

const STDERR = 2

/** A log that a thread writes to standard error by itself, so that its last words are not lost with it. */
export function createThreadLog({ level, pretty: isPretty, name }: ThreadLogOptions): Log {
  const destination = isPretty
    ? pretty({ destination: STDERR, sync: true, colorize: false })
    : pino.destination({ dest: STDERR, sync: true })
  return pino({ level, name }, destination)
}
