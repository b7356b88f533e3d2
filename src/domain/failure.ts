import type { ErrorCode } from './errors.ts'

/** Why a request ended without an answer. */
export interface Failure {
  readonly code: ErrorCode
  /** For the user: what happened, whether it counted, what to do. */
  readonly message: string
  /** Whether asking again, with nothing changed, may work; left out means no. */
  readonly retryable?: boolean
  /** When the other side wants to be asked again, if it said so. */
  readonly retryAfterMs?: number
  /** For the log only: the other side's words. */
  readonly detail?: string
}

/** Our own mistake, not the model's. */
export const BROKEN: Failure = {
  code: 'MODEL_FAILED',
  message: 'Something unexpected broke while your question was worked on. It was not answered; please ask again.',
}
