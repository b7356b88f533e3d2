import type { MessagePort, Transferable } from 'node:worker_threads'
import * as Comlink from 'comlink'
import { ParleyError } from '#domain/errors.ts'
import {
  isMessage,
  type PortCounters,
  PortEndpoint,
  throwReply,
  type WireCall,
  type WireMessage,
} from './port-endpoint.ts'

/** The serving side of a port. */
export interface Served {
  /** Resolves once the port is closed, from either side. */
  readonly closed: Promise<void>
  /** Posts the answers that are ready and closes the port. */
  readonly close: () => void
  readonly counters: () => PortCounters
}

/** Offers an object's methods to whoever connects at the other end of the port. */
export function serve(api: object, port: MessagePort): Served {
  const endpoint = new ServingEndpoint(port)
  Comlink.expose(api, endpoint)
  return {
    closed: endpoint.closed,
    close: () => endpoint.close(),
    counters: () => endpoint.counters(),
  }
}

/** Lets only method calls through to Comlink, and answers those whose result cannot be sent. */
class ServingEndpoint extends PortEndpoint<WireCall> {
  postMessage(reply: WireMessage, transfers?: readonly Transferable[]): void {
    this.batch.add(reply, transfers)
  }

  close(): void {
    this.batch.flush()
    this.port.close()
  }

  protected override accepts(message: unknown): message is WireCall {
    if (!isMessage(message) || !('type' in message) || message.type !== 'APPLY') return false
    const path: unknown = 'path' in message ? message.path : undefined
    const args: unknown = 'argumentList' in message ? message.argumentList : undefined
    return Array.isArray(path) && path.length === 1 && typeof path[0] === 'string' && Array.isArray(args)
  }

  protected override onMessage(call: WireCall): void {
    this.deliver(call)
  }

  protected override onRefused(reply: WireMessage, cause: unknown): void {
    const error = new ParleyError('CALL_INVALID', 'The call was made, but its result cannot be sent back.', { cause })
    this.port.postMessage([throwReply(reply.id, error)])
  }

  protected override onClosed(): void {
    this.batch.clear()
  }
}
