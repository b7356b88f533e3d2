import { Emitter } from '#actors/emitter.ts'
import { NO_CLAIM } from '#domain/fair-shares.ts'
import type { ConversationRequest, TerminalStatus } from '#domain/request.ts'
import { uuidV7 } from '#domain/uuid.ts'
import type {
  ActiveFacts,
  AddResult,
  Amendment,
  AmendResult,
  NewRequest,
  QueueEvent,
  QueueMode,
  QueueStatistics,
  Refusal,
  RequestEvent,
  RequestQueue,
  WaitOutlook,
} from '#protocol/queue.ts'
import { queueStatistics } from './queue-statistics.ts'

type Told = RequestEvent extends infer Event ? (Event extends RequestEvent ? Omit<Event, 'requestId'> : never) : never

/** A message that has reached the queue; the test says what becomes of it. */
export class ScriptedRequest {
  readonly id: string
  readonly request: NewRequest
  readonly #listener: (event: RequestEvent) => void
  readonly #answer: (result: AddResult) => void

  constructor(
    id: string,
    request: NewRequest,
    listener: (event: RequestEvent) => void,
    answer: (result: AddResult) => void,
  ) {
    this.id = id
    this.request = request
    this.#listener = listener
    this.#answer = answer
  }

  /** Takes it in, as the real queue tells it. */
  accept(position = 1): this {
    this.#answer({ accepted: true, request: this.stored(), position })
    return this.tell({ type: 'queued', position, restored: false, attempt: 0 })
  }

  /** As it is stored. */
  stored(timestamp = 0): ConversationRequest {
    const plain = { ...NO_CLAIM, notBefore: null, replaces: null, directServerName: null }
    return { ...plain, ...this.request, id: this.id, timestamp }
  }

  refuse(refusal: Refusal): void {
    this.#answer({ accepted: false, refusal })
  }

  /** Takes it in and starts it in the same turn of the event loop. */
  start(): this {
    return this.accept().tell({ type: 'started', attempt: 1 })
  }

  /** More of the answer: the message that is being written, and those that are full now. */
  write(tail: string, ...finished: readonly string[]): this {
    return this.tell({ type: 'delta', text: tail, finished, tail, attempt: 1 })
  }

  /** The answer as messages. */
  complete(...parts: readonly string[]): this {
    const nothingToNote = { stopReason: 'end', trimmedMessages: 0, stored: true } as const
    return this.tell({ type: 'completed', answer: parts.join(' '), parts, ...nothingToNote, attempt: 1 })
  }

  tell(event: Told): this {
    this.#listener({ ...event, requestId: this.id })
    return this
  }
}

/** A queue in which nothing happens by itself. */
export class ScriptedQueue implements RequestQueue {
  /** Everything that came, in order. */
  readonly added: NewRequest[] = []
  /** Places in line by user. */
  readonly positions = new Map<string, number>()
  /** What lies before everybody in line. */
  wait: WaitOutlook = { waiting: 0, waitMs: null }
  /** What was asked of requests, as `cancel request`. */
  readonly commands: string[] = []
  /** What becomes of them, as it is told. */
  ending: TerminalStatus | undefined
  amended: AmendResult = 'amended'
  /** Active requests by user. */
  readonly actives = new Map<string, ActiveFacts>()
  statistics: QueueStatistics = queueStatistics()
  readonly #commanded = Promise.withResolvers<void>()
  readonly #events = new Emitter<QueueEvent>((error) => {
    throw error
  })
  readonly #arrived: ScriptedRequest[] = []
  readonly #waiting: ((request: ScriptedRequest) => void)[] = []

  addRequest(request: NewRequest, listener: (event: RequestEvent) => void = () => undefined): Promise<AddResult> {
    this.added.push(request)
    const id = uuidV7(0, Buffer.alloc(16, this.added.length))
    return new Promise((resolve) => {
      const scripted = new ScriptedRequest(id, request, listener, resolve)
      const waiting = this.#waiting.shift()
      if (waiting) waiting(scripted)
      else this.#arrived.push(scripted)
    })
  }

  /** The next message that comes, or has come. */
  next(): Promise<ScriptedRequest> {
    const arrived = this.#arrived.shift()
    return arrived ? Promise.resolve(arrived) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Tells that places in line have changed. */
  move(userId: string, position: number): void {
    this.positions.set(userId, position)
    this.#events.emit({ type: 'positionsChanged', waiting: this.positions.size })
  }

  active(userId: string): ActiveFacts | undefined {
    return this.actives.get(userId)
  }

  position(userId: string): number | undefined {
    return this.positions.get(userId)
  }

  on(listener: (event: QueueEvent) => void): () => void {
    return this.#events.on(listener)
  }

  cancel(requestId: string): Promise<TerminalStatus | undefined> {
    return this.#command(`cancel ${requestId}`)
  }

  amend(requestId: string, { type, text }: Amendment, discordMessageId: string): Promise<AmendResult> {
    void this.#command(`${type} ${requestId} ${discordMessageId} ${text}`)
    return Promise.resolve(this.amended)
  }

  stopAndKeep(requestId: string): Promise<TerminalStatus | undefined> {
    return this.#command(`stopAndKeep ${requestId}`)
  }

  /** Resolves once something was asked of a request. */
  untilCommanded(): Promise<void> {
    return this.#commanded.promise
  }

  #command(command: string): Promise<TerminalStatus | undefined> {
    this.commands.push(command)
    this.#commanded.resolve()
    return Promise.resolve(this.ending)
  }

  outlook(): WaitOutlook {
    return this.wait
  }

  setMode(mode: QueueMode): Promise<void> {
    this.commands.push(`mode ${mode}`)
    this.statistics = { ...this.statistics, mode }
    return Promise.resolve()
  }

  stats(): QueueStatistics {
    return this.statistics
  }
}

/** A request `r` of a direct conversation that is at work, but for what is told. */
export function activeFacts(facts: Partial<ActiveFacts>): ActiveFacts {
  const position = facts.position ?? 0
  const where = { requestId: 'r', serverId: '0', channelId: '1' }
  return { ...where, waiting: position > 0, position, acceptedAt: 0, startedAt: undefined, ...facts }
}
