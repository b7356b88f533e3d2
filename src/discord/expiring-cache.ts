import { LRUCache } from 'lru-cache'
import type { Clock } from '#actors/clock.ts'

/** Answers that cost a call to Discord, kept for a while; callers at the same time share one call. */
export class ExpiringCache<Value> {
  readonly #clock: Pick<Clock, 'now'>
  readonly #ttlMs: number
  readonly #entries: LRUCache<string, { readonly value: Promise<Value>; readonly askedAt: number }>

  constructor(clock: Pick<Clock, 'now'>, options: { readonly max: number; readonly ttlMs: number }) {
    this.#clock = clock
    this.#ttlMs = options.ttlMs
    this.#entries = new LRUCache({ max: options.max })
  }

  /** The answer under a key, looked up when it is not known or too old. What failed is looked up again. */
  get(key: string, look: () => Promise<Value>): Promise<Value> {
    const known = this.#entries.get(key)
    const now = this.#clock.now()
    // A clock that was set back keeps nothing for longer.
    if (known && now >= known.askedAt && now - known.askedAt < this.#ttlMs) return known.value
    const entry = { value: look(), askedAt: now }
    this.#entries.set(key, entry)
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    return entry.value
  }
}
