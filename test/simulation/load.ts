import type { Arrival, Tier } from './simulated-queue.ts'

const FREE: Tier = { name: 'free', weight: 1 }
const PREMIUM: Tier = { name: 'premium', weight: 4 }

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface LoadOptions {
  readonly seed: number
  readonly users: number
  readonly seconds: number
  /** Questions a second outside of bursts. */
  readonly rate: number
}

const HEAVY_PART = 0.01
const PREMIUM_PART = 0.1
/** One question of a heavy user for each of these of a light one. */
const HEAVY_ASKS = 150
const BURST_EVERY = 300
const BURST_SECONDS = 60
const BURST_FACTOR = 3

/**
 * Questions of thousands of users: most ask little and now and then, some all the time and for long answers, a tenth pay.
 * Every five minutes, for a minute, three times as many come as otherwise.
 */
export function loadOf({ seed, users, seconds, rate }: LoadOptions): Arrival[] {
  const random = randomOf(seed)
  const people = Array.from({ length: users }, (_, n) => ({
    userId: `u${n}`,
    tier: random() < PREMIUM_PART ? PREMIUM : FREE,
    kind: random() < HEAVY_PART ? ('heavy' as const) : ('light' as const),
  }))
  // Somebody heavy is in the list as often as they ask.
  const askers = people.flatMap((person) =>
    Array.from({ length: person.kind === 'heavy' ? HEAVY_ASKS : 1 }, () => person),
  )
  const arrivals: Arrival[] = []
  for (let at = 0; at < seconds; ) {
    const isBurst = at % BURST_EVERY < BURST_SECONDS
    at += exponential(random, 1 / (rate * (isBurst ? BURST_FACTOR : 1)))
    const person = askers[Math.floor(random() * askers.length)]
    if (!person) break
    const mean = person.kind === 'heavy' ? 2_000 : 500
    arrivals.push({ ...person, at, cost: 100 + exponential(random, mean) })
  }
  return arrivals
}

function exponential(random: () => number, mean: number): number {
  return -Math.log(1 - random()) * mean
}
