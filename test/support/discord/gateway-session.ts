import type { Dispatch } from './dispatches.ts'

const MAX_KEPT_EVENTS = 10_000

interface KeptEvent {
  readonly seq: number
  readonly frame: string
}

/** Where a session's events go while its client is connected. */
export interface EventSink {
  sendFrame(frame: string): void
}

/** A client's session: it outlives the connection, so that a resume gets what was missed. */
export class GatewaySession {
  readonly id: string
  readonly intents: number
  #sink: EventSink | null
  #seq = 0
  readonly #kept: KeptEvent[] = []

  constructor(id: string, intents: number, sink: EventSink) {
    this.id = id
    this.intents = intents
    this.#sink = sink
  }

  get seq(): number {
    return this.#seq
  }

  /** Numbers an event, keeps it, and sends it when someone is there. */
  dispatch({ t, d }: Dispatch): void {
    this.#seq++
    const event = { seq: this.#seq, frame: JSON.stringify({ op: 0, t, s: this.#seq, d }) }
    this.#kept.push(event)
    if (this.#kept.length > MAX_KEPT_EVENTS) this.#kept.shift()
    this.#sink?.sendFrame(event.frame)
  }

  /** Goes on over another connection with what came after a sequence number; returns how many events that were. */
  resume(sink: EventSink, afterSeq: number): number {
    this.#sink = sink
    const missed = this.#kept.filter(({ seq }) => seq > afterSeq)
    for (const { frame } of missed) sink.sendFrame(frame)
    return missed.length
  }

  /** Keeps events for later from now on, when it was this connection they went to. */
  detach(sink: EventSink): void {
    if (this.#sink === sink) this.#sink = null
  }
}
