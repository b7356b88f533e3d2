/** What an estimate of somebody's wait is made of. */
export interface WaitFacts {
  /** 1 runs next. */
  readonly place: number
  /** How many are worked on at the same time. */
  readonly slots: number
  /** How long requests were worked on of late. */
  readonly processing: { readonly count: number; readonly meanMs: number }
}

/** Fewer measurements say nothing about the next request. */
const MIN_MEASUREMENTS = 3

/** How long somebody will wait, from what was measured; undefined while that is too little. */
export function estimateWaitMs({ place, slots, processing }: WaitFacts): number | undefined {
  if (processing.count < MIN_MEASUREMENTS || slots <= 0 || place <= 0) return undefined
  return (processing.meanMs * place) / slots
}

/** A wait in words, as coarse as an estimate is, so that it does not change with every measurement. */
export function inWords(waitMs: number): string {
  const seconds = waitMs / 1000
  if (seconds <= 55) return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `about ${Math.max(1, minutes)} min`
  return 'more than an hour'
}
