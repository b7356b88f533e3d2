import type { Changes } from './changes.ts'

export type GatewayEventName =
  | 'connected'
  | 'identify'
  | 'ready'
  | 'resume'
  | 'resumed'
  | 'invalidSession'
  | 'heartbeat'
  | 'disconnected'

/** Something that happened on the gateway. */
export interface GatewayRecord {
  readonly event: GatewayEventName
  /** ms since epoch */
  readonly at: number
  readonly sessionId: string | null
  /** Of an identify. */
  readonly intents: number | null
  /** Where a resume or heartbeat says the client stands; of a `resumed`, how many events were sent again. */
  readonly seq: number | null
  /** Of a disconnect: the close code, 1006 without one. */
  readonly code: number | null
}

/** Keeps what happened on the gateway, in order. */
export class GatewayLog {
  readonly #records: GatewayRecord[] = []
  readonly #changes: Changes
  readonly #now: () => number

  constructor(changes: Changes, now: () => number) {
    this.#changes = changes
    this.#now = now
  }

  add(event: GatewayEventName, details: Partial<Omit<GatewayRecord, 'event' | 'at'>> = {}): void {
    const record = { event, at: this.#now(), sessionId: null, intents: null, seq: null, code: null, ...details }
    this.#records.push(record)
    this.#changes.announce({ type: 'gateway', record })
  }

  all(event?: GatewayEventName): GatewayRecord[] {
    return event === undefined ? [...this.#records] : this.#records.filter((record) => record.event === event)
  }
}
