import type { Timer } from '#actors/clock.ts'
import { Mailbox } from '#actors/mailbox.ts'
import { refuse } from '#domain/admission.ts'
import { type ErrorCode, errorMessage } from '#domain/errors.ts'
import type { Failure } from '#domain/failure.ts'
import { FifoOrder } from '#domain/order.ts'
import type { ConversationRequest, TerminalStatus } from '#domain/request.ts'
import { splitMessage } from '#domain/split-message.ts'
import type { AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AcceptResult, RequeueResult } from '#protocol/database.ts'
import type {
  AddResult,
  CancelReason,
  NewRequest,
  QueueEvent,
  QueueStatistics,
  Refusal,
  RequestEvent,
  RequestQueue,
} from '#protocol/queue.ts'
import { BROKEN, THREAD_LOST, timedOut } from './failures.ts'
import { QueueEvents } from './queue-events.ts'
import type { AddListener, QueueMessage } from './queue-message.ts'
import type { QueueOptions } from './queue-options.ts'
import { type ActiveRequest, type Ending, type EndListener, QueueState } from './queue-state.ts'
import { QueueCounters } from './queue-statistics.ts'
import { describeRefusal, NOT_TAKEN_IN, refusal } from './refusals.ts'
import { RequestJournal } from './request-journal.ts'

type Answered = Extract<AssistantOutcome, { type: 'answered' }>
type Answer = Pick<Answered, 'text' | 'parts' | 'stopReason' | 'trimmedMessages' | 'stored'>

/**
 * The queue actor: takes messages in, decides when each runs, hands it to the pool, sees it end.
 *
 * The only writer of who is active, of capacity, order and status. Everything reaches it through one
 * mailbox; each message is a decision over `QueueState`, followed by its effects (tell the database,
 * start a run, notify). A running request ends only through its run's outcome, which the pool
 * promises to give, so there is one way out: `#end`.
 */
