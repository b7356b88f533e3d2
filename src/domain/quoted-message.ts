import { beginningOf } from './prompt-files.ts'

/** A message that is replied to, or asked about. */
export interface QuotedMessage {
  /** null: who is asked has written it. */
  readonly author: string | null
  readonly text: string
}

/** Enough to know what is meant. */
const LONGEST_QUOTE = 1_000

/** Less than this says nothing. */
const SHORTEST_QUOTE = 40

/**
 * A message with the one it replies to in front, marked as a quote.
 *
 * @param maxLength of both together, in UTF-16 code units: what a person wrote is never cut for a quote.
 */
export function withQuote(message: string, quoted: QuotedMessage | undefined, maxLength: number): string {
  if (!quoted || quoted.text.trim() === '') return message
  const whose = quoted.author === null ? 'of yours' : `by ${quoted.author}`
  const heading = `In reply to this message ${whose}:\n\n`
  const ending = message === '' ? '' : `\n\n${message}`
  const room = Math.min(LONGEST_QUOTE, maxLength - heading.length - ending.length)
  if (room < SHORTEST_QUOTE) return message
  return `${heading}${asQuote(quoted.text.trim(), room)}${ending}`
}

/** Each line marked, and no longer than that; what was cut off ends with an ellipsis. */
function asQuote(text: string, maxLength: number): string {
  const quote = `> ${text.replaceAll('\n', '\n> ')}`
  if (quote.length <= maxLength) return quote
  return `${beginningOf(quote, maxLength - 1)}…`
}
