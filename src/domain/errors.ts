/**
 * Every error code Parley shows or logs. Each is described in docs/errors.md: what happened, whether
 * it counted, what to do. Codes are stable; a test compares this list with that page.
 */
export const ERROR_CODES = [
  // Starting
  'CONFIG_INVALID',
  'DATABASE_LOCKED',
  'DATABASE_NOT_A_DATABASE',
  'DATABASE_NEWER_SCHEMA',
  'DATABASE_OLDER_SCHEMA',
  'DATABASE_MISSING',
  'DATABASE_NOT_WRITABLE',
  'DISCORD_LOGIN_REFUSED',
  'DISCORD_INTENTS_REFUSED',
  'DISCORD_UNREACHABLE',
  'START_FAILED',
  // Running
  'DATABASE_UNAVAILABLE',
  'DATABASE_FAILED',
  'CALL_TIMED_OUT',
  'CALL_INVALID',
  'THREAD_LOST',
  'RESTART_LIMIT_REACHED',
  'DELIVERY_FAILED',
  'BACKUP_FAILED',
  'COMMAND_FAILED',
  // Refusing a message
  'REQUEST_INVALID',
  'REQUEST_ALREADY_ACTIVE',
  'REQUEST_DUPLICATE',
  'QUEUE_FULL',
  'QUEUE_BUSY',
  'QUEUE_STOPPING',
  'QUEUE_DRAINING',
  'REQUEST_NOT_STORED',
  'ACCESS_DENIED',
  'QUOTA_USED_UP',
  'CONVERSATION_CLOSED',
  'CONVERSATION_UNCLEAR',
  'FILES_UNUSABLE',
  'SCHEDULES_FULL',
  // Ending a request
  'REQUEST_TIMED_OUT',
  'REQUEST_CANCELLED',
  'REQUEST_INTERRUPTED',
  'MODEL_KEY_REFUSED',
  'MODEL_UNKNOWN',
  'MODEL_CONTEXT_TOO_LONG',
  'MODEL_RATE_LIMITED',
  'MODEL_QUOTA_USED_UP',
  'MODEL_UNREACHABLE',
  'MODEL_TIMED_OUT',
  'MODEL_CUT_OFF',
  'MODEL_REFUSED',
  'MODEL_EMPTY_ANSWER',
  'MODEL_FAILED',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** An error with a stable code and a message that says what happened and what to do. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The code of an error when it carries one of ours. */
export function errorCode(error: unknown): ErrorCode | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return ERROR_CODES.find((known) => known === code)
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
