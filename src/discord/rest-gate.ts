import { DefaultRestOptions, type RESTOptions } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import { isCallback, type Lane, laneOf, pathOf } from './lane.ts'
import { Places } from './places.ts'

type Request = RESTOptions['makeRequest']
type Response = Awaited<ReturnType<Request>>

export interface RestGateOptions {
  /** Calls a second for the whole bot. */
  readonly limit: number
  /** Never jumps. */
  readonly clock: Clock
  /** Told when a call has ended, or one came that has to wait. */
  readonly onChange: () => void
  /** Told how many calls Discord says a lane has left until an instant. */
  readonly onLearned: (lane: Lane, remaining: number, resetAt: number) => void
  /** Makes a call; discord.js's own way unless told. */
  readonly request?: Request
}

/** A second, and what two clocks that count in milliseconds can be apart. */
const WINDOW_MS = 1_020

/** Calls of interactions that are under way at once; Discord does not limit them in all. */
const EXEMPT_AT_ONCE = 50

/** discord.js itself waits so much longer than Discord says, and a little for the timers. */
const RESET_MARGIN_MS = 60

/** What a refusal means that does not say for how long. */
const DEFAULT_RETRY_MS = 1_000

/**
 * Where discord.js's calls leave the process: each one needs a place, whoever makes it and however often discord.js
 * repeats it, and each answer tells what is left of Discord's limits.
 */
export class RestGate {
  readonly #options: RestGateOptions
  readonly #metered: Places
  readonly #exempt = new Places({ limit: EXEMPT_AT_ONCE, windowMs: 0 })
  /** Lanes whose next call has its place already. */
  readonly #reserved = new Set<string>()
  /** Calls that were made without having been granted; they go before what is still to be decided. */
  readonly #callers = { metered: new Set<() => void>(), exempt: new Set<() => void>() }
  #calls = 0
  #rateLimited = 0
  #closed = false

  constructor(options: RestGateOptions) {
    this.#options = options
    this.#metered = new Places({ limit: options.limit, windowMs: WINDOW_MS })
  }

  get calls(): number {
    return this.#calls
  }

  get rateLimited(): number {
    return this.#rateLimited
  }

  get total(): number {
    return this.#metered.total(this.#now())
  }

  get hasCallers(): boolean {
    return this.#callers.metered.size + this.#callers.exempt.size > 0
  }

  free(isExempt: boolean, now: number): number {
    return this.#placesOf(isExempt).free(now)
  }

  nextFreeAt(isExempt: boolean, now: number): number | undefined {
    return this.#placesOf(isExempt).nextFreeAt(now)
  }

  /** Takes a place for the next call of a lane. */
  reserve({ key, isExempt }: Lane): void {
    this.#reserved.add(key)
    this.#placesOf(isExempt).take()
  }

  /** Gives the place back if there was no call. */
  release({ key, isExempt }: Lane): void {
    if (this.#reserved.delete(key)) this.#placesOf(isExempt).giveBack()
  }

  /** Lets through those who wait, as far as there are places. */
  serve(now: number): void {
    for (const isExempt of [false, true]) {
      for (const go of this.#callersOf(isExempt)) {
        if (this.free(isExempt, now) <= 0) break
        go()
      }
    }
  }

  /** Makes no more calls. */
  close(): void {
    this.#closed = true
    for (const isExempt of [false, true]) for (const go of this.#callersOf(isExempt)) go()
  }

  /** For discord.js's option of that name. */
  readonly makeRequest: Request = async (url, init) => {
    const path = pathOf(url)
    const request = this.#options.request ?? DefaultRestOptions.makeRequest
    if (isCallback(path)) return request(url, init)
    const lane = laneOf(init.method ?? 'GET', path)
    await this.#begin(lane, init.signal ?? undefined)
    if (!lane.isExempt) this.#calls++
    try {
      const response = await request(url, init)
      this.#learn(lane, response)
      return response
    } finally {
      this.#placesOf(lane.isExempt).leave(this.#now())
      this.#options.onChange()
    }
  }

  async #begin(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    if (this.#reserved.delete(lane.key)) return
    if (this.#callersOf(lane.isExempt).size > 0 || this.free(lane.isExempt, this.#now()) <= 0) {
      await this.#waitForPlace(lane.isExempt, signal)
    } else {
      this.#placesOf(lane.isExempt).take()
    }
  }

  #waitForPlace(isExempt: boolean, signal: AbortSignal | undefined): Promise<void> {
    const callers = this.#callersOf(isExempt)
    return new Promise((resolve, reject) => {
      const end = () => {
        callers.delete(go)
        signal?.removeEventListener('abort', onAbort)
      }
      const go = () => {
        end()
        if (this.#closed) return reject(new Error('Parley has stopped'))
        this.#placesOf(isExempt).take()
        resolve()
      }
      const onAbort = () => {
        end()
        reject(signal?.reason)
      }
      callers.add(go)
      signal?.addEventListener('abort', onAbort)
      this.#options.onChange()
    })
  }

  #learn(lane: Lane, { status, headers }: Response): void {
    const now = this.#now()
    if (status === TOO_MANY_REQUESTS) return this.#learnRefusal(lane, headers, now)
    const remaining = numberIn(headers, 'X-RateLimit-Remaining')
    const resetAfter = numberIn(headers, 'X-RateLimit-Reset-After')
    if (remaining === undefined || resetAfter === undefined) return
    this.#options.onLearned(lane, remaining, now + resetAfter * 1_000 + RESET_MARGIN_MS)
  }

  #learnRefusal(lane: Lane, headers: Response['headers'], now: number): void {
    this.#rateLimited++
    const retryAfterSeconds = numberIn(headers, 'Retry-After')
    const retryAfterMs = retryAfterSeconds === undefined ? DEFAULT_RETRY_MS : retryAfterSeconds * 1_000
    const scope = headers.get('X-RateLimit-Scope')
    // What stands before Discord refuses without a scope, and refuses everything.
    if (scope === null || scope === 'global') this.#placesOf(lane.isExempt).refused(now, retryAfterMs)
    else this.#options.onLearned(lane, 0, now + retryAfterMs + RESET_MARGIN_MS)
  }

  #placesOf(isExempt: boolean): Places {
    return isExempt ? this.#exempt : this.#metered
  }

  #callersOf(isExempt: boolean): Set<() => void> {
    return isExempt ? this.#callers.exempt : this.#callers.metered
  }

  #now(): number {
    return this.#options.clock.now()
  }
}

const TOO_MANY_REQUESTS = 429

function numberIn(headers: Response['headers'], name: string): number | undefined {
  const value = Number(headers.get(name) ?? Number.NaN)
  return Number.isFinite(value) ? value : undefined
}
