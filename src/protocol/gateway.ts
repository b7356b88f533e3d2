/** A way for people to reach the queue, with a life of its own. */
export interface Gateway {
  /** Resolves when it takes messages in. */
  start(): Promise<void>
  /** Takes no more messages in; what is under way is still shown. */
  stopIntake(): void
  /** Shows what is still to be shown, for at most `timeoutMs`, and ends. */
  stop(timeoutMs: number): Promise<void>
}
