/**
 * The places where a crash is worst, by name: each `before` and `after` what it names.
 *
 * - `accept`: the commit that stores a new request (database thread)
 * - `acknowledge`: the call that first shows a request to its user (main thread)
 * - `dispatch`: handing a request to the pool (main thread)
 * - `delta`: passing on a piece of an answer; the first has the count 1 (pool thread)
 * - `answer`: the commit that stores a turn (database thread)
 * - `delivery`: a call that shows a part of a request's end (main thread)
 * - `recovery`: reading what an earlier process has shown of a request (main thread)
 * - `promotion`: the commit that makes requests of the schedules that are due, when there are any (database thread)
 */
export const CRASH_POINTS = [
  'accept.before',
  'accept.after',
  'acknowledge.before',
  'acknowledge.after',
  'dispatch.before',
  'dispatch.after',
  'delta.before',
  'delta.after',
  'answer.before',
  'answer.after',
  'delivery.before',
  'delivery.after',
  'recovery.before',
  'recovery.after',
  'promotion.before',
  'promotion.after',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

/** Set by tests only, to `name` or `name:count`: the process is killed when it passes there for the count-th time. */
const { PARLEY_CRASH_AT } = process.env

const [plannedName, plannedCount = '1'] = PARLEY_CRASH_AT?.split(':') ?? []
let passesLeft = Number(plannedCount)

/** Kills the process with SIGKILL when a test has asked for it here; does nothing otherwise. */
export function crashPoint(name: CrashPoint): void {
  if (name !== plannedName) return
  passesLeft -= 1
  if (passesLeft === 0) process.kill(process.pid, 'SIGKILL')
}
