import type { ErrorCode } from './errors.ts'
import type { Failure } from './failure.ts'

/**
 * What an execution says about the model's server: it answers, it does not, it has too much to do; or nothing, as the
 * server may not even have been asked.
 */
export type ModelSign = 'alive' | 'dead' | 'busy' | 'unknown'

const SIGNS: Partial<Record<ErrorCode, ModelSign>> = {
  MODEL_UNREACHABLE: 'dead',
  MODEL_TIMED_OUT: 'dead',
  MODEL_CUT_OFF: 'dead',
  MODEL_RATE_LIMITED: 'busy',
  MODEL_KEY_REFUSED: 'alive',
  MODEL_UNKNOWN: 'alive',
  MODEL_QUOTA_USED_UP: 'alive',
  MODEL_REFUSED: 'alive',
  MODEL_EMPTY_ANSWER: 'alive',
}

/** Reads a failure without a word of an answer. */
export function signOfFailure({ code, retryable }: Failure): ModelSign {
  // A server that failed may do so for everybody; one that did not accept the question has looked at it.
  if (code === 'MODEL_FAILED' && retryable !== undefined) return retryable ? 'dead' : 'alive'
  return SIGNS[code] ?? 'unknown'
}
