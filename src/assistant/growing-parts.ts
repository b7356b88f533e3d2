import { cutPreview } from '#domain/answer-reply.ts'
import { splitWithSeams } from '#domain/split-message.ts'
import type { PartsDelta } from '#protocol/assistant.ts'

/**
 * Splits an answer into messages while it is being written, and stops after `maxMessages` of them: the last one then says
 * that the rest will come.
 *
 * Only the message that is being written is looked at again, so a long answer costs no more per
 * piece than a short one. While a text grows, every part but the last keeps its content.
 */
export class GrowingParts {
  readonly #maxMessages: number
  #finished = 0
  /** What the last part was made of: its own text, and the white space and fence that belong to its end. */
  #source = ''

  constructor(maxMessages = Number.POSITIVE_INFINITY) {
    this.#maxMessages = maxMessages
  }

  push(text: string): PartsDelta {
    if (this.#finished >= this.#maxMessages) return NOTHING_MORE
    const parts = splitWithSeams(this.#source + text)
    const last = parts.at(-1)
    if (!last) {
      this.#source += text
      return NOTHING_MORE
    }
    const { content, seam } = last
    this.#source = content.slice(0, content.length - seam.closed.length) + seam.after
    return this.#bounded(parts.map((part) => part.content))
  }

  /** The message that would be one too many shows that the answer goes on. */
  #bounded(contents: readonly string[]): PartsDelta {
    const left = this.#maxMessages - this.#finished
    const isFull = contents.length > left
    const finished = isFull ? cutPreview(contents, left) : contents.slice(0, -1)
    this.#finished += finished.length
    return { finished, tail: isFull ? '' : (contents.at(-1) ?? '') }
  }
}

const NOTHING_MORE: PartsDelta = { finished: [], tail: '' }
