/**
 * What a call to Discord is for, the most urgent first: the end of a request; a refusal, or that Parley restarts; the
 * first sign of a question; what came while Parley was away; how far a question is, and its answer as it grows.
 */
export const URGENCIES = ['answer', 'notice', 'placeholder', 'reading', 'preview'] as const

export type Urgency = (typeof URGENCIES)[number]

export type CountByUrgency = Readonly<Record<Urgency, number>>

/** How the calls to Discord are doing. */
export interface DeliveryStatistics {
  /** What waits for its turn. */
  readonly waiting: CountByUrgency
  /** Turns that were granted, since the start. */
  readonly granted: CountByUrgency
  /** What was not shown because something more urgent of the same question came. */
  readonly overtaken: CountByUrgency
  /** What was not shown because too much waited. */
  readonly dropped: CountByUrgency
  /** Refusals that were not shown because the same person had just been told the same. */
  readonly hiddenRefusals: number
  /** Calls that count against the limit of the whole bot, since the start; repeated ones as often as they were made. */
  readonly calls: number
  /** Calls that Discord answered with 429, since the start. */
  readonly rateLimited: number
  /** Calls that may be made at once at the moment, and those of them that are free. */
  readonly places: { readonly total: number; readonly free: number }
}
