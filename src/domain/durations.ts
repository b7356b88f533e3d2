/** A number of samples of one duration, and when each was taken. */
interface Sample {
  readonly atMs: number
  readonly valueMs: number
}

/** Milliseconds at some percentiles of the samples in a window. */
export interface DurationSummary {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** The durations of the last minutes: at most `capacity` of them, none older than `windowMs`. */
export class SlidingDurations {
  readonly #capacity: number
  readonly #windowMs: number
  readonly #samples: Sample[] = []
  #next = 0

  constructor(capacity: number, windowMs: number) {
    this.#capacity = capacity
    this.#windowMs = windowMs
  }

  /** The host's clock can be set back in between, so a duration can come out negative: it counts as none. */
  add(atMs: number, valueMs: number): void {
    this.#samples[this.#next] = { atMs, valueMs: Math.max(0, valueMs) }
    this.#next = (this.#next + 1) % this.#capacity
  }

  /** How many there are and their mean; 0 when there are none. */
  mean(nowMs: number): { readonly count: number; readonly meanMs: number } {
    const values = this.#samples.filter((sample) => this.#isRecent(sample, nowMs)).map(({ valueMs }) => valueMs)
    const sumMs = values.reduce((sum, value) => sum + value, 0)
    return { count: values.length, meanMs: values.length === 0 ? 0 : sumMs / values.length }
  }

  /** Percentiles by nearest rank; zeros when there are no samples. */
  summary(nowMs: number): DurationSummary {
    const values = this.#samples
      .filter((sample) => this.#isRecent(sample, nowMs))
      .map((sample) => sample.valueMs)
      .sort((a, b) => a - b)
    const at = (share: number) => values[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0
    return { count: values.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }
  }

  #isRecent({ atMs }: Sample, nowMs: number): boolean {
    return Math.abs(nowMs - atMs) <= this.#windowMs
  }
}

/** Counts events of the last minute, to the second. */
export class EventsPerMinute {
  readonly #counts: number[] = Array.from({ length: 60 }, () => 0)
  #second = 0

  add(nowMs: number): void {
    const second = this.#moveTo(nowMs)
    this.#counts[second % 60] = (this.#counts[second % 60] ?? 0) + 1
  }

  count(nowMs: number): number {
    this.#moveTo(nowMs)
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Empties the seconds that have passed since the last call; those that are still to come, when the clock was set back. */
  #moveTo(nowMs: number): number {
    const second = Math.floor(nowMs / 1000)
    const last = Math.max(second, this.#second)
    const first = Math.max(Math.min(second, this.#second) + 1, last - 59)
    for (let at = first; at <= last; at++) this.#counts[at % 60] = 0
    this.#second = second
    return second
  }
}
