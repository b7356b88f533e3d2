import { type AnswerReply, answerReply } from '#domain/answer-reply.ts'
import type { AnswerFacts } from '#domain/notices.ts'
import type { ReasoningDisplay } from '#domain/preferences.ts'
import { reasoningMessage } from '#domain/reasoning-message.ts'
import { replyFile } from '#domain/reply-file.ts'
import type { PartsDelta } from '#protocol/assistant.ts'
import { GrowingParts } from './growing-parts.ts'
import type { Thinking } from './thinking.ts'

interface ReplyOptions {
  readonly thinking: Thinking
  readonly reasoning: ReasoningDisplay
  readonly maxMessages: number
}

/** The reply to one question while it grows: the answer, and of the thinking before it what its user wants to see. */
export class GrowingReply {
  readonly #options: ReplyOptions
  readonly #parts: GrowingParts
  #hasBegun = false

  constructor(options: ReplyOptions) {
    this.#options = options
    this.#parts = new GrowingParts(options.maxMessages)
  }

  /** The thinking comes in front of the first word, so that no message has to move. */
  push(text: string): PartsDelta {
    const delta = this.#parts.push(text)
    const isBegun = delta.tail !== '' || delta.finished.length > 0
    if (this.#hasBegun || !isBegun) return delta
    this.#hasBegun = true
    return { finished: [...this.#front(), ...delta.finished], tail: delta.tail }
  }

  /** What is to be seen of the whole answer. */
  end(answer: string, facts: Omit<AnswerFacts, 'thoughtSeconds'>): AnswerReply {
    const { thinking, reasoning, maxMessages } = this.#options
    const { messages, files } = answerReply(answer, { ...facts, thoughtSeconds: thinking.seconds }, maxMessages)
    const isFile = reasoning === 'file' && thinking.text.trim() !== ''
    const thoughts = isFile ? [replyFile('thinking.md', thinking.text)] : []
    return { messages: [...this.#front(), ...messages], files: [...files, ...thoughts] }
  }

  #front(): string[] {
    const { thinking, reasoning } = this.#options
    const message = reasoning === 'spoiler' ? reasoningMessage(thinking.text) : undefined
    return message === undefined ? [] : [message]
  }
}
