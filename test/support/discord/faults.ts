import { ApiError, rateLimited } from './api-error.ts'

/**
 * What goes wrong with a call. A number answers that status instead of handling it. `drop` closes the
 * connection without handling, `dropAfter` after handling; `reset` and `resetAfter` do the same with a TCP
 * reset. `hang` waits for `releaseHeld` before handling, `hangAfter` between handling and answering.
 */
export type Fault = number | 'drop' | 'dropAfter' | 'reset' | 'resetAfter' | 'hang' | 'hangAfter'

/** Which calls fail, and how. What is left out matches everything. */
export interface FaultRule {
  readonly method?: string
  /** A pattern like `/channels/:id/messages`; the names of the parameters do not matter. */
  readonly route?: string
  /** One path exactly, without `/api/v10`. */
  readonly path?: string
  /** So many calls; 1. */
  readonly count?: number
  readonly status: Fault
  /** Discord's error code for an answer of that status; 0. */
  readonly code?: number
  /** Of a 429; 1. */
  readonly retryAfterSeconds?: number
  /** Whose limit a 429 speaks of; `user`. */
  readonly scope?: 'user' | 'global' | 'shared'
}

interface ActiveRule extends FaultRule {
  left: number
}

/** Makes calls fail that would have succeeded. */
export class Faults {
  #rules: ActiveRule[] = []
  #held: (() => void)[] = []

  add(rule: FaultRule): void {
    this.#rules.push({ ...rule, left: rule.count ?? 1 })
  }

  clear(): void {
    this.#rules = []
    this.release()
  }

  /** The rule a call falls under, used up by one. */
  take(call: { readonly method: string; readonly route: string; readonly path: string }): FaultRule | undefined {
    const rule = this.#rules.find(
      ({ method, route, path }) =>
        (method === undefined || method === call.method) &&
        (route === undefined || sameRoute(route, call.route)) &&
        (path === undefined || path === call.path),
    )
    if (rule && --rule.left === 0) this.#rules = this.#rules.filter((other) => other !== rule)
    return rule
  }

  /** Waits until someone releases it. */
  hold(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve))
  }

  /** Lets all held calls go on; returns their number. */
  release(): number {
    const held = this.#held
    this.#held = []
    for (const resume of held) resume()
    return held.length
  }
}

/** Compares two route patterns whatever their parameters are called. */
export function sameRoute(a: string, b: string): boolean {
  return a.replaceAll(/:\w+/g, ':') === b.replaceAll(/:\w+/g, ':')
}

/** The answer of a fault that is a status. */
export function faultAnswer(status: number, rule: FaultRule): ApiError {
  if (status === 429) return rateLimited((rule.retryAfterSeconds ?? 1) * 1_000, { scope: rule.scope ?? 'user' })
  return new ApiError(status, { message: `${status}: injected fault`, code: rule.code ?? 0 })
}
