import { mayFollow, type RequestStatus, type TerminalStatus } from '#domain/request.ts'

/** What decides whether a request may still change. */
export interface RequestState {
  readonly status: RequestStatus
  /** How many executions were begun. */
  readonly attempt: number
}

/** Tells whether an attempt may begin: only one that is newer than every other, and not after the end. */
export function mayStart(state: RequestState | undefined, attempt: number): boolean {
  if (state === undefined || state.attempt >= attempt) return false
  // A request that still says PROCESSING is one whose way back to QUEUED could not be written.
  return state.status === 'PROCESSING' || mayFollow(state.status, 'PROCESSING')
}

/** Tells whether an attempt may go back in line; after that it may write nothing more. */
export function mayRequeue(state: RequestState, attempt: number): boolean {
  return state.attempt <= attempt && (state.status === 'QUEUED' || state.status === 'PROCESSING')
}

/** Tells whether a request may end without an answer; the queue has decided that, so its last attempt has to be known. */
export function maySettle(state: RequestState | undefined, attempt: number, to: TerminalStatus): boolean {
  return state !== undefined && state.attempt <= attempt && mayFollow(state.status, to)
}

/**
 * Tells whether an attempt may end a request with its answer. In line, the stored attempt has lost its right; a newer
 * one is one whose start could not be written, and it passes through PROCESSING in the same transaction.
 */
export function mayComplete(state: RequestState, attempt: number): boolean {
  if (state.status === 'PROCESSING') return attempt >= state.attempt
  return state.status === 'QUEUED' && attempt > state.attempt
}
