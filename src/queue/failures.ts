import type { Failure } from '#domain/failure.ts'

/** Its thread died under it as often as it may be tried. */
export const THREAD_LOST: Failure = {
  code: 'THREAD_LOST',
  retryable: true,
  message: 'Something broke more than once while your question was worked on. It was not answered; please ask again.',
}

/** The process that worked on it ended as often as it may be tried. */
export const INTERRUPTED: Failure = {
  code: 'REQUEST_INTERRUPTED',
  message:
    'Parley was stopped more than once while your question was worked on. It was not answered; please ask again.',
}

/** The answer was not there in time. */
export function timedOut(requestTimeoutMs: number): Failure {
  return {
    code: 'REQUEST_TIMED_OUT',
    message: `The answer took longer than ${inWords(requestTimeoutMs)} and was stopped. It was not kept; please ask again, perhaps in smaller steps.`,
  }
}

function inWords(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000))
  return seconds === 1 ? 'a second' : `${seconds} seconds`
}
