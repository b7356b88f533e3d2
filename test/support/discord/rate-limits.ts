import { ApiError, rateLimited } from './api-error.ts'
import type { Limit, LimitName, RateLimits } from './options.ts'

interface Window {
  readonly endsAt: number
  used: number
}

/** What a call costs: the limit it counts against, and whose. */
export interface Cost {
  readonly name: LimitName
  /** The channel, guild or webhook. */
  readonly major: string
}

/** Counts calls in windows and refuses those above the limits. */
export class RateLimiter {
  #limits: RateLimits
  readonly #now: () => number
  readonly #windows = new Map<string, Window>()

  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Changes the limits and forgets what was counted. */
  setLimits(limits: RateLimits): void {
    this.#limits = limits
    this.#windows.clear()
  }

  /** Counts a call against the bot's global limit; throws the 429. */
  takeGlobal(): void {
    const limit = this.#limits.global
    if (limit === null) return
    const window = this.#window('global', limit)
    if (window.used >= limit.limit) throw rateLimited(window.endsAt - this.#now(), { scope: 'global' })
    window.used++
  }

  /** Counts a call against its bucket; returns the headers that announce it, or throws the 429 with them. */
  take(cost: Cost): Readonly<Record<string, string>> {
    const limit = this.#limits[cost.name]
    if (limit === null) return {}
    const window = this.#window(`${cost.name}:${cost.major}`, limit)
    const full = window.used >= limit.limit
    if (!full) window.used++
    const headers = this.#headers(cost.name, limit, window)
    if (!full) return headers
    const refusal = rateLimited(window.endsAt - this.#now(), { scope: 'user' })
    throw new ApiError(refusal.status, refusal.body, { ...headers, ...refusal.headers })
  }

  /** Counts an event that has no headers; tells whether it was within the limit. */
  allows(cost: Cost): boolean {
    return this.msUntilAllowed(cost) === 0
  }

  /** Like `allows`, telling how long until there is room again; 0 when the event was counted. */
  msUntilAllowed({ name, major }: Cost): number {
    const limit = this.#limits[name]
    if (limit === null) return 0
    const window = this.#window(`${name}:${major}`, limit)
    if (window.used >= limit.limit) return window.endsAt - this.#now()
    window.used++
    return 0
  }

  #window(key: string, limit: Limit): Window {
    const known = this.#windows.get(key)
    if (known && this.#now() < known.endsAt) return known
    const opened = { endsAt: this.#now() + limit.windowMs, used: 0 }
    this.#windows.set(key, opened)
    return opened
  }

  #headers(name: LimitName, limit: Limit, window: Window): Record<string, string> {
    return {
      'X-RateLimit-Limit': String(limit.limit),
      'X-RateLimit-Remaining': String(limit.limit - window.used),
      'X-RateLimit-Reset': (window.endsAt / 1_000).toFixed(3),
      'X-RateLimit-Reset-After': ((window.endsAt - this.#now()) / 1_000).toFixed(3),
      'X-RateLimit-Bucket': Buffer.from(name).toString('hex'),
    }
  }
}
