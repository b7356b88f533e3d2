import type { TokenUsage } from '#domain/conversation.ts'
import type { PromptMessage } from '#domain/prompt-window.ts'
import type { ServerBusy, StopReason } from '#protocol/assistant.ts'

/** One question to a model. */
export interface ModelCall {
  /** As the endpoint spells it. */
  readonly model: string
  /** The one in the messages, for a model that does not understand them; null: none. */
  readonly persona: string | null
  readonly messages: readonly PromptMessage[]
  /** Ends the call; the stream then throws a DOMException named AbortError. */
  readonly signal: AbortSignal
}

/** A call that is made once more. */
export interface ModelRetry {
  /** Its number, counted from 1. */
  readonly call: number
  /** Set when the one before was refused because there was too much. */
  readonly busy?: ServerBusy
}

/** What a model says while it answers. */
export type ModelEvent =
  /** More of the answer. */
  | { readonly type: 'text'; readonly text: string }
  /** More of the thinking that leads to the answer and is no part of it. */
  | { readonly type: 'reasoning'; readonly text: string }
  /** The model could not be reached, or had too much to do; another call begins. */
  | ({ readonly type: 'retry' } & ModelRetry)
  /** The answer is complete: the last event, exactly once. */
  | { readonly type: 'end'; readonly stopReason: StopReason; readonly usage: TokenUsage | null }

/** Answers prompts. */
export interface ModelClient {
  /** The name that is kept with an answer of this model. */
  nameOf(model: string): string
  /** Streams an answer; throws a ModelError when there is none. Leaving the loop early ends the call. */
  stream(call: ModelCall): AsyncIterable<ModelEvent>
}

/** A model client that holds connections until it is closed. */
export interface ClosableModelClient extends ModelClient {
  /** Ends what is still open; calls that run fail. */
  close(): Promise<void>
}

/** What a stream throws when its caller's signal is aborted. */
export function cancelledError(): DOMException {
  return new DOMException('The answer was cancelled.', 'AbortError')
}
