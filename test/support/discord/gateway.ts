import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Change, Changes } from './changes.ts'
import { dispatchOf } from './dispatches.ts'
import { CLOSE, type ClientPayload, GatewayConnection, OP } from './gateway-connection.ts'
import type { GatewayLog } from './gateway-log.ts'
import { GatewaySession } from './gateway-session.ts'
import { areValid, INTENTS } from './intents.ts'
import { isObject } from './json.ts'
import type { RateLimiter } from './rate-limits.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

interface GatewayOptions {
  readonly token: string
  readonly heartbeatIntervalMs: number
  readonly allowedIntents: number
  readonly world: World
  readonly wire: Wire
  readonly changes: Changes
  readonly limiter: RateLimiter
  readonly log: GatewayLog
  readonly now: () => number
  readonly url: () => string
}

interface IdentifyForm {
  readonly token?: unknown
  readonly intents?: unknown
  readonly shard?: unknown
}

interface ResumeForm {
  readonly token?: unknown
  readonly session_id?: unknown
  readonly seq?: unknown
}

const GOING_AWAY = 1001
const NORMAL = 1000

/** The WebSocket side: sessions, their events, and how connections end. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #sockets = new WebSocketServer({ noServer: true })
  readonly #connections = new Set<GatewayConnection>()
  readonly #sessions = new Map<string, GatewaySession>()

  constructor(options: GatewayOptions) {
    this.#options = options
    options.changes.listen((change) => this.#spread(change))
  }

  /** Takes over a request to upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { searchParams } = new URL(request.url ?? '/', 'ws://localhost')
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#open(opened, searchParams))
  }

  /** Ends all connections with a code, or without a word when there is none. */
  disconnect(code?: number): void {
    for (const connection of this.#connections) {
      if (code === undefined) connection.terminate()
      else connection.close(code)
    }
  }

  /** Tells clients that their session is over, or that they may try to resume it. */
  invalidateSessions(resumable: boolean): void {
    for (const connection of this.#connections) {
      this.#forget(connection)
      connection.send(OP.invalidSession, resumable)
    }
    if (!resumable) this.#sessions.clear()
  }

  requestReconnect(): void {
    for (const connection of this.#connections) connection.send(OP.reconnect, null)
  }

  /** Makes the open connections go silent: no acknowledgements, no events, no close. */
  freeze(): void {
    for (const connection of this.#connections) connection.freeze()
  }

  close(): void {
    for (const connection of this.#connections) connection.terminate()
    this.#sessions.clear()
    this.#sockets.close()
  }

  #spread(change: Change): void {
    const { world, wire } = this.#options
    for (const session of this.#sessions.values()) {
      const dispatch = dispatchOf(change, session.intents, world, wire)
      if (dispatch) session.dispatch(dispatch)
    }
  }

  #open(socket: WebSocket, query: URLSearchParams): void {
    const { now, log, heartbeatIntervalMs } = this.#options
    const connection = new GatewayConnection(socket, { now, compressed: query.get('compress') === 'zlib-stream' })
    this.#connections.add(connection)
    log.add('connected')
    connection.onClose((code) => this.#closed(connection, code))
    connection.onPayload((payload) => this.#receive(connection, payload))
    if (!['9', '10'].includes(query.get('v') ?? '10')) connection.close(CLOSE.invalidApiVersion, 'Invalid API version.')
    else if ((query.get('encoding') ?? 'json') !== 'json')
      connection.close(CLOSE.decodeError, 'Only JSON is spoken here.')
    else connection.send(OP.hello, { heartbeat_interval: heartbeatIntervalMs, _trace: [] })
  }

  #closed(connection: GatewayConnection, code: number): void {
    this.#connections.delete(connection)
    const { session } = connection
    session?.detach(connection)
    // A client that says goodbye ends its session; all other ends leave it to be resumed.
    if (session && (code === NORMAL || code === GOING_AWAY)) this.#sessions.delete(session.id)
    this.#options.log.add('disconnected', { code, sessionId: session?.id ?? null })
  }

  #receive(connection: GatewayConnection, { op, d }: ClientPayload): void {
    switch (op) {
      case OP.heartbeat:
        return this.#heartbeat(connection, d)
      case OP.identify:
        return this.#identify(connection, isObject(d) ? d : {})
      case OP.resume:
        return this.#resume(connection, isObject(d) ? d : {})
      case OP.presenceUpdate:
      case OP.voiceStateUpdate:
      case OP.requestGuildMembers:
        if (!connection.session) connection.close(CLOSE.notAuthenticated, 'Not authenticated.')
        return
      default:
        connection.close(CLOSE.unknownOpcode, 'Unknown opcode.')
    }
  }

  #heartbeat(connection: GatewayConnection, d: unknown): void {
    const seq = typeof d === 'number' ? d : null
    this.#options.log.add('heartbeat', { seq, sessionId: connection.session?.id ?? null })
    connection.send(OP.heartbeatAck, null)
  }

  #identify(connection: GatewayConnection, { token, intents, shard }: IdentifyForm): void {
    const { log, limiter, allowedIntents } = this.#options
    const asked = typeof intents === 'number' ? intents : 0
    log.add('identify', { intents: asked })
    if (connection.session) return connection.close(CLOSE.alreadyAuthenticated, 'Already authenticated.')
    if (token !== this.#options.token) return connection.close(CLOSE.authenticationFailed, 'Authentication failed.')
    if (!areValid(asked)) return connection.close(CLOSE.invalidIntents, 'Invalid intent(s).')
    if (asked & ~allowedIntents) return connection.close(CLOSE.disallowedIntents, 'Disallowed intent(s).')
    if (!limiter.allows({ name: 'identify', major: 'bot' })) return this.#refuseSession(connection)
    this.#start(connection, asked, shard)
  }

  #start(connection: GatewayConnection, intents: number, shard: unknown): void {
    const { world, wire, url, log } = this.#options
    const session = new GatewaySession(randomBytes(16).toString('hex'), intents, connection)
    connection.session = session
    this.#sessions.set(session.id, session)
    const ready = {
      v: 10,
      user: { ...wire.user(world.botUser), verified: true, mfa_enabled: true, email: null, flags: 0 },
      user_settings: {},
      private_channels: [],
      guilds: world.guilds().map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: url(),
      shard: shard ?? [0, 1],
      application: { id: world.botUser.id, flags: 0 },
      session_type: 'normal',
    }
    session.dispatch({ t: 'READY', d: ready })
    if (intents & INTENTS.guilds) {
      for (const guild of world.guilds()) session.dispatch({ t: 'GUILD_CREATE', d: wire.guild(guild) })
    }
    log.add('ready', { sessionId: session.id, intents })
  }

  #resume(connection: GatewayConnection, { token, session_id, seq }: ResumeForm): void {
    const { log } = this.#options
    const from = typeof seq === 'number' ? seq : 0
    const sessionId = typeof session_id === 'string' ? session_id : null
    log.add('resume', { seq: from, sessionId })
    if (connection.session) return connection.close(CLOSE.alreadyAuthenticated, 'Already authenticated.')
    if (token !== this.#options.token) return connection.close(CLOSE.authenticationFailed, 'Authentication failed.')
    const session = sessionId === null ? undefined : this.#sessions.get(sessionId)
    if (!session) return this.#refuseSession(connection)
    if (from > session.seq) return connection.close(CLOSE.invalidSeq, 'Invalid seq.')
    connection.session = session
    const replayed = session.resume(connection, from)
    session.dispatch({ t: 'RESUMED', d: { _trace: [] } })
    log.add('resumed', { sessionId, seq: replayed })
  }

  #refuseSession(connection: GatewayConnection): void {
    this.#options.log.add('invalidSession')
    connection.send(OP.invalidSession, false)
  }

  #forget(connection: GatewayConnection): void {
    connection.session?.detach(connection)
    connection.session = null
  }
}
