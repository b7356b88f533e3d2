import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleType,
  type IBackoff,
  type IHalfOpenAfterBackoffContext,
  noJitterGenerator,
} from 'cockatiel'
import type { Clock } from '#actors/clock.ts'
import type { ModelHealth } from '#domain/model-health.ts'
import type { ModelSign } from '#domain/model-sign.ts'

export interface BreakerOptions {
  /** Failures in a row after which the model's server counts as silent; 0 means never. */
  readonly breakThreshold: number
  /** Before a silent server is tried for the first time; doubles from try to try. */
  readonly breakPauseMs: number
  readonly clock: Pick<Clock, 'now'>
  readonly onChanged: (state: ModelHealth['state']) => void
}

/** The longest time between two tries of a server that stays silent. */
const LONGEST_PAUSE_MS = 60_000

/** An execution by which the model's server is judged. */
export interface JudgedCall {
  /** The first sign counts. Resolves once the conclusion is drawn. */
  judge(sign: ModelSign): Promise<void>
}

/**
 * Notices when the model's server is dead, keeps questions from it, and lets one at a time find out whether it is back.
 *
 * The states are cockatiel's. Ours is the time, which cockatiel would take from the system, and that a call can end
 * without having said anything about the server.
 */
export class ModelBreaker {
  readonly #policy: CircuitBreakerPolicy
  readonly #clock: Pick<Clock, 'now'>
  #pause: Pause | undefined
  #silences = 0

  constructor({ breakThreshold, breakPauseMs, clock, onChanged }: BreakerOptions) {
    const pauses = new ExponentialBackoff({
      generator: noJitterGenerator,
      initialDelay: breakPauseMs,
      maxDelay: Math.max(breakPauseMs, LONGEST_PAUSE_MS),
    })
    const keep = (pause: Pause) => {
      this.#pause = pause
    }
    this.#clock = clock
    this.#policy = circuitBreaker(handleType(NoAnswer), {
      breaker: new ConsecutiveBreaker(breakThreshold === 0 ? Number.POSITIVE_INFINITY : breakThreshold),
      halfOpenAfter: { next: () => new Pause(clock, pauses.next(), keep) },
    })
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.#silences++
      onChanged(this.state)
    })
  }

  get state(): ModelHealth['state'] {
    return STATES[this.#policy.state]
  }

  /** How often the server was found silent, tries that failed included. */
  get silences(): number {
    return this.#silences
  }

  /** When a silent server may be tried, ms since epoch; undefined in other states. */
  get triedAt(): number | undefined {
    return this.state === 'silent' ? this.#pause?.endsAt : undefined
  }

  /** Whether another call may begin. */
  mayBegin(): boolean {
    const { triedAt } = this
    return triedAt === undefined ? this.state === 'answering' : triedAt <= this.#clock.now()
  }

  /** Follows a call that begins now; to be used only while one may. */
  begin(): JudgedCall {
    const isTry = this.state !== 'answering'
    const begunAfter = this.#silences
    const sign = Promise.withResolvers<ModelSign>()
    const concluded = this.#policy
      .execute(async () => {
        const decided = await sign.promise
        // A call from before the break must not speak for the server as it is now: cockatiel would end the try with it.
        failUnlessAlive(decided === 'dead' && begunAfter !== this.#silences ? 'unknown' : decided, isTry)
      })
      // How it ended is known; the policy has drawn its conclusion.
      .catch(() => undefined)
    return {
      judge: (decided) => {
        sign.resolve(decided)
        return concluded
      },
    }
  }
}

const STATES: Readonly<Record<CircuitState, ModelHealth['state']>> = {
  [CircuitState.Closed]: 'answering',
  [CircuitState.Open]: 'silent',
  [CircuitState.HalfOpen]: 'tried',
  [CircuitState.Isolated]: 'answering',
}

/** What the breaker counts as a failure; `undecided`: a try that said nothing, so that the next one need not wait. */
class NoAnswer extends Error {
  readonly undecided: boolean

  constructor(undecided: boolean) {
    super('no answer')
    this.undecided = undecided
  }
}

/** What is no `NoAnswer` is left out of the count. A server that refuses because there is too much is alive. */
function failUnlessAlive(sign: ModelSign, isTry: boolean): void {
  if (sign === 'dead') throw new NoAnswer(false)
  if (sign === 'unknown') throw isTry ? new NoAnswer(true) : new Error('nothing known')
}

/** A pause that our clock measures: cockatiel only asks whether it is over. */
class Pause implements IBackoff<IHalfOpenAfterBackoffContext> {
  readonly endsAt: number
  readonly #clock: Pick<Clock, 'now'>
  readonly #length: IBackoff<unknown>
  readonly #keep: (pause: Pause) => void

  constructor(clock: Pick<Clock, 'now'>, length: IBackoff<unknown>, keep: (pause: Pause) => void, waits = true) {
    this.#clock = clock
    this.#length = length
    this.#keep = keep
    this.endsAt = clock.now() + (waits ? length.duration : 0)
    keep(this)
  }

  /** What cockatiel compares with its own measure of the time since the break. */
  get duration(): number {
    return this.#clock.now() >= this.endsAt ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  next({ result }: IHalfOpenAfterBackoffContext): Pause {
    const isUndecided = 'error' in result && result.error instanceof NoAnswer && result.error.undecided
    if (isUndecided) return new Pause(this.#clock, this.#length, this.#keep, false)
    return new Pause(this.#clock, this.#length.next(undefined), this.#keep)
  }
}