export class ConversationQueue implements RequestQueue {
  readonly #options: QueueOptions
  readonly #state: QueueState
  readonly #counters = new QueueCounters()
  readonly #journal: RequestJournal
  readonly #events: QueueEvents
  readonly #mailbox: Mailbox<QueueMessage>
  readonly #idleListeners: (() => void)[] = []
  #stopping = false
  #poll: Timer | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#state = new QueueState(options.order ?? new FifoOrder<ActiveRequest>())
    this.#journal = new RequestJournal(options.store, options.log, (calls) => this.#counters.databaseCalls(calls))
    this.#events = new QueueEvents(options.log)
    this.#mailbox = new Mailbox({
      capacity: options.settings.mailboxSize,
      handle: (message) => this.#handle(message),
      afterBatch: () => this.#afterBatch(),
      onError: (error, message) => this.#broke(error, message),
    })
    options.pool.onSlotsChanged(() => this.#mailbox.deliver({ type: 'dispatch' }))
    this.#schedulePoll()
  }

  addRequest(request: NewRequest, listener: (event: RequestEvent) => void = () => undefined): Promise<AddResult> {
    return new Promise((resolve) => {
      const taken = this.#mailbox.offer({ type: 'add', request, listener, answer: resolve })
      if (!taken) resolve(this.#refused(refusal('QUEUE_BUSY')))
    })
  }

  /** Tells the queue how an execution ended; one of an older attempt changes nothing. */
  completeRequest(requestId: string, attempt: number, outcome: AssistantOutcome): void {
    this.#mailbox.deliver({ type: 'complete', requestId, attempt, outcome })
  }

  cancel(requestId: string, reason: CancelReason = 'user'): Promise<TerminalStatus | undefined> {
    return new Promise((resolve) => {
      this.#mailbox.deliver({ type: 'cancel', requestId, reason, answer: resolve })
    })
  }

  position(userId: string): number | undefined {
    const active = this.#state.byUser(userId)
    return active && this.#state.position(active)
  }

  stats(): QueueStatistics {
    const { pool, settings, clock } = this.#options
    const gauges = {
      queueSize: this.#state.waiting,
      activeRequests: this.#state.running,
      maxQueueSize: settings.maxQueueSize,
      slots: { used: pool.slotsUsed, total: pool.slots },
    }
    return this.#counters.read(gauges, clock.now())
  }

  on(listener: (event: QueueEvent) => void): () => void {
    return this.#events.on(listener)
  }

  /**
   * Stops admitting, cancels what waits, gives what runs `graceMs` to end and cancels the rest.
   * Resolves when no request is active.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#poll?.cancel()
    this.#mailbox.deliver({ type: 'stop', running: graceMs === 0 })
    const grace = this.#options.clock.setTimeout(() => this.#mailbox.deliver({ type: 'stop', running: true }), graceMs)
    await new Promise<void>((resolve) => this.#idleListeners.push(resolve))
    grace.cancel()
  }

  #handle(message: QueueMessage): void {
    switch (message.type) {
      case 'add':
        return this.#add(message.request, message.listener, message.answer)
      case 'stored':
        return this.#stored(message.active, message.result, message.answer)
      case 'cancel':
        return this.#cancel(message.requestId, message.reason, message.answer)
      case 'progress':
        return this.#progress(message.requestId, message.attempt, message.event)
      case 'complete':
        return this.#complete(message.requestId, message.attempt, message.outcome)
      case 'requeued':
        return this.#requeued(message.active, message.result)
      case 'deadline':
        return this.#deadline(message.requestId)
      case 'stop':
        return this.#cancelAll(message.running)
      case 'dispatch':
        return
      default:
        return message satisfies never
    }
  }

  /** Whatever was handled may have freed a slot or put a request in line. */
  #afterBatch(): void {
    this.#dispatch()
    this.#events.tellPositions(this.#state.waiting)
    if (this.#stopping && this.#state.waiting + this.#state.running === 0) {
      for (const listener of this.#idleListeners.splice(0)) listener()
    }
  }

  #add(newRequest: NewRequest, listener: (event: RequestEvent) => void, answer: AddListener): void {
    const { settings, pool, clock, newId } = this.#options
    const { userId, discordMessageId } = newRequest
    const activeOfUser = this.#state.byUser(userId)
    const reason = refuse({
      message: newRequest.message,
      maxMessageLength: settings.maxMessageLength,
      stopping: this.#stopping,
      userIsActive: activeOfUser !== undefined,
      isReplay: discordMessageId !== null && activeOfUser?.request.discordMessageId === discordMessageId,
      waiting: this.#state.waiting,
      freeSlots: Math.max(0, pool.slots - pool.slotsUsed),
      maxQueueSize: settings.maxQueueSize,
    })
    if (reason) return answer(this.#refused(describeRefusal(reason, settings)))

    const request: ConversationRequest = {
      ...newRequest,
      id: newId(),
      timestamp: clock.now(),
      priority: 0,
      notBefore: null,
    }
    const active = this.#state.admit(request, { listener, onEnd: [] })
    void this.#journal
      .accepted(request)
      .then((result) => this.#mailbox.deliver({ type: 'stored', active, result, answer }))
  }

  #stored(active: ActiveRequest, result: AcceptResult | 'failed', answer: AddListener): void {
    if (result === 'duplicate') {
      this.#state.withdraw(active)
      for (const listener of active.attached.onEnd) listener(undefined)
      return answer(this.#refused(refusal('REQUEST_DUPLICATE')))
    }
    this.#state.enqueue(active)
    answer({ accepted: true, request: active.request, position: this.#state.position(active) })
    this.#announce(active)
    if (active.ending) this.#endEarly(active, active.ending)
  }

  #announce(active: ActiveRequest): void {
    this.#events.positionsChanged()
    this.#events.tell(active, { type: 'queued', position: this.#state.position(active), ...idOf(active) })
  }

  #dispatch(): void {
    const { pool, clock } = this.#options
    while (pool.slotsUsed < pool.slots) {
      const active = this.#state.startNext(clock.now())
      if (!active) return
      this.#events.positionsChanged()
      this.#start(active)
    }
  }

  #start(active: ActiveRequest): void {
    const { clock, settings } = this.#options
    const { requestId, attempt } = active
    active.attached.deadline ??= clock.setTimeout(
      () => this.#mailbox.deliver({ type: 'deadline', requestId }),
      settings.requestTimeoutMs,
    )
    this.#journal.started(requestId, attempt, clock.now())
    this.#events.tell(active, { type: 'started', requestId, attempt })
    void this.#run(active).then((outcome) => this.completeRequest(requestId, attempt, outcome))
  }

  /** A request that the pool does not take counts as one whose thread was lost. */
  async #run({ request, attached, requestId, attempt }: ActiveRequest): Promise<AssistantOutcome> {
    const onEvent = (event: AssistantEvent) => this.#mailbox.deliver({ type: 'progress', requestId, attempt, event })
    try {
      attached.run = this.#options.pool.run(request, attempt, onEvent)
      return await attached.run.outcome
    } catch (error) {
      return { type: 'lost', reason: errorMessage(error) }
    }
  }

  #progress(requestId: string, attempt: number, event: AssistantEvent): void {
    const active = this.#atWork(requestId, attempt)
    if (!active) return
    switch (event.type) {
      case 'delta':
        return this.#events.tell(active, { ...event, requestId, attempt })
      case 'reasoning':
        return this.#events.tell(active, { type: 'thinking', requestId, attempt })
      case 'modelRetry':
        return this.#options.log.warn({ requestId, attempt, call: event.call }, 'the model is called again')
      default:
        return event satisfies never
    }
  }

  #complete(requestId: string, attempt: number, outcome: AssistantOutcome): void {
    const active = this.#atWork(requestId, attempt)
    if (!active) return
    if (outcome.type !== 'lost') this.#counters.databaseCalls(outcome.database)
    switch (outcome.type) {
      case 'answered':
        return this.#succeed(active, outcome)
      case 'failed':
        return this.#fail(active, outcome.failure)
      case 'cancelled':
        return this.#endEarly(active, active.ending ?? 'user')
      case 'lost':
        return this.#lost(active, outcome.reason)
      default:
        return outcome satisfies never
    }
  }

  #lost(active: ActiveRequest, reason: string): void {
    const { requestId, attempt } = active
    this.#options.log.warn({ requestId, attempt, reason }, 'a request lost its thread')
    active.storing = true
    void this.#journal
      .requeued(requestId, attempt)
      .then((result) => this.#mailbox.deliver({ type: 'requeued', active, result }))
  }

  /** A thread can be lost after it committed its answer: then that answer is the answer. */
  #requeued(active: ActiveRequest, result: RequeueResult): void {
    active.storing = false
    if (result.type === 'answered') {
      const { answer: text } = result
      return this.#succeed(active, { text, parts: splitMessage(text), ...NOTHING_TO_NOTE })
    }
    if (active.ending) return this.#endEarly(active, active.ending)
    if (active.attempt >= this.#options.settings.maxAttempts) return this.#fail(active, THREAD_LOST)
    this.#counters.totalRetried++
    this.#state.putBack(active)
    this.#announce(active)
  }

  #cancel(requestId: string, reason: CancelReason, answer: EndListener): void {
    const active = this.#state.byId(requestId)
    if (!active) return answer(undefined)
    active.attached.onEnd.push(answer)
    this.#stopEarly(active, reason)
  }

  #cancelAll(running: boolean): void {
    for (const active of [...this.#state.active]) {
      if (running || active.status === 'QUEUED') this.#stopEarly(active, 'shutdown')
    }
  }

  #deadline(requestId: string): void {
    const active = this.#state.byId(requestId)
    if (active) this.#stopEarly(active, 'timeout')
  }

  /** Ends a waiting request at once; one that runs or is being stored ends when that is over. */
  #stopEarly(active: ActiveRequest, ending: Ending): void {
    active.ending ??= ending
    if (active.storing) return
    if (active.status === 'QUEUED') this.#endEarly(active, active.ending)
    else this.#cancelRun(active)
  }

  #cancelRun({ requestId, attached }: ActiveRequest): void {
    try {
      attached.run?.cancel()
    } catch (error) {
      this.#options.log.error({ requestId, error: errorMessage(error) }, 'a run could not be asked to stop')
    }
  }

  #endEarly(active: ActiveRequest, ending: Ending): void {
    if (ending === 'timeout') return this.#fail(active, timedOut(this.#options.settings.requestTimeoutMs))
    const code = ending === 'shutdown' ? 'REQUEST_INTERRUPTED' : 'REQUEST_CANCELLED'
    this.#journalEnd(active, 'CANCELLED', code)
    this.#end(active, 'CANCELLED', { type: 'cancelled', reason: ending, ...idOf(active) })
  }

  #fail(active: ActiveRequest, failure: Failure): void {
    this.#options.log.warn({ ...idOf(active), code: failure.code, detail: failure.detail }, 'a request failed')
    this.#journalEnd(active, 'FAILED', failure.code)
    this.#end(active, 'FAILED', { type: 'failed', failure, ...idOf(active) })
  }

  /** Its worker has stored the end of an answered request together with the turn. */
  #succeed(active: ActiveRequest, { text: answer, parts, stopReason, trimmedMessages, stored }: Answer): void {
    this.#counters.trimmedMessages += trimmedMessages
    const told = { answer, parts, stopReason, trimmedMessages, stored }
    this.#end(active, 'COMPLETED', { type: 'completed', ...told, ...idOf(active) })
  }

  #journalEnd({ requestId, attempt }: ActiveRequest, status: 'FAILED' | 'CANCELLED', code: ErrorCode): void {
    this.#journal.ended(requestId, attempt, status, code, this.#options.clock.now())
  }

  #end(active: ActiveRequest, status: TerminalStatus, event: RequestEvent): void {
    const { acceptedAt, startedAt, attached } = active
    attached.deadline?.cancel()
    if (active.status === 'QUEUED') this.#events.positionsChanged()
    this.#state.end(active, status)
    this.#counters.ended(status, { acceptedAt, startedAt, endedAt: this.#options.clock.now() })
    this.#events.tell(active, event)
    for (const listener of attached.onEnd) listener(status)
  }

  /** The request, if this attempt of it is the one at work; what comes from another is late and counted. */
  #atWork(requestId: string, attempt: number): ActiveRequest | undefined {
    const active = this.#state.byId(requestId)
    if (active?.status === 'PROCESSING' && active.attempt === attempt && !active.storing) return active
    this.#counters.lateEvents++
    return undefined
  }

  /** A mistake of ours in handling one message ends the request it is about with a notice; the others go on. */
  #broke(error: unknown, message: QueueMessage | undefined): void {
    const type = message?.type ?? 'dispatch'
    this.#options.log.error({ type, error: errorMessage(error) }, 'the queue could not handle a message')
    if (message === undefined) return
    if (message.type === 'add') return message.answer(this.#refused(NOT_TAKEN_IN))
    const active = this.#concerned(message)
    if (!active) return
    if (message.type === 'stored') message.answer({ accepted: true, request: active.request, position: 0 })
    this.#cancelRun(active)
    this.#fail(active, BROKEN)
  }

  #concerned(message: QueueMessage): ActiveRequest | undefined {
    if ('active' in message) return this.#state.byId(message.active.requestId)
    return 'requestId' in message ? this.#state.byId(message.requestId) : undefined
  }

  #refused(refused: Refusal): AddResult {
    this.#counters.rejected(refused.code)
    return { accepted: false, refusal: refused }
  }

  #schedulePoll(): void {
    this.#poll = this.#options.clock.setTimeout(() => {
      this.#mailbox.deliver({ type: 'dispatch' })
      this.#schedulePoll()
    }, this.#options.settings.pollIntervalMs)
  }
}

/** What is not known any more about an answer whose worker was lost. */
const NOTHING_TO_NOTE = { stopReason: 'end', trimmedMessages: 0, stored: true } as const

function idOf({ requestId, attempt }: ActiveRequest): { requestId: string; attempt: number } {
  return { requestId, attempt }
}
