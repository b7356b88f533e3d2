import type { RESTOptions } from 'discord.js'
import type { Clock, Timer } from '#actors/clock.ts'
import { type CountByUrgency, type DeliveryStatistics, URGENCIES, type Urgency } from '#protocol/delivery.ts'
import { DeliveryOrder, type Waiter } from './delivery-order.ts'
import type { Lane } from './lane.ts'
import { RestGate } from './rest-gate.ts'

export interface DeliveryOptions {
  /** Never jumps. */
  readonly clock: Clock
  /** Calls a second that Discord takes from the whole bot; 50. */
  readonly limit?: number
  /** So many may wait before what matters less is dropped; 5,000. */
  readonly maxWaiting?: number
  /** Told once a minute at most, while something is granted. */
  readonly onMinute?: () => void
  /** Makes a call; discord.js's own way unless told. */
  readonly request?: RESTOptions['makeRequest']
}

/** Somebody who waits for a call. */
export interface Turn {
  /** Makes the call, which must be of the lane it was asked for, or none; never rejects. */
  take(lane: Lane): Promise<void>
  /** Told when it will not come: too much waited, or nothing is granted any more. */
  readonly dropped?: () => void
}

/** What a call is for, and what Discord counts it with. */
export interface Need {
  readonly urgency: Urgency
  readonly lane: Lane
}

/** What the cards need of it. */
export type Turns = Pick<Delivery, 'ask' | 'withdraw'>

interface Entry extends Waiter {
  readonly turn: Turn
  readonly need: Need
}

/** Discord's documented limit for one bot. */
const DEFAULT_LIMIT = 50

const DEFAULT_MAX_WAITING = 5_000

/** The part of the places that stays free for what is more urgent. */
const KEPT_FREE: CountByUrgency = { answer: 0, notice: 0, placeholder: 0.1, reading: 0.1, preview: 0.2 }

const MINUTE_MS = 60_000

/** What is given up first when too much waits; the rest never is. */
const DROPPABLE = ['preview', 'placeholder'] as const satisfies readonly Urgency[]

