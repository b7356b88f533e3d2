import type { CardState } from './card-state.ts'
import { ordinal } from './ordinal.ts'

/** Discord's limit for one message, in UTF-16 code units. */
const MESSAGE_LIMIT = 2_000

/** The messages a card consists of, each within Discord's limit and none of them empty. */
export function renderCard(state: CardState): string[] {
  switch (state.phase) {
    case 'queued':
      return [state.retried ? `🔁 Trying again. ${queued(state.position)}` : queued(state.position)]
    case 'thinking':
      return [THINKING]
    case 'answering':
      return answering(state.finished, state.tail)
    case 'answered':
      return state.notes.reduce((parts, note) => withNote(parts, `-# ${note}`), [...state.parts])
    case 'failed':
      return withNote(state.written, warning(state.failure))
    case 'cancelled':
      return withNote(state.written, CANCELLED[state.reason])
    case 'refused':
      return [warning(state.refusal)]
    default:
      return state satisfies never
  }
}

const CANCELLED = {
  user: '🛑 Cancelled. Nothing was kept.',
  shutdown:
    '⚠️ Parley is being restarted and had to stop here. Your question was not answered; please send it again in a moment.',
} as const

const THINKING = '💭 Thinking…'

/** Until there is something to read, the placeholder stays. */
function answering(finished: readonly string[], tail: string): string[] {
  if (tail !== '') return [...finished, tail]
  return finished.length === 0 ? [THINKING] : [...finished]
}

function warning({ message, code }: { readonly message: string; readonly code: string }): string {
  return `⚠️ ${message}\n-# ${code}`
}

function queued(position: number): string {
  return position <= 1 ? '⏳ Queued: you are next.' : `⏳ Queued: you are ${ordinal(position)} in line.`
}

/** Puts a note below the last message, or into one of its own when it does not fit. */
function withNote(parts: readonly string[], note: string): string[] {
  const last = parts.at(-1)
  const joined = last === undefined ? note : `${last}\n${note}`
  if (last === undefined || joined.length <= MESSAGE_LIMIT) return [...parts.slice(0, -1), joined]
  return [...parts, note]
}
