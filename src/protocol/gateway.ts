import type { ConversationRequest, RequestOrigin } from '#domain/request.ts'
import type { RecoveredRequest, UndeliveredReply } from './database.ts'
import type { GateRefusal, Refusal, RequestEvent } from './queue.ts'

/** A way for people to reach the queue, with a life of its own. */
export interface Gateway {
  /** Whose requests it shows. */
  readonly origin: RequestOrigin
  /** Resolves when it takes messages in. */
  start(): Promise<void>
  /** Goes on showing a request of an earlier process: returns what its events are to be told to. Nothing is sent before the first of them. */
  resume(recovered: RecoveredRequest): (event: RequestEvent) => void
  /** Shows the end of a request that an earlier process stored and did not show; to be called after `start`. */
  deliver(reply: UndeliveredReply): void
  /**
   * Offers a request that was scheduled to the queue, as its user would ask it now; undefined when it was taken in. Left
   * out where nothing can be scheduled.
   */
  askScheduled?(request: ConversationRequest): Promise<Refusal | GateRefusal | undefined>
  /** Takes no more messages in; what is under way is still shown. */
  stopIntake(): void
  /** Shows what is still to be shown, for at most `timeoutMs`, and ends. */
  stop(timeoutMs: number): Promise<void>
}
