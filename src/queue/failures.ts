import type { Failure } from '#domain/failure.ts'

/** Its thread died under it as often as it may be tried. */
export const THREAD_LOST: Failure = {
  code: 'THREAD_LOST',
  message: 'Something broke more than once while your question was worked on. It was not answered; please ask again.',
}

/** Our own mistake in the queue, not the model's. */
export const BROKEN: Failure = {
  code: 'MODEL_FAILED',
  message: 'Something unexpected broke while your question was worked on. It was not answered; please ask again.',
}

/** The answer was not there in time. */
export function timedOut(requestTimeoutMs: number): Failure {
  const seconds = Math.round(requestTimeoutMs / 1000)
  return {
    code: 'REQUEST_TIMED_OUT',
    message: `The answer took longer than ${seconds} seconds and was stopped. It was not kept; please ask again, perhaps in smaller steps.`,
  }
}
