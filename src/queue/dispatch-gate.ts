import type { Clock } from '#actors/clock.ts'
import { type AdaptiveLimit, afterAnswer, afterBusy, NO_LIMIT, placesOf } from '#domain/adaptive-limit.ts'
import type { ModelHealth } from '#domain/model-health.ts'
import type { ModelSign } from '#domain/model-sign.ts'
import type { HeldUp, QueueMode } from '#protocol/queue.ts'
import { type JudgedCall, ModelBreaker } from './model-breaker.ts'
import type { QueueOptions } from './queue-options.ts'

/** An execution as far as the gate follows it. */
export interface GateCall {
  /** The model has said a word. */
  alive(): void
  /** The model's server has refused a call because there is too much; the execution goes on. */
  busy(retryAfterMs: number | undefined): void
  /** The execution is over; resolves once it is known what follows from that. */
  end(sign: ModelSign, retryAfterMs?: number): Promise<void>
}

/**
 * Decides whether another execution may begin: not while the queue is paused, not while the model's server is silent,
 * and not beyond what that server takes at the same time. One for all threads.
 */
export class DispatchGate {
  readonly #options: QueueOptions
  /** Pauses are to be as long as they are, also when the host's clock is set meanwhile. */
  readonly #clock: Pick<Clock, 'now'>
  readonly #breaker: ModelBreaker
  #mode: QueueMode = 'open'
  #limit: AdaptiveLimit = NO_LIMIT
  #underWay = 0
  /** How many were under way when the last one began: ends that come together do not say that there was room. */
  #crowd = 0
  #rateLimited = 0

  constructor(options: QueueOptions, onChanged: () => void) {
    const { settings, log } = options
    this.#options = options
    this.#clock = options.steadyClock ?? options.clock
    this.#breaker = new ModelBreaker({
      ...settings,
      clock: this.#clock,
      onChanged: (state) => {
        log.warn({ state }, LOGGED[state])
        onChanged()
      },
    })
  }

  get mode(): QueueMode {
    return this.#mode
  }

  set mode(mode: QueueMode) {
    this.#mode = mode
  }

  /** Why nothing begins, for as long as somebody has to be told. */
  get heldUp(): HeldUp | undefined {
    if (this.#mode === 'paused') return 'paused'
    return this.isModelSilent ? 'model' : undefined
  }

  /** The model's server does not answer; what may begin all the same finds out whether it does again. */
  get isModelSilent(): boolean {
    return this.#breaker.state !== 'answering'
  }

  get health(): ModelHealth {
    const { state, silences } = this.#breaker
    const places = placesOf(this.#limit, Number.POSITIVE_INFINITY)
    return { state, silences, rateLimited: this.#rateLimited, limit: Number.isFinite(places) ? places : null }
  }

  /** How many are worked on at the same time at most. */
  get places(): number {
    return placesOf(this.#limit, this.#options.pool.slots)
  }

  /** How many of those in line are about to begin: while it is closed none, however many slots are free. */
  get freePlaces(): number {
    if (this.heldUp || this.#isBefore()) return 0
    return Math.max(0, this.places - this.#options.pool.slotsUsed)
  }

  /** After how many ms `mayBegin` may change by itself; undefined when it waits for somebody, or for nothing. */
  get opensInMs(): number | undefined {
    if (this.#mode === 'paused') return undefined
    const { triedAt = 0 } = this.#breaker
    const waitMs = Math.max(triedAt, this.#limit.notBefore) - this.#clock.now()
    return waitMs > 0 ? waitMs : undefined
  }

  mayBegin(): boolean {
    if (this.#mode === 'paused' || this.#isBefore()) return false
    return this.#underWay < this.places && this.#breaker.mayBegin()
  }

  /** Follows an execution that begins now. */
  begin(): GateCall {
    const judged = this.#breaker.begin()
    this.#crowd = ++this.#underWay
    return {
      alive: () => void judged.judge('alive'),
      busy: (retryAfterMs) => this.#busy(retryAfterMs),
      end: (sign, retryAfterMs) => this.#end(judged, sign, retryAfterMs),
    }
  }

  /** The model's server has named a time for the next question. */
  #isBefore(): boolean {
    return this.#clock.now() < this.#limit.notBefore
  }

  /** It counts as under way until the breaker has drawn its conclusion: nothing begins in between. */
  async #end(judged: JudgedCall, sign: ModelSign, retryAfterMs: number | undefined): Promise<void> {
    await judged.judge(sign)
    if (sign === 'busy') this.#busy(retryAfterMs)
    const { pool } = this.#options
    if (sign === 'alive') this.#limit = afterAnswer(this.#limit, { underWay: this.#crowd, most: pool.slots })
    this.#underWay--
  }

  #busy(retryAfterMs: number | undefined): void {
    const { settings, log } = this.#options
    this.#rateLimited++
    if (!settings.adaptConcurrency) return
    const before = this.#limit
    const facts = {
      now: this.#clock.now(),
      underWay: this.#underWay,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
    this.#limit = afterBusy(before, facts)
    if (this.#limit.limit === before.limit) return
    this.#crowd = 0
    log.warn({ limit: this.places, retryAfterMs }, 'the model server takes fewer questions at the same time')
  }
}

const LOGGED: Readonly<Record<ModelHealth['state'], string>> = {
  silent: 'the model server does not answer; questions wait until it does',
  tried: 'the model server is tried with one question',
  answering: 'the model server answers again',
}
