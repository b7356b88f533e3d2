import type { TokenUsage } from '#domain/conversation.ts'
import type { StopReason } from '#protocol/assistant.ts'
import type { ModelChunk } from './model-chunk.ts'
import type { ModelEvent } from './model-client.ts'
import { ModelError } from './model-error.ts'
import { ThinkFilter } from './think-filter.ts'

/** What OpenRouter and vLLM call an end that the model did not choose. */
const BROKEN_OFF: ReadonlySet<string> = new Set(['error', 'abort'])

const STOP_REASONS: ReadonlyMap<string, StopReason> = new Map([
  ['length', 'length'],
  ['content_filter', 'filtered'],
])

/** Turns the chunks of one answer into events and decides at the end whether there was an answer. */
export class AnswerReader {
  readonly #filter = new ThinkFilter()
  #hasText = false
  #refusal = ''
  #finishReason: string | null = null
  #usage: TokenUsage | null = null

  /** The model has said why it stops; only token counts can follow. */
  get finished(): boolean {
    return this.#finishReason !== null
  }

  take(chunk: ModelChunk): ModelEvent[] {
    this.#refusal += chunk.refusal
    this.#finishReason = chunk.finishReason ?? this.#finishReason
    this.#usage = chunk.usage ?? this.#usage
    const reasoning: ModelEvent[] = chunk.reasoning === '' ? [] : [{ type: 'reasoning', text: chunk.reasoning }]
    return [...reasoning, ...this.#noted(this.#filter.push(chunk.content))]
  }

  /**
   * Ends the answer. `complete` tells whether the server said that nothing follows.
   * Throws a ModelError when the answer broke off or there is none.
   */
  end(complete: boolean): ModelEvent[] {
    const events = this.#noted(this.#filter.flush())
    if (!this.finished && !complete) throw new ModelError('MODEL_CUT_OFF', 'the stream ended without a finish_reason')
    const reason = this.#finishReason ?? 'stop'
    if (BROKEN_OFF.has(reason)) throw new ModelError('MODEL_CUT_OFF', `finish_reason ${reason}`)
    if (!this.#hasText) throw this.#withoutText()
    return [...events, { type: 'end', stopReason: STOP_REASONS.get(reason) ?? 'end', usage: this.#usage }]
  }

  #noted(events: readonly Extract<ModelEvent, { text: string }>[]): readonly ModelEvent[] {
    if (events.some(({ type, text }) => type === 'text' && text.trim() !== '')) this.#hasText = true
    return events
  }

  #withoutText(): ModelError {
    if (this.#refusal !== '') return new ModelError('MODEL_REFUSED', this.#refusal)
    if (this.#finishReason === 'content_filter') return new ModelError('MODEL_REFUSED', 'finish_reason content_filter')
    return new ModelError('MODEL_EMPTY_ANSWER', `finish_reason ${this.#finishReason}, no text`)
  }
}
