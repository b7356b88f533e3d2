import { CANCELLED, failureNotice, withNote } from '#domain/notices.ts'
import type { CardState } from './card-state.ts'
import { ordinal } from './ordinal.ts'

/** The messages a card consists of, each within Discord's limit and none of them empty. */
export function renderCard(state: CardState): readonly string[] {
  switch (state.phase) {
    case 'queued':
      return [queued(state.position, state.restored)]
    case 'thinking':
      return [THINKING]
    case 'retrying':
      return [`🔁 Trying again (${state.nextAttempt} of ${state.maxAttempts})…`]
    case 'answering':
      return answering(state.finished, state.tail)
    case 'settled':
      return state.messages
    case 'failed':
      return withNote(state.written, failureNotice(state.failure))
    case 'cancelled':
      return withNote(state.written, CANCELLED[state.reason])
    case 'suspended':
      return [SUSPENDED]
    case 'refused':
      return [failureNotice(state.refusal)]
    default:
      return state satisfies never
  }
}

/** Tells whether a message says only that something is to come. */
export function isPlaceholder(content: string): boolean {
  return /^(⏳|💭|🔁|⏸️) /u.test(content)
}

const THINKING = '💭 Thinking…'

const SUSPENDED = '⏸️ Parley is being restarted. Your question is kept and goes on by itself in a moment.'

/** Until there is something to read, the placeholder stays. */
function answering(finished: readonly string[], tail: string): readonly string[] {
  if (tail !== '') return [...finished, tail]
  return finished.length === 0 ? [THINKING] : finished
}

function queued(position: number, restored: boolean): string {
  const place = position <= 1 ? 'you are next.' : `you are ${ordinal(position)} in line.`
  if (!restored) return `⏳ Queued: ${place}`
  return `⏳ Parley was restarted; your question goes on. Y${place.slice(1)}`
}
