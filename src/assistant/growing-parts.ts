import { splitMessage } from '#domain/split-message.ts'
import type { PartsDelta } from '#protocol/assistant.ts'

/**
 * Splits an answer into messages while it is being written.
 *
 * Only the message that is being written is looked at again, so a long answer costs no more per
 * piece than a short one. Full messages do not change: splitting is greedy from the start.
 */
export class GrowingParts {
  #tail = ''

  push(text: string): PartsDelta {
    const parts = splitMessage(this.#tail + text)
    this.#tail = parts.at(-1) ?? ''
    return { finished: parts.slice(0, -1), tail: this.#tail }
  }
}
