import type { Timer } from '#actors/clock.ts'
import { Mailbox } from '#actors/mailbox.ts'
import { errorMessage } from '#domain/errors.ts'
import { BROKEN } from '#domain/failure.ts'
import { FairShares, type FairState } from '#domain/fair-shares.ts'
import { FairOrder } from '#domain/order.ts'
import type { TerminalStatus } from '#domain/request.ts'
import { estimateWaitMs } from '#domain/wait-estimate.ts'
import type { AssistantOutcome } from '#protocol/assistant.ts'
import type {
  ActiveFacts,
  AddResult,
  Amendment,
  AmendResult,
  CancelReason,
  NewRequest,
  QueueEvent,
  QueueMode,
  QueueStatistics,
  RequestEvent,
  RequestQueue,
  WaitOutlook,
} from '#protocol/queue.ts'
import { DispatchGate } from './dispatch-gate.ts'
import { EarlyEndings } from './early-endings.ts'
import { INTERRUPTED } from './failures.ts'
import type { QueueCore } from './queue-core.ts'
import { QueueEvents } from './queue-events.ts'
import type { QueueMessage } from './queue-message.ts'
import type { QueueOptions } from './queue-options.ts'
import { type ActiveRequest, type Admitted, QueueState } from './queue-state.ts'
import { QueueCounters } from './queue-statistics.ts'
import { NOT_TAKEN_IN, refusal } from './refusals.ts'
import { RequestAmendments } from './request-amendments.ts'
import { RequestEndings } from './request-endings.ts'
import { RequestIntake } from './request-intake.ts'
import { RequestJournal } from './request-journal.ts'
import { RequestRetries } from './request-retries.ts'
import { RequestRuns } from './request-runs.ts'

/**
 * The queue actor: takes messages in, decides when each runs, hands it to the pool, sees it end.
 *
 * The only writer of who is active, of capacity, order and status. Everything reaches it through one
 * mailbox; each message is a decision over `QueueState`, followed by its effects (tell the database,
 * start a run, notify). A running request ends only through its run's outcome, which the pool
 * promises to give, so there is one way out: `RequestEndings`.
 */
export class ConversationQueue implements RequestQueue {
  readonly #options: QueueOptions
  readonly #core: QueueCore
  readonly #state: QueueState
  readonly #intake: RequestIntake
  readonly #endings: RequestEndings
  readonly #runs: RequestRuns
  readonly #retries: RequestRetries
  readonly #early: EarlyEndings
  readonly #amendments: RequestAmendments
  readonly #mailbox: Mailbox<QueueMessage>
  readonly #idleListeners: (() => void)[] = []
  /** False from `restore` to `open`: nothing runs. */
  #isOpen = true
  #stopping = false
  #poll: Timer | undefined

