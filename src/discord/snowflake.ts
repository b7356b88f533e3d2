const DISCORD_EPOCH_MS = 1_420_070_400_000

/** The smallest id Discord can have given out at an instant, ms since epoch. */
export function snowflakeAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - DISCORD_EPOCH_MS)) << 22n)
}

/** Compares two of Discord's ids by age, the older one first. */
export function byAge(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)
}
