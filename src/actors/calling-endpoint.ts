import type { MessagePort, Transferable } from 'node:worker_threads'
import * as Comlink from 'comlink'
import { type ErrorCode, ParleyError } from '#domain/errors.ts'
import { type Clock, monotonicClock, type Timer } from './clock.ts'
import {
  isMessage,
  type PortCounters,
  PortEndpoint,
  throwReply,
  type WireCall,
  type WireMessage,
} from './port-endpoint.ts'

/** The methods of T as the other thread sees them: each returns a promise. */
type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never
}

/** How a connection treats its calls. */
export interface ConnectOptions {
  /** A call that has no answer after so many ms rejects with CALL_TIMED_OUT. */
  readonly callTimeoutMs: number
  /** The code of calls that the closing of the port cuts off; DATABASE_UNAVAILABLE if not given. */
  readonly closedCode?: ErrorCode
  /** The other side, for messages: `the database thread`. */
  readonly peer?: string
  /** Measures the timeout; tests pass a simulated one. */
  readonly clock?: Clock
}

/** The calling side of a port. */
export interface Connection<T> {
  /** Calls the object served on the other side. Arguments are cloned at the end of the tick: do not change them. */
  readonly remote: Remote<T>
  /** Resolves once the port is closed, from either side. */
  readonly closed: Promise<void>
  /** Closes the port; open calls reject. */
  readonly close: () => void
  readonly counters: () => PortCounters
}

/** Calls the object that `serve` offers at the other end of the port. Keeps the thread alive only while calls are open. */
export function connect<T extends object>(port: MessagePort, options: ConnectOptions): Connection<T> {
  const endpoint = new CallingEndpoint(port, options)
  const remote = memoiseMethods<T>(Comlink.wrap<Record<string, RemoteMethod>>(endpoint))
  return {
    remote,
    closed: endpoint.closed,
    close: () => endpoint.close(),
    counters: () => endpoint.counters(),
  }
}

type RemoteMethod = (...args: unknown[]) => Promise<unknown>

/**
 * Comlink makes a proxy and registers a finalizer for every property that is read, so each is read once.
 * `then` stays undefined: the remote may be awaited or returned from an async function.
 */
function memoiseMethods<T>(wrapped: Record<string, RemoteMethod>): Remote<T> {
  const methods: Record<string, RemoteMethod> = Object.create(null)
  const proxy = new Proxy(methods, {
    get(known, name) {
      if (typeof name !== 'string' || name === 'then') return undefined
      known[name] ??= asyncMethod(wrapped[name])
      return known[name]
    },
  })
  return proxy as Remote<T>
}

/** Whatever Comlink throws while it packs the arguments becomes a rejection. */
function asyncMethod(method: RemoteMethod | undefined): RemoteMethod {
  return async (...args) => method?.(...args)
}

interface OpenCall {
  readonly method: string
  /** by the endpoint's clock */
  readonly deadline: number
}

/** Keeps count of the open calls, so that each one ends: Comlink alone leaves them pending for ever. */
class CallingEndpoint extends PortEndpoint<WireMessage> {
  readonly #options: ConnectOptions
  readonly #clock: Clock
  readonly #peer: string
  /** In the order of their deadlines, since all have the same time. */
  readonly #open = new Map<string, OpenCall>()
  /** One for the oldest open call. */
  #timer: Timer | undefined
  #isClosed = false

  constructor(port: MessagePort, options: ConnectOptions) {
    super(port)
    this.#options = options
    this.#clock = options.clock ?? monotonicClock
    this.#peer = options.peer ?? 'the other thread'
    port.unref()
  }

  postMessage(message: WireCall & { readonly type: string }, transfers?: readonly Transferable[]): void {
    // Comlink's own farewell, sent when it sees its proxies collected: closing is up to `close` alone.
    if (message.type === 'RELEASE') return
    const method = message.path.join('.')
    if (this.#isClosed) return this.#reject(message.id, this.#closedError(method, 'The call was not made.'))
    if (this.#open.size === 0) this.#wake()
    this.#open.set(message.id, { method, deadline: this.#clock.now() + this.#options.callTimeoutMs })
    this.batch.add(message, transfers)
  }

  close(): void {
    this.onClosed()
    this.port.close()
  }

  protected override accepts(message: unknown): message is WireMessage {
    if (!isMessage(message) || !('type' in message)) return false
    if (message.type === 'RAW') return true
    return message.type === 'HANDLER' && 'name' in message && Comlink.transferHandlers.has(String(message.name))
  }

  protected override onMessage(reply: WireMessage): void {
    if (this.#open.delete(reply.id)) this.deliver(reply)
    else this.late += 1
  }

  protected override onBatchEnd(): void {
    if (this.#open.size === 0) this.#rest()
  }

  protected override onRefused(call: WireMessage, cause: unknown): void {
    const method = this.#open.get(call.id)?.method
    const message = `The call ${method} was not made: its arguments cannot be sent to another thread.`
    this.#end(call.id, new ParleyError('CALL_INVALID', message, { cause }))
  }

  protected override onClosed(): void {
    this.#isClosed = true
    this.batch.clear()
    for (const [id, { method }] of this.#open) {
      this.#end(id, this.#closedError(method, 'Whether the call took effect is not known.'))
    }
  }

  #closedError(method: string, counted: string): ParleyError {
    const code = this.#options.closedCode ?? 'DATABASE_UNAVAILABLE'
    return new ParleyError(code, `${method} failed because ${this.#peer} is gone. ${counted}`)
  }

  #end(id: string, error: ParleyError): void {
    if (this.#open.delete(id)) this.#reject(id, error)
    if (this.#open.size === 0) this.#rest()
  }

  /** Answers in the other side's place. */
  #reject(id: string, error: ParleyError): void {
    this.deliver(throwReply(id, error))
  }

  #wake(): void {
    this.port.ref()
    this.#timer = this.#clock.setTimeout(() => this.#endOverdue(), this.#options.callTimeoutMs)
  }

  #rest(): void {
    this.port.unref()
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #endOverdue(): void {
    const now = this.#clock.now()
    for (const [id, { method, deadline }] of this.#open) {
      if (deadline > now) {
        this.#timer = this.#clock.setTimeout(() => this.#endOverdue(), deadline - now)
        return
      }
      const waited = `${method} got no answer from ${this.#peer} within ${this.#options.callTimeoutMs} ms.`
      this.#end(id, new ParleyError('CALL_TIMED_OUT', `${waited} Whether the call took effect is not known.`))
    }
  }
}
