import { expect, it } from 'vitest'
import type { ErrorCode } from '#domain/errors.ts'
import { signOfFailure } from '#domain/model-sign.ts'

it.each<[ErrorCode, boolean | undefined, string]>([
  ['MODEL_UNREACHABLE', true, 'dead'],
  ['MODEL_TIMED_OUT', true, 'dead'],
  ['MODEL_CUT_OFF', true, 'dead'],
  ['MODEL_FAILED', true, 'dead'],
  ['MODEL_FAILED', false, 'alive'],
  ['MODEL_FAILED', undefined, 'unknown'],
  ['MODEL_RATE_LIMITED', true, 'busy'],
  ['MODEL_KEY_REFUSED', false, 'alive'],
  ['MODEL_EMPTY_ANSWER', true, 'alive'],
  ['MODEL_CONTEXT_TOO_LONG', false, 'unknown'],
  ['FILES_UNUSABLE', false, 'unknown'],
])('%s, when it can be tried again: %s, says that the model server is %s', (code, retryable, sign) => {
  expect(signOfFailure({ code, message: '', ...(retryable !== undefined && { retryable }) })).toBe(sign)
})