/**
 * Spends what Discord lets a bot call on answers.
 *
 * Who needs a call asks for a turn and is told when it has come; what the call says is decided then. Each has one turn
 * at most, so what was overtaken while it waited is never sent. discord.js is handed only what goes out at once: what
 * waits in there can be neither reordered nor taken back.
 */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #gate: RestGate
  readonly #orders = { metered: new DeliveryOrder<Entry>(), exempt: new DeliveryOrder<Entry>() }
  readonly #waiting = new Map<Turn, Entry>()
  readonly #byUrgency = countersOf(() => new Set<Entry>())
  /** An answer of several messages keeps its place from the first to the last. */
  readonly #last = new WeakMap<Turn, Entry>()
  readonly #granted = countersOf(zero)
  readonly #overtaken = countersOf(zero)
  readonly #dropped = countersOf(zero)
  #admissions = 0
  #toldAt: number
  #pumping = false
  #timer: { readonly at: number; readonly timer: Timer } | undefined
  #closed = false

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#toldAt = options.clock.now()
    this.#gate = new RestGate({
      limit: options.limit ?? DEFAULT_LIMIT,
      clock: options.clock,
      onChange: () => this.#pumpSoon(),
      onLearned: (lane, remaining, resetAt) =>
        this.#orderOf(lane.isExempt).learn(lane.key, remaining, resetAt, options.clock.now()),
      ...(options.request && { request: options.request }),
    })
  }

  /** For discord.js's option of that name. */
  get makeRequest(): RESTOptions['makeRequest'] {
    return this.#gate.makeRequest
  }

  /**
   * Waits for a turn, or goes on waiting with another need. When too much waits, a preview or a placeholder is dropped:
   * whoever asked for it asks again when there is something new.
   */
  ask(turn: Turn, need: Need): void {
    const before = this.#waiting.get(turn)
    if (this.#closed || (before && isSame(before.need, need))) return
    if (before) {
      this.#forget(before)
      if (isMoreUrgent(need, before.need)) this.#overtaken[before.urgency]++
    }
    if (!this.#hasRoomFor(need.urgency)) return this.#drop(turn, need.urgency)
    this.#remember({
      turn,
      need,
      urgency: need.urgency,
      lane: need.lane.key,
      admission: this.#admit(turn, need, before),
    })
    this.#pumpSoon()
  }

  /** Waits no more. */
  withdraw(turn: Turn): void {
    const entry = this.#waiting.get(turn)
    if (entry) this.#forget(entry)
  }

  /**
   * Makes a call of its own when its turn comes; rejects when it does not.
   *
   * @param work is handed a signal for this call alone: discord.js never lets go of one that it was given.
   */
  call<T>(need: Need, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const own = new AbortController()
      const onAbort = () => {
        this.withdraw(turn)
        own.abort(signal.reason)
        reject(signal.reason)
      }
      const turn: Turn = {
        take: async () => {
          await work(own.signal).then(resolve, reject)
          signal.removeEventListener('abort', onAbort)
        },
        dropped: () => {
          signal.removeEventListener('abort', onAbort)
          reject(new Error('there was no room for a call to Discord'))
        },
      }
      if (signal.aborted || this.#closed) return reject(signal.reason ?? new Error('Parley has stopped'))
      signal.addEventListener('abort', onAbort)
      this.ask(turn, need)
    })
  }

  statistics(): Omit<DeliveryStatistics, 'hiddenRefusals'> {
    const { calls, rateLimited, total } = this.#gate
    return {
      waiting: countersOf((urgency) => this.#byUrgency[urgency].size),
      granted: { ...this.#granted },
      overtaken: { ...this.#overtaken },
      dropped: { ...this.#dropped },
      calls,
      rateLimited,
      places: { total, free: this.#gate.free(false, this.#now()) },
    }
  }

  /** Grants nothing more. */
  close(): void {
    this.#closed = true
    this.#setTimer(undefined)
    for (const entry of [...this.#waiting.values()]) {
      this.#forget(entry)
      entry.turn.dropped?.()
    }
    this.#gate.close()
  }

  #admit(turn: Turn, { urgency }: Need, waiting: Entry | undefined): number {
    const last = waiting ?? (urgency === 'answer' ? this.#last.get(turn) : undefined)
    return last?.urgency === urgency ? last.admission : this.#admissions++
  }

  #remember(entry: Entry): void {
    this.#waiting.set(entry.turn, entry)
    this.#byUrgency[entry.urgency].add(entry)
    this.#orderOf(entry.need.lane.isExempt).add(entry, this.#now())
  }

  #forget(entry: Entry): void {
    this.#waiting.delete(entry.turn)
    this.#byUrgency[entry.urgency].delete(entry)
    this.#orderOf(entry.need.lane.isExempt).remove(entry, this.#now())
  }

  /** What matters less makes room. */
  #hasRoomFor(urgency: Urgency): boolean {
    if (this.#waiting.size < (this.#options.maxWaiting ?? DEFAULT_MAX_WAITING)) return true
    for (const less of DROPPABLE) {
      if (less === urgency) return false
      const [given] = this.#byUrgency[less]
      if (!given) continue
      this.#forget(given)
      this.#drop(given.turn, less)
      return true
    }
    return true
  }

  #drop(turn: Turn, urgency: Urgency): void {
    this.#dropped[urgency]++
    turn.dropped?.()
  }

  /** What happens in one turn of the event loop is weighed together. */
  #pumpSoon(): void {
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      if (!this.#closed) this.#pump()
    })
  }

  /** At one instant: what is not granted at it must have a timer, or a call whose end is told. */
  #pump(): void {
    const now = this.#now()
    this.#gate.serve(now)
    for (const isExempt of [false, true]) while (this.#grantNext(isExempt, now));
    this.#setTimer(this.#nextChangeAt(now))
    this.#tellEachMinute()
  }

  #tellEachMinute(): void {
    if (this.#now() - this.#toldAt < MINUTE_MS) return
    this.#toldAt = this.#now()
    this.#options.onMinute?.()
  }

  #grantNext(isExempt: boolean, now: number): boolean {
    const free = this.#gate.free(isExempt, now)
    if (free <= 0) return false
    const entry = this.#orderOf(isExempt).next(now, ({ urgency }) => free > this.#keptFrom(urgency, isExempt))
    if (!entry) return false
    this.#waiting.delete(entry.turn)
    this.#byUrgency[entry.urgency].delete(entry)
    this.#last.set(entry.turn, entry)
    this.#granted[entry.urgency]++
    void this.#run(entry)
    return true
  }

  async #run({ turn, need: { lane } }: Entry): Promise<void> {
    this.#gate.reserve(lane)
    try {
      await turn.take(lane)
    } finally {
      this.#gate.release(lane)
      this.#orderOf(lane.isExempt).end(lane.key, this.#now())
      this.#pumpSoon()
    }
  }

  #keptFrom(urgency: Urgency, isExempt: boolean): number {
    return isExempt ? 0 : Math.floor(this.#gate.total * KEPT_FREE[urgency])
  }

  /** When time alone lets somebody go; calls that end are told. */
  #nextChangeAt(now: number): number | undefined {
    const instants = [false, true].flatMap((isExempt) => {
      const order = this.#orderOf(isExempt)
      const wanted = order.hasReady(now) || this.#gate.hasCallers
      return [order.nextResetAt(), wanted ? this.#gate.nextFreeAt(isExempt, now) : undefined]
    })
    const known = instants.filter((at) => at !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  #setTimer(at: number | undefined): void {
    if (at === this.#timer?.at) return
    this.#timer?.timer.cancel()
    this.#timer = undefined
    if (at === undefined) return
    const timer = this.#options.clock.setTimeout(
      () => {
        this.#timer = undefined
        this.#pump()
      },
      Math.max(0, at - this.#now()),
    )
    this.#timer = { at, timer }
  }

  #orderOf(isExempt: boolean): DeliveryOrder<Entry> {
    return isExempt ? this.#orders.exempt : this.#orders.metered
  }

  #now(): number {
    return this.#options.clock.now()
  }
}

function isSame(a: Need, b: Need): boolean {
  return a.urgency === b.urgency && a.lane.key === b.lane.key
}

function isMoreUrgent(a: Need, b: Need): boolean {
  return URGENCIES.indexOf(a.urgency) < URGENCIES.indexOf(b.urgency)
}

function countersOf<T>(start: (urgency: Urgency) => T): Record<Urgency, T> {
  return {
    answer: start('answer'),
    notice: start('notice'),
    placeholder: start('placeholder'),
    reading: start('reading'),
    preview: start('preview'),
  }
}

function zero(): number {
  return 0
}
