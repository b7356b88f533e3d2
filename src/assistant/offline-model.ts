import type { Clock } from '#actors/clock.ts'
import { type ClosableModelClient, cancelledError, type ModelCall, type ModelEvent } from './model-client.ts'
import { offlineAnswer } from './offline-answer.ts'

export interface OfflineModelOptions {
  /** The one that is asked of it when nobody has chosen another. */
  readonly usualModel: string
  /** The pause after each word, so that an answer is seen to grow; 0 for none. */
  readonly wordDelayMs: number
  /** Counts from the epoch: it is asked for the date. */
  readonly clock: Clock
}

/** The model without a model: answers by fixed rules, with no network, when nothing is configured. */
export class OfflineModel implements ClosableModelClient {
  readonly #options: OfflineModelOptions

  constructor(options: OfflineModelOptions) {
    this.#options = options
  }

  /** Whatever it is asked for, the answer is its own. */
  nameOf(): string {
    return 'offline'
  }

  async *stream({ model, persona, messages, signal }: ModelCall): AsyncGenerator<ModelEvent, void, undefined> {
    const { clock, wordDelayMs, usualModel } = this.#options
    const now = new Date(clock.now())
    const chosen = { model: model === usualModel ? null : model, persona }
    for (const text of words(offlineAnswer(messages, now, chosen))) {
      if (signal.aborted) throw cancelledError()
      yield { type: 'text', text }
      if (wordDelayMs > 0) await pause(clock, wordDelayMs, signal)
    }
    if (signal.aborted) throw cancelledError()
    yield { type: 'end', stopReason: 'end', usage: null }
  }

  async close(): Promise<void> {}
}

/** Each word with the white space after it. */
function words(answer: string): string[] {
  return answer.match(/\s*\S+\s*/g) ?? []
}

/** Resolves after so long, or as soon as the signal is aborted. */
function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimeout(end, delayMs)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}
