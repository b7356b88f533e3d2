import { type AnswerFacts, answerMessages, answerNotes, MESSAGE_LIMIT, NOT_REMEMBERED, smallPrint } from './notices.ts'
import { type ReplyFile, replyFile } from './reply-file.ts'
import { splitMessage } from './split-message.ts'

/** What shows an answer: messages, and what comes as files with the last of them. */
export interface AnswerReply {
  readonly messages: readonly string[]
  readonly files: readonly ReplyFile[]
}

/**
 * Makes an answer messages. One that needs more than `maxMessages` is the first of them, and all of it as a file.
 * `NOT_REMEMBERED`, which is added where it is shown, can take one more below an answer that is not cut.
 */
export function answerReply(text: string, facts: AnswerFacts, maxMessages = Number.POSITIVE_INFINITY): AnswerReply {
  const parts = splitMessage(text)
  const messages = answerMessages(parts, facts)
  if (messages.length <= maxMessages) return { messages, files: [] }
  const notes = [IN_FILE, ...answerNotes(facts)].map(smallPrint)
  const shown = cutParts(parts, maxMessages, [...notes, smallPrint(NOT_REMEMBERED)].join('\n').length)
  return {
    messages: [...shown.slice(0, -1), [...shown.slice(-1), ...notes].join('\n')],
    files: [replyFile(FILE, text)],
  }
}

/** The first messages of an answer while it is written; what follows them is not shown. */
export function cutPreview(parts: readonly string[], maxMessages: number): string[] {
  const shown = cutParts(parts, maxMessages, smallPrint(TO_FOLLOW).length)
  return [...shown.slice(0, -1), [...shown.slice(-1), smallPrint(TO_FOLLOW)].join('\n')]
}

/** The first parts, the last of them leaving so much room for what is written on lines below it. */
function cutParts(parts: readonly string[], count: number, roomBelow: number): string[] {
  const shown = parts.slice(0, count)
  const last = shown.at(-1)
  const [shortened = ''] = last === undefined ? [] : splitMessage(last, MESSAGE_LIMIT - roomBelow - 1)
  return [...shown.slice(0, -1), shortened]
}

const FILE = 'answer.md'
const IN_FILE = `The answer goes on: all of it is in ${FILE}.`
const TO_FOLLOW = 'The answer goes on; all of it will come as a file.'
