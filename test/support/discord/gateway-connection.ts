import type { RawData, WebSocket } from 'ws'
import type { EventSink, GatewaySession } from './gateway-session.ts'
import { isObject, type JsonObject } from './json.ts'
import { ZlibStream } from './zlib-stream.ts'

const MAX_PAYLOAD_BYTES = 4_096
const MAX_SENDS_A_MINUTE = 120
const MINUTE_MS = 60_000

/** The operations of the gateway, by number. */
export const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const

/** How the gateway ends a connection. */
export const CLOSE = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSeq: 4007,
  rateLimited: 4008,
  invalidApiVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const

/** What a client sent. */
export interface ClientPayload {
  readonly op: number
  readonly d: unknown
}

/** One WebSocket of a client, speaking the gateway's JSON. */
export class GatewayConnection implements EventSink {
  session: GatewaySession | null = null
  /** Sends nothing any more, as a connection does that died without a word. */
  #frozen = false
  readonly #socket: WebSocket
  readonly #zlib: ZlibStream | null
  readonly #now: () => number
  #sends = { since: 0, count: 0 }

  constructor(socket: WebSocket, options: { readonly compressed: boolean; readonly now: () => number }) {
    this.#socket = socket
    this.#now = options.now
    this.#zlib = options.compressed ? new ZlibStream((compressed) => socket.send(compressed)) : null
  }

  onPayload(listener: (payload: ClientPayload) => void): void {
    this.#socket.on('message', (raw) => {
      const payload = this.#read(raw)
      if (payload) listener(payload)
    })
  }

  onClose(listener: (code: number) => void): void {
    this.#socket.on('error', () => this.#socket.terminate())
    this.#socket.on('close', (code) => {
      this.#zlib?.close()
      listener(code)
    })
  }

  send(op: number, d: unknown): void {
    this.sendFrame(JSON.stringify({ op, d }))
  }

  sendFrame(frame: string): void {
    if (this.#frozen || this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#zlib) this.#zlib.write(frame)
    else this.#socket.send(frame)
  }

  freeze(): void {
    this.#frozen = true
  }

  get frozen(): boolean {
    return this.#frozen
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  #read(raw: RawData): ClientPayload | undefined {
    if (!this.#countSend()) return this.#refuse(CLOSE.rateLimited, 'You are being rate limited.')
    const text = textOf(raw)
    if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) return this.#refuse(CLOSE.decodeError, 'Payload too large.')
    const payload = parse(text)
    const { op, d }: { readonly op?: unknown; readonly d?: unknown } = payload ?? {}
    if (typeof op !== 'number') return this.#refuse(CLOSE.decodeError, 'Error while decoding payload.')
    return { op, d }
  }

  #refuse(code: number, reason: string): undefined {
    this.close(code, reason)
  }

  #countSend(): boolean {
    if (this.#now() - this.#sends.since >= MINUTE_MS) this.#sends = { since: this.#now(), count: 0 }
    this.#sends.count++
    return this.#sends.count <= MAX_SENDS_A_MINUTE
  }
}

function textOf(raw: RawData): string {
  if (Array.isArray(raw)) return Buffer.concat(raw).toString()
  return raw instanceof ArrayBuffer ? Buffer.from(raw).toString() : raw.toString()
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
