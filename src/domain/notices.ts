import type { Failure } from './failure.ts'

/** Discord's limit for one message, in UTF-16 code units. */
export const MESSAGE_LIMIT = 2_000

/** Small print below an answer that could not be stored. */
export const NOT_REMEMBERED = 'This answer could not be saved, so it may not be remembered.'

/** What somebody reads whose question waits because nothing begins at the moment. */
export const HELD_UP = {
  paused: 'Parley is paused at the moment. Your question is kept and goes on by itself.',
  model: 'The model does not answer at the moment. Your question waits and goes on by itself.',
} as const

/** What somebody reads whose question was cancelled. */
export const CANCELLED = {
  user: '🛑 Cancelled. Nothing was kept.',
  shutdown:
    '⚠️ Parley is being restarted and had to stop here. Your question was not answered; please send it again in a moment.',
} as const

/** What somebody reads whose question ended without an answer, or was not taken in and so has no id. */
export function failureNotice({ message, code }: Pick<Failure, 'message' | 'code'>, requestId?: string): string {
  const reference = requestId === undefined ? '' : ` · ref ${requestId.slice(-REFERENCE_LENGTH)}`
  return `⚠️ ${message}\n-# ${code}${reference}`
}

/** The end of a request's id finds its lines in the log; the beginning is the time, which others share. */
const REFERENCE_LENGTH = 8

/** What there is to note about an answer. */
export interface AnswerFacts {
  /** `length`: the model stopped at its token limit; `filtered`: a filter stopped it; `stopped`: its user did. */
  readonly stopReason: 'end' | 'length' | 'filtered' | 'stopped'
  /** Older messages that did not fit the prompt. */
  readonly trimmedMessages: number
  /** How long the model thought, in whole seconds. */
  readonly thoughtSeconds?: number
  /** What else there is to say, a sentence each. */
  readonly remarks?: readonly string[]
}

/** The messages that show an answer: its parts, and in small print what there is to note. */
export function answerMessages(parts: readonly string[], facts: AnswerFacts): string[] {
  return answerNotes(facts).reduce((messages, note) => withSmallPrint(messages, note), [...parts])
}

/** What there is to note about an answer, a sentence each. */
export function answerNotes({ stopReason, trimmedMessages, thoughtSeconds = 0, remarks = [] }: AnswerFacts): string[] {
  const notes: string[] = [...remarks]
  if (stopReason === 'length') notes.push(CUT)
  if (stopReason === 'filtered') notes.push('A content filter of the model server ended the answer here.')
  if (stopReason === 'stopped') notes.push('Stopped here.')
  if (trimmedMessages > 0) {
    const [oldest, were] =
      trimmedMessages === 1 ? ['The oldest message', 'was'] : [`The oldest ${trimmedMessages} messages`, 'were']
    notes.push(`${oldest} of our conversation no longer fit and ${were} left out.`)
  }
  if (thoughtSeconds > 0) notes.push(`Thought for ${inMinutes(thoughtSeconds)}.`)
  return notes
}

function inMinutes(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`
}

const CUT = 'The answer reached its length limit and stops here.'

/** Tells whether the messages of an answer note that the model stopped at its token limit. */
export function saysThatItWasCut(messages: readonly string[]): boolean {
  return messages.some((message) => `${message}\n`.includes(`-# ${CUT}\n`))
}

export function withSmallPrint(messages: readonly string[], note: string): string[] {
  return withNote(messages, smallPrint(note))
}

export function smallPrint(note: string): string {
  return `-# ${note}`
}

/** Puts a note below the last message, or into one of its own when it does not fit. */
export function withNote(messages: readonly string[], note: string): string[] {
  const last = messages.at(-1)
  const joined = last === undefined ? note : `${last}\n${note}`
  if (last === undefined || joined.length <= MESSAGE_LIMIT) return [...messages.slice(0, -1), joined]
  return [...messages, note]
}
