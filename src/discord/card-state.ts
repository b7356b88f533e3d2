import type { Failure } from '#domain/failure.ts'
import type { CancelReason, Refusal, RequestEvent } from '#protocol/queue.ts'

/** What the messages that answer one question have to show. */
export type CardState =
  | { readonly phase: 'queued'; readonly position: number; readonly retried: boolean }
  | { readonly phase: 'thinking' }
  | { readonly phase: 'answering'; readonly finished: readonly string[]; readonly tail: string }
  | { readonly phase: 'answered'; readonly parts: readonly string[]; readonly notes: readonly string[] }
  /** What was written before the failure stays visible. */
  | { readonly phase: 'failed'; readonly written: readonly string[]; readonly failure: Failure }
  | { readonly phase: 'cancelled'; readonly written: readonly string[]; readonly reason: CancelReason }
  /** The message did not become a request. */
  | { readonly phase: 'refused'; readonly refusal: Refusal }

const NOT_FINAL: readonly CardState['phase'][] = ['queued', 'thinking', 'answering']

/** True once nothing more will come. */
export function isFinal(state: CardState): boolean {
  return !NOT_FINAL.includes(state.phase)
}

/** What a card shows after an event of its request; `state` is undefined before the first. */
export function afterEvent(state: CardState | undefined, event: RequestEvent): CardState {
  switch (event.type) {
    case 'queued':
      return { phase: 'queued', position: event.position, retried: event.attempt > 0 }
    case 'started':
      return { phase: 'thinking' }
    case 'delta':
      return {
        phase: 'answering',
        finished: [...(state?.phase === 'answering' ? state.finished : []), ...event.finished],
        tail: event.tail,
      }
    case 'completed':
      return { phase: 'answered', parts: event.parts, notes: notesOf(event) }
    case 'failed':
      return { phase: 'failed', written: writtenIn(state), failure: event.failure }
    case 'cancelled':
      return { phase: 'cancelled', written: writtenIn(state), reason: event.reason }
    case 'thinking':
      return state ?? { phase: 'thinking' }
    default:
      return event satisfies never
  }
}

function writtenIn(state: CardState | undefined): readonly string[] {
  if (state?.phase !== 'answering') return []
  return state.tail === '' ? state.finished : [...state.finished, state.tail]
}

function notesOf(event: Extract<RequestEvent, { type: 'completed' }>): string[] {
  const notes: string[] = []
  if (event.stopReason === 'length') notes.push('The answer reached its length limit and stops here.')
  if (event.trimmedMessages > 0) {
    const count = event.trimmedMessages === 1 ? 'The oldest message' : `The oldest ${event.trimmedMessages} messages`
    notes.push(`${count} of our conversation no longer fit and were left out.`)
  }
  if (!event.stored) notes.push('This answer could not be saved, so it will not be remembered.')
  return notes
}
