import { splitWithSeams } from '#domain/split-message.ts'
import type { PartsDelta } from '#protocol/assistant.ts'

/**
 * Splits an answer into messages while it is being written.
 *
 * Only the message that is being written is looked at again, so a long answer costs no more per
 * piece than a short one. While a text grows, every part but the last keeps its content.
 */
export class GrowingParts {
  /** What the last part was made of: its own text, and the white space and fence that belong to its end. */
  #source = ''

  push(text: string): PartsDelta {
    const parts = splitWithSeams(this.#source + text)
    const last = parts.at(-1)
    if (!last) {
      this.#source += text
      return { finished: [], tail: '' }
    }
    const { content, seam } = last
    this.#source = content.slice(0, content.length - seam.closed.length) + seam.after
    return { finished: parts.slice(0, -1).map((part) => part.content), tail: content }
  }
}
