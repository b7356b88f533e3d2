import type { MessagePort } from 'node:worker_threads'
import type { ParleyError } from '#domain/errors.ts'
import { PostBatch } from './post-batch.ts'
import { packThrown } from './thrown.ts'

/** What went over a port and what was left aside. */
export interface PortCounters {
  readonly posts: number
  /** Messages that were not understood. */
  readonly malformed: number
  /** Answers to calls that had ended already. */
  readonly late: number
}

/** A message as Comlink makes it. */
export interface WireMessage {
  readonly id: string
}

/** The path of a call is the name of a method. */
export interface WireCall extends WireMessage {
  readonly path: readonly string[]
}

type MessageListener = (event: { data: WireMessage }) => void

/** What both sides share: listeners, counters, and the batches in both directions. */
export abstract class PortEndpoint<Incoming extends WireMessage> {
  readonly closed: Promise<void>
  protected readonly port: MessagePort
  protected readonly batch: PostBatch<WireMessage>
  protected late = 0
  #malformed = 0
  readonly #listeners = new Set<MessageListener>()

  constructor(port: MessagePort) {
    this.port = port
    this.batch = new PostBatch(port, (message, error) => this.onRefused(message, error))
    this.closed = new Promise((resolve) => {
      port.once('close', () => {
        this.onClosed()
        resolve()
      })
    })
    port.on('message', (messages: unknown) => this.#onBatch(messages))
    port.on('messageerror', () => this.onMalformed())
  }

  /** Tells whether a message is one that may be handed to Comlink. */
  protected abstract accepts(message: unknown): message is Incoming
  /** A message that cannot be cloned. */
  protected abstract onRefused(message: WireMessage, error: unknown): void
  protected abstract onMessage(message: Incoming): void
  protected abstract onClosed(): void

  counters(): PortCounters {
    return { posts: this.batch.posts, malformed: this.#malformed, late: this.late }
  }

  addEventListener(_type: string, listener: unknown): void {
    this.#listeners.add(listener as MessageListener)
  }

  removeEventListener(_type: string, listener: unknown): void {
    this.#listeners.delete(listener as MessageListener)
  }

  protected onBatchEnd(): void {}

  /** Hands a message to Comlink, which throws on some that it does not understand. */
  protected deliver(data: WireMessage): void {
    try {
      for (const listener of this.#listeners) listener({ data })
    } catch {
      this.onMalformed()
    }
  }

  protected onMalformed(): void {
    this.#malformed += 1
  }

  #onBatch(messages: unknown): void {
    if (!Array.isArray(messages)) return this.onMalformed()
    for (const message of messages) {
      if (this.accepts(message)) this.onMessage(message)
      else this.onMalformed()
    }
    this.onBatchEnd()
  }
}

/** Tells whether something can be a message of Comlink's. */
export function isMessage(message: unknown): message is WireMessage {
  return typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'string'
}

/** A reply that makes Comlink reject the call. */
export function throwReply(id: string, error: ParleyError): WireMessage & Record<string, unknown> {
  return { id, type: 'HANDLER', name: 'throw', value: packThrown(error) }
}
