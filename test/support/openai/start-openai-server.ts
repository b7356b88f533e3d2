import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { ControlCall, ControlReply, NumberedCall, OpenAiThreadData } from './control.ts'
import type { OpenAiServerOptions, RecordedRequest, Script, ServerStatistics } from './script.ts'

/** Controls an OpenAI-compatible server that runs in a thread of its own. */
export class OpenAiServerHandle {
  /** For the client, `/v1` included. */
  readonly baseUrl: string
  readonly #connection: Connection

  constructor(baseUrl: string, connection: Connection) {
    this.baseUrl = baseUrl
    this.#connection = connection
  }

  /** Adds scripts for the next requests, one each. */
  async script(...scripts: Script[]): Promise<void> {
    await this.#connection.call({ method: 'script', scripts })
  }

  /** Says what is done when no script is left. */
  async setDefault(script: Script): Promise<void> {
    await this.#connection.call({ method: 'setDefault', script })
  }

  requests(): Promise<RecordedRequest[]> {
    return this.#connection.call({ method: 'requests' })
  }

  /** Resolves once so many chat completions have arrived since the start, with all that are remembered. */
  waitForRequests(count: number): Promise<RecordedRequest[]> {
    return this.#connection.call({ method: 'waitForRequests', count })
  }

  /** Resolves once so many clients have gone away before their response was complete. */
  waitForAborted(count: number): Promise<RecordedRequest[]> {
    return this.#connection.call({ method: 'waitForAborted', count })
  }

  /** Lets every silent and held request that is open go on. */
  async release(): Promise<void> {
    await this.#connection.call({ method: 'release' })
  }

  /** Forgets scripts, requests and counts; what is still open counts no more. */
  async reset(): Promise<void> {
    await this.#connection.call({ method: 'reset' })
  }

  stats(): Promise<ServerStatistics> {
    return this.#connection.call({ method: 'stats' })
  }

  /** Ends every connection, the server and its thread. */
  async close(): Promise<void> {
    await this.#connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Starts an OpenAI-compatible server in a thread of its own, on a free port of 127.0.0.1. */
export async function startOpenAiServer(options: OpenAiServerOptions = {}): Promise<OpenAiServerHandle> {
  const { port1, port2 } = new MessageChannel()
  const threadData: OpenAiThreadData = { port: port2, options }
  const worker = new Worker(new URL('./openai-thread.ts', import.meta.url), {
    workerData: threadData,
    transferList: [port2],
    execArgv: [],
  })
  const connection = new Connection(worker, port1)
  return new OpenAiServerHandle(await connection.started, connection)
}

type Settle = PromiseWithResolvers<unknown>

/** Calls over the port; all of them reject when the thread is gone. */
class Connection {
  /** The base URL, once the server listens. */
  readonly started: Promise<string>
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #open = new Map<number, Settle>()
  #lastId = 0
  #lost: Error | undefined
  #closed: Promise<void> | undefined

  constructor(worker: Worker, port: MessagePort) {
    this.#worker = worker
    this.#port = port
    this.started = this.#expect<string>(0)
    port.on('message', (reply: ControlReply) => this.#settle(reply))
    worker.on('error', (error) => this.#rejectAll(error))
    worker.on('exit', () => this.#rejectAll(new Error('the OpenAI-compatible server is closed')))
  }

  call<T>(call: ControlCall): Promise<T> {
    if (this.#lost) return Promise.reject(this.#lost)
    this.#lastId += 1
    const reply = this.#expect<T>(this.#lastId)
    this.#port.postMessage({ id: this.#lastId, call } satisfies NumberedCall)
    return reply
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    if (this.#lost) return
    const exited = once(this.#worker, 'exit')
    // The thread may be gone before its reply is here; its exit is the reply that counts.
    this.call({ method: 'close' }).catch(() => {})
    await exited
  }

  #expect<T>(id: number): Promise<T> {
    const settle = Promise.withResolvers<unknown>()
    this.#open.set(id, settle)
    // The caller names what its call returns; both ends are ours.
    return settle.promise as Promise<T>
  }

  #settle(reply: ControlReply): void {
    const settle = this.#open.get(reply.id)
    this.#open.delete(reply.id)
    if ('error' in reply) settle?.reject(new Error(reply.error))
    else settle?.resolve(reply.result)
  }

  #rejectAll(error: Error): void {
    this.#lost ??= error
    for (const settle of this.#open.values()) settle.reject(error)
    this.#open.clear()
    this.#port.close()
  }
}
