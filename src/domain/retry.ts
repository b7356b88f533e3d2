/** What decides whether an execution that brought nothing is followed by another one. */
export interface RetryFacts {
  /** Whether asking again, with nothing changed, may work. */
  readonly retryable: boolean
  /** How many executions have begun. */
  readonly attempt: number
  readonly maxAttempts: number
  /** The pause before the second execution; it doubles from one to the next. */
  readonly backoffMs: number
  /** What is left until the request's deadline. */
  readonly remainingMs: number
  /** From 0 to 1: spreads the tries of those that failed together. */
  readonly random: number
}

/** The pause before the next execution; undefined when there is to be none. */
export function retryDelayMs(facts: RetryFacts): number | undefined {
  if (!facts.retryable || facts.attempt >= facts.maxAttempts) return undefined
  const longestMs = facts.backoffMs * 2 ** (facts.attempt - 1)
  const delayMs = Math.round(longestMs * (0.5 + facts.random / 2))
  return delayMs < facts.remainingMs ? delayMs : undefined
}
