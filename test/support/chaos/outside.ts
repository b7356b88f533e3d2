import { visibleText } from '#support/discord/entities.ts'
import type { MessageRecord } from '#support/discord/records.ts'

/** What somebody wrote to Parley. */
export interface Question {
  /** Its message on Discord. */
  readonly id: string
  readonly userId: string
  readonly channelId: string
  readonly content: string
}

/** What Discord shows for a question. */
export type Shown =
  | { readonly type: 'nothing' }
  /** Something that is still to become an end. */
  | { readonly type: 'unfinished'; readonly text: string }
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'failed'; readonly code: string }
  | { readonly type: 'refused'; readonly code: string }

/** How the test model ends its answer. */
const ANSWER = /\(that is all\)$/
/** Below what has ended; what is still to end has other buttons. */
const END_BUTTON = /\n(Regenerate|Retry)$/
/** Below what is still being written, which can be all of an answer before that is stored. */
const PREVIEW_BUTTON = /\nCancel$/
const NOT_REMEMBERED = /\n-# This answer could not be saved[^\n]*$/
const NOTICE = /⚠️ [^\n]+\n-# ([A-Z_]+)(?: · ref [0-9a-f]{8})?$/
const REFUSALS = /^(REQUEST_(INVALID|ALREADY_ACTIVE|DUPLICATE|NOT_STORED)|QUEUE_)/

/** What the bot's messages that answer a question say together. */
export function shownFor(question: Question, messages: readonly MessageRecord[]): Shown {
  const parts = repliesTo(question, messages).filter(({ deleted }) => !deleted)
  return parts.length === 0 ? { type: 'nothing' } : readShown(parts.map(({ text }) => text.replace(END_BUTTON, '')))
}

export function isFinal({ type }: Shown): boolean {
  return type !== 'nothing' && type !== 'unfinished'
}

/** What is wrong with what Discord shows for a question; nothing of this may ever be so, finished or not. */
export function outsideProblems(question: Question, messages: readonly MessageRecord[]): string[] {
  const { content } = question
  const replies = repliesTo(question, messages)
  const parts = replies.filter(({ deleted }) => !deleted)
  const shown = shownFor(question, messages)
  const problems: string[] = []
  if (shown.type === 'answer' && !isAnswerTo(question, shown.text)) {
    problems.push(`shows ${JSON.stringify(shorten(shown.text))}`)
  }
  const answers = new Set(replies.flatMap(finalTexts))
  if (answers.size > 1) problems.push(`has shown ${answers.size} different ends of an answer`)
  const holders = replies.filter((reply) => finalTexts(reply).length > 0)
  if (shown.type === 'answer' && content.length > 1_900 && parts.length < 2)
    problems.push('has a long answer in one message')
  if (holders.length > 1) problems.push(`has shown its answer in ${holders.length} messages`)
  return problems.map((problem) => `${question.content.slice(0, 12)}: ${problem}`)
}

function repliesTo({ id }: Question, messages: readonly MessageRecord[]): MessageRecord[] {
  return messages.filter(({ authorIsBot, referenceId }) => authorIsBot && referenceId === id)
}

function readShown(texts: readonly string[]): Shown {
  const last = texts.at(-1) ?? ''
  const code = NOTICE.exec(last)?.[1]
  if (code !== undefined) return { type: REFUSALS.test(code) ? 'refused' : 'failed', code }
  const text = texts.join('\n').replace(NOT_REMEMBERED, '')
  if (!ANSWER.test(text)) return { type: 'unfinished', text }
  return { type: 'answer', text }
}

/** What a message ever said that was the end of an answer, and no preview of it. */
function finalTexts({ revisions }: MessageRecord): string[] {
  const ended = revisions.filter((revision) => !PREVIEW_BUTTON.test(visibleText(revision)))
  return ended.map(({ content }) => content.replace(NOT_REMEMBERED, '')).filter((text) => ANSWER.test(text))
}

/** The parts of an answer are cut at white space. */
export function isAnswerTo({ content }: Question, text: string): boolean {
  return words(text).replace(ANSWER, '').trim() === words(`echo: ${content}`)
}

function words(text: string): string {
  return text.split(/\s+/).join(' ').trim()
}

function shorten(text: string): string {
  return text.length <= 160 ? text : `${text.slice(0, 100)} … ${text.slice(-50)}`
}