  constructor(options: QueueOptions) {
    const { store, clock, log, settings } = options
    const counters = new QueueCounters()
    this.#options = options
    const shares = new FairShares()
    const fairOrder = new FairOrder<ActiveRequest>(shares, settings.maxWaitMs ?? undefined)
    this.#state = new QueueState(options.order ?? fairOrder, shares)
    this.#core = {
      options,
      state: this.#state,
      counters,
      journal: new RequestJournal({ store, clock, log, onCalls: (calls) => counters.databaseCalls(calls) }),
      events: new QueueEvents(log),
      untold: new Set(),
      gate: new DispatchGate(options, () => this.#mailbox.deliver({ type: 'dispatch' })),
      deliver: (message) => this.#mailbox.deliver(message),
    }
    this.#intake = new RequestIntake(this.#core)
    this.#endings = new RequestEndings(this.#core)
    this.#runs = new RequestRuns(this.#core)
    this.#retries = new RequestRetries(this.#core, this.#endings)
    this.#early = new EarlyEndings(this.#core, this.#endings, this.#runs, this.#retries)
    this.#amendments = new RequestAmendments(this.#core)
    this.#mailbox = new Mailbox({
      capacity: settings.mailboxSize,
      handle: (message) => this.#handle(message),
      afterBatch: () => this.#afterBatch(),
      onError: (error, message) => this.#broke(error, message),
    })
    options.pool.onSlotsChanged(() => this.#mailbox.deliver({ type: 'dispatch' }))
    this.#schedulePoll()
  }

  /**
   * Puts requests of an earlier process in line, in this order, before anything else. From then on messages are taken
   * in, but nothing runs, and of these nothing is told, until `open`.
   */
  restore(requests: readonly Admitted[], fair?: FairState): void {
    if (fair) this.#state.restoreShares(fair)
    for (const admitted of requests) this.#core.untold.add(this.#intake.restore(admitted))
    this.#isOpen = false
  }

  /** Ends what `restore` began: what waits is told about and runs. */
  open(): void {
    this.#mailbox.deliver({ type: 'open' })
  }

  addRequest(request: NewRequest, listener: (event: RequestEvent) => void = () => undefined): Promise<AddResult> {
    return new Promise((resolve) => {
      const taken = this.#mailbox.offer({ type: 'add', request, listener, answer: resolve })
      if (!taken) resolve(this.#intake.refused(refusal('QUEUE_BUSY')))
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

  stopAndKeep(requestId: string): Promise<TerminalStatus | undefined> {
    return new Promise((resolve) => this.#mailbox.deliver({ type: 'stopAndKeep', requestId, answer: resolve }))
  }

  amend(requestId: string, amendment: Amendment, discordMessageId: string): Promise<AmendResult> {
    return new Promise((answer) =>
      this.#mailbox.deliver({ type: 'amend', requestId, amendment, discordMessageId, answer }),
    )
  }

  active(userId: string): ActiveFacts | undefined {
    const active = this.#state.byUser(userId)
    if (!active) return undefined
    const { requestId, request, acceptedAt, startedAt, ending } = active
    const { serverId, channelId } = request
    const waiting = this.#state.isInLine(active) && !ending
    return { requestId, serverId, channelId, waiting, position: this.#state.position(active), acceptedAt, startedAt }
  }

  position(userId: string): number | undefined {
    const active = this.#state.byUser(userId)
    return active && this.#state.position(active)
  }

  outlook(place: number): WaitOutlook {
    const { clock, settings } = this.#options
    const { heldUp, places } = this.#core.gate
    const processing = this.#core.counters.meanProcessing(clock.now())
    const { waiting } = this.#state
    if (heldUp) return { waiting, waitMs: null, heldUp }
    const waitMs = estimateWaitMs({ place, slots: places, processing }) ?? null
    return { waiting, waitMs, ...(place - 1 > settings.warnAbove && { crowded: true }) }
  }

  /** Places that are free for somebody of a tier; of a tier that is not named, for somebody of the one that has most. */
  room(tier?: string): number {
    return this.#intake.room(tier)
  }

  stats(): QueueStatistics {
    const { pool, settings, clock } = this.#options
    const { gate } = this.#core
    const gauges = {
      mode: gate.mode,
      model: gate.health,
      queueSize: this.#state.waiting,
      activeRequests: this.#state.running,
      maxQueueSize: settings.maxQueueSize,
      slots: { used: pool.slotsUsed, total: pool.slots },
      storage: this.#core.journal.storage,
    }
    return this.#core.counters.read(gauges, clock.now())
  }

  setMode(mode: QueueMode): Promise<void> {
    return new Promise((answer) => this.#mailbox.deliver({ type: 'mode', mode, answer }))
  }

  on(listener: (event: QueueEvent) => void): () => void {
    return this.#core.events.on(listener)
  }

  /**
   * Stops admitting, keeps what waits for the next process, gives what runs `graceMs` to end and stops the rest. What
   * is not in the file is cancelled. Resolves when no request is active.
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    this.#poll?.cancel()
    this.#mailbox.deliver({ type: 'stop', running: graceMs === 0 })
    const grace = this.#options.clock.setTimeout(() => this.#mailbox.deliver({ type: 'stop', running: true }), graceMs)
    await new Promise<void>((resolve) => this.#idleListeners.push(resolve))
    grace.cancel()
    await this.#core.journal.stop()
  }

  #handle(message: QueueMessage): void {
    switch (message.type) {
      case 'add':
        return this.#intake.add(message.request, message.listener, message.answer, { stopping: this.#stopping })
      case 'stored':
        this.#intake.stored(message)
        return this.#early.ifWanted(message.active)
      case 'cancel':
        return this.#early.cancel(message.requestId, message.reason, message.answer)
      case 'amend':
        return this.#amendments.begin(message.requestId, message.amendment, message.discordMessageId, message.answer)
      case 'amended':
        this.#amendments.stored(message.active, message.message, message.result, message.answer)
        return this.#early.ifWanted(message.active)
      case 'stopAndKeep':
        return this.#runs.stopAndKeep(message.requestId, message.answer)
      case 'progress':
        return this.#runs.progress(message.requestId, message.attempt, message.event)
      case 'complete':
        return this.#complete(message.requestId, message.attempt, message.outcome)
      case 'requeued':
        return this.#retries.requeued(message.active, message.result, message.failure, message.heldUp)
      case 'retryDue':
        return this.#retries.due(message.active)
      case 'mode':
        this.#changeMode(message.mode)
        return message.answer()
      case 'open':
        return this.#open()
      case 'deadline':
        return this.#early.deadline(message.requestId)
      case 'stop':
        return this.#early.all(message)
      case 'dispatch':
        return
      default:
        return message satisfies never
    }
  }

  /** Whatever was handled may have freed a slot or put a request in line. */
  #afterBatch(): void {
    if (this.#state.advance(this.#options.clock.now())) this.#core.events.positionsChanged()
    if (this.#isOpen) this.#runs.dispatch()
    this.#core.events.tellPositions(this.#state.waiting)
    if (this.#stopping && this.#state.waiting + this.#state.running === 0) {
      for (const listener of this.#idleListeners.splice(0)) listener()
    }
  }

  #changeMode(mode: QueueMode): void {
    this.#core.gate.mode = mode
    this.#options.log.info({ mode }, 'the mode of the queue was set')
  }

  #open(): void {
    const { untold } = this.#core
    const restored = [...untold]
    untold.clear()
    this.#isOpen = true
    for (const active of restored) {
      this.#intake.announce(active, { restored: true })
      if (active.ending) this.#endings.early(active, active.ending)
      else if (active.attempt >= this.#options.settings.maxAttempts) this.#endings.fail(active, INTERRUPTED)
    }
  }

  #complete(requestId: string, attempt: number, outcome: AssistantOutcome): void {
    const active = this.#runs.atWork(requestId, attempt)
    if (!active) return
    if (outcome.type !== 'lost') this.#core.counters.databaseCalls(outcome.database)
    switch (outcome.type) {
      case 'answered':
        return this.#endings.answered(active, outcome)
      case 'failed':
        return this.#retries.failed(active, outcome.failure)
      case 'cancelled':
        return this.#early.obeyed(active)
      case 'lost':
        return this.#retries.lost(active, outcome.reason)
      default:
        return outcome satisfies never
    }
  }

  /** A mistake of ours in handling one message ends the request it is about with a notice; the others go on. */
  #broke(error: unknown, message: QueueMessage | undefined): void {
    const type = message?.type ?? 'dispatch'
    this.#options.log.error({ type, error: errorMessage(error) }, 'the queue could not handle a message')
    if (message === undefined) return
    if (message.type === 'add') return message.answer(this.#intake.refused(NOT_TAKEN_IN))
    if (message.type === 'amend' || message.type === 'amended') message.answer('notStored')
    const active = this.#concerned(message)
    if (!active) return
    if (message.type === 'stored') message.answer({ accepted: true, request: active.request, position: 0 })
    this.#runs.cancel(active)
    this.#endings.fail(active, BROKEN)
  }

  #concerned(message: QueueMessage): ActiveRequest | undefined {
    if ('active' in message) return this.#state.byId(message.active.requestId)
    return 'requestId' in message ? this.#state.byId(message.requestId) : undefined
  }

  #schedulePoll(): void {
    this.#poll = this.#options.clock.setTimeout(() => {
      this.#mailbox.deliver({ type: 'dispatch' })
      this.#schedulePoll()
    }, this.#options.settings.pollIntervalMs)
  }
}
