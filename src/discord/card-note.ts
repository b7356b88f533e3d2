import { escapeMarkdown } from 'discord.js'
import { beginningOf } from './commands/beginning-of.ts'
import { dateAndTime } from './commands/timestamps.ts'

/** What of a request its answer has to say itself. */
export interface NotedFacts {
  readonly message: string
  readonly directServerName?: string | null
  /** Of one that was scheduled. */
  readonly notBefore?: number | null
  readonly missed?: boolean
}

const QUOTED_CHARACTERS = 120

/** The small print below an answer; undefined when there is none. */
export function noteOf(request: NotedFacts): string | undefined {
  const notes = [conversationNote(request), scheduleNote(request)].filter((note) => note !== undefined)
  return notes.length === 0 ? undefined : notes.join('\n-# ')
}

/** In a direct conversation it has to be said when what is read there belongs to a server's. */
function conversationNote({ directServerName }: NotedFacts): string | undefined {
  return typeof directServerName === 'string' ? `Conversation of ${escapeMarkdown(directServerName)}` : undefined
}

/** Nobody has just written what this answers. */
function scheduleNote({ notBefore, missed, message }: NotedFacts): string | undefined {
  if (typeof notBefore !== 'number') return undefined
  const asked = message === '' ? '.' : `: “${beginningOf(message, QUOTED_CHARACTERS)}”`
  const when = dateAndTime(notBefore)
  return missed ? `⏰ Was due at ${when}, when Parley was not running${asked}` : `⏰ Scheduled for ${when}${asked}`
}
