const DISCORD_EPOCH_MS = 1_420_070_400_000
const TIMESTAMP_SHIFT = 22n

/** Gives out Discord ids: the instant in the upper bits, always growing. */
export class Snowflakes {
  readonly #now: () => number
  #last = 0n

  constructor(now: () => number) {
    this.#now = now
  }

  next(): string {
    const earliest = BigInt(this.#now() - DISCORD_EPOCH_MS) << TIMESTAMP_SHIFT
    this.#last = earliest > this.#last ? earliest : this.#last + 1n
    return String(this.#last)
  }
}

/** Tells whether a text could be a Discord id. */
export function isSnowflake(text: string): boolean {
  return /^\d{15,20}$/.test(text)
}

/** Compares two ids by age, the older one first. */
export function bySnowflake(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
