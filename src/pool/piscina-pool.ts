import { MessageChannel, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Clock, Timer } from '#actors/clock.ts'
import { heapLimits } from '#actors/heap-limits.ts'
import type { Log } from '#actors/log.ts'
import { RestartLimit } from '#actors/restart-limit.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { AssistantEvent, AssistantOutcome, AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'
import type { AssistantPool, AssistantRun } from '#protocol/pool.ts'
import { Execution } from './execution.ts'

export interface PoolOptions {
  /** The file that each thread runs. */
  readonly entry: string
  readonly size: number
  /** Requests a thread works on at the same time. */
  readonly concurrency: number
  /**
   * The JavaScript heap of one thread. One that outgrows it step by step is replaced; V8 ends the whole process
   * when it needs too much at once.
   */
  readonly maxHeapMiB: number
  /** How long a thread may take to answer a cancel before it counts as wedged and is ended. */
  readonly cancelGraceMs: number
  /** How long to wait before threads that could not be started are started again. */
  readonly errorRecoveryDelayMs: number
  readonly historyLimit: number
  readonly thread: AssistantThreadData
  readonly clock: Clock
  readonly log: Log
  /** Threads die faster than it makes sense to start new ones. */
  readonly onGivenUp: (error: ParleyError) => void
}

/** A thread that takes requests, and those it works on. */
interface PoolThread {
  readonly piscina: Piscina
  readonly worker: Worker
  readonly executions: Set<Execution>
  /** Takes no more requests: it is about to end, or belongs to a Piscina that was replaced. */
  retired: boolean
  /** Ended from outside, because it did not react. */
  wedged: boolean
}

/** How often the threads may be started anew within ten minutes. */
const MAX_RESTARTS = 10
const RESTART_WINDOW_MS = 10 * 60_000

/** What waits in Piscina is in no thread, so no cancel reaches it: better lost and tried again. */
const NO_QUEUE = {
  size: 0,
  push: (): never => {
    throw new Error('the thread chosen for the request has ended')
  },
  shift: () => null,
  remove: () => undefined,
}

/**
 * The assistant pool: Piscina's threads, and which request is at work in which of them.
 *
 * The pool chooses the thread of each request; Piscina hands it over at once or not at all.
 * Piscina replaces threads that die; when it gives that up (it does after a failed start), the pool
 * replaces Piscina.
 */
export class PiscinaPool implements AssistantPool {
  readonly #options: PoolOptions
  readonly #threads = new Map<number, PoolThread>()
  readonly #listeners: (() => void)[] = []
  readonly #restarts: RestartLimit
  #piscina: Piscina
  /** The thread that Piscina gives the next task to. */
  #chosenId: number | undefined
  #check: Timer | undefined
  /** Stopped or given up: no more threads are started. */
  #over = false
  #stopping: Promise<void> | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    this.#restarts = new RestartLimit({
      maxRestarts: MAX_RESTARTS,
      windowMs: RESTART_WINDOW_MS,
      now: () => options.clock.now(),
    })
    this.#piscina = this.#open()
  }

  get slots(): number {
    return this.#serving.length * this.#options.concurrency
  }

  get slotsUsed(): number {
    return this.#serving.reduce((sum, thread) => sum + thread.executions.size, 0)
  }

  run(request: ConversationRequest, attempt: number, onEvent: (event: AssistantEvent) => void): AssistantRun {
    const thread = this.#leastBusy()
    if (!thread) throw new Error('expected a free slot')
    const { port1, port2 } = new MessageChannel()
    const { historyLimit, clock, cancelGraceMs, thread: data } = this.#options
    const result = this.#hand({ request, attempt, historyLimit, port: port2 }, thread)
    const onWedged = () => this.#endWedged(thread)
    const stopGraceMs = cancelGraceMs + data.databaseCallTimeoutMs
    const execution = new Execution({ port: port1, result, onEvent, clock, cancelGraceMs, stopGraceMs, onWedged })
    this.#track(thread, execution)
    return execution
  }

  onSlotsChanged(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Ends all threads; what still runs in them is lost. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#over = true
    this.#check?.cancel()
    const piscinas = new Set([this.#piscina, ...[...this.#threads.values()].map((thread) => thread.piscina)])
    await Promise.all([...piscinas].map(close))
  }

  get #serving(): PoolThread[] {
    return [...this.#threads.values()].filter((thread) => !thread.retired)
  }

  #leastBusy(): PoolThread | undefined {
    let best: PoolThread | undefined
    for (const thread of this.#serving) {
      if (thread.executions.size >= this.#options.concurrency) continue
      if (!best || thread.executions.size < best.executions.size) best = thread
    }
    return best
  }

  /** Rejects when the task or its thread breaks. */
  async #hand(task: AssistantTask, { piscina, worker }: PoolThread): Promise<AssistantOutcome> {
    this.#chosenId = worker.threadId
    return piscina.run(task, { transferList: [task.port] })
  }

  #open(): Piscina {
    const { entry, size, concurrency, maxHeapMiB, thread } = this.#options
    const piscina = new Piscina({
      filename: entry,
      minThreads: size,
      maxThreads: size,
      concurrentTasksPerWorker: concurrency,
      // The default would freeze an idle thread's event loop, and with it its ports, timers and sockets.
      atomics: 'disabled',
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      resourceLimits: heapLimits(maxHeapMiB),
      workerData: thread,
      taskQueue: NO_QUEUE,
      loadBalancer: (_task, workers) => workers.find(({ id }) => id === this.#chosenId) ?? null,
    })
    this.#watch(piscina)
    return piscina
  }

  #watch(piscina: Piscina): void {
    // Piscina announces its first threads while they still start; their first message is that they have.
    const first = new Set(piscina.threads)
    for (const worker of first) worker.once('message', () => this.#threadReady(piscina, worker))
    piscina.on('workerCreate', ({ id }: { id: number }) => {
      const worker = piscina.threads.find((candidate) => candidate.threadId === id)
      if (worker && !first.has(worker)) this.#threadReady(piscina, worker)
    })
    piscina.on('workerDestroy', () => this.#checkLater(piscina))
    piscina.on('error', (error: unknown) =>
      this.#options.log.error({ error: errorMessage(error) }, 'a pool thread failed'),
    )
  }

  #threadReady(piscina: Piscina, worker: Worker): void {
    const { threadId } = worker
    const retired = piscina !== this.#piscina
    const thread: PoolThread = { piscina, worker, executions: new Set(), retired, wedged: false }
    this.#threads.set(threadId, thread)
    // From then on Piscina gives it nothing more; it ends only later.
    worker.once('error', () => {
      thread.retired = true
    })
    worker.once('exit', (code) => this.#threadGone(threadId, code))
    this.#changed()
  }

  #threadGone(threadId: number, exitCode: number): void {
    this.#threads.delete(threadId)
    if (this.#over) return
    this.#options.log.warn({ threadId, exitCode }, 'a pool thread ended')
    this.#changed()
  }

  #checkLater(piscina: Piscina): void {
    if (this.#over || piscina !== this.#piscina) return
    this.#check ??= this.#options.clock.setTimeout(() => this.#replaceIfShort(), this.#options.errorRecoveryDelayMs)
  }

  #track(thread: PoolThread, execution: Execution): void {
    thread.executions.add(execution)
    void execution.outcome.then(() => {
      thread.executions.delete(execution)
      this.#closeIfReplaced(thread.piscina)
      this.#changed()
    })
  }

  /** The only case in which a thread is ended from outside: its other requests are lost and retried. */
  #endWedged(thread: PoolThread): void {
    if (thread.wedged) return
    thread.wedged = true
    thread.retired = true
    const { threadId } = thread.worker
    this.#options.log.error({ threadId, requests: thread.executions.size }, 'a pool thread does not react and is ended')
    void thread.worker.terminate()
  }

  /** Piscina stops replacing threads once one failed while starting. */
  #replaceIfShort(): void {
    this.#check = undefined
    const { log, size } = this.#options
    const threads = this.#piscina.threads.length
    if (threads >= size) return
    if (!this.#restarts.allow()) return this.#giveUp()
    log.warn({ threads, expected: size }, 'starting the assistant threads anew')
    const replaced = this.#piscina
    for (const thread of this.#threads.values()) thread.retired = true
    this.#piscina = this.#open()
    this.#closeIfReplaced(replaced)
  }

  #giveUp(): void {
    this.#over = true
    const message = `The assistant threads failed ${MAX_RESTARTS} times within ten minutes. Parley stops; the log above says why they failed.`
    this.#options.onGivenUp(new ParleyError('RESTART_LIMIT_REACHED', message))
  }

  /** A replaced Piscina lives on until its last request has ended. */
  #closeIfReplaced(piscina: Piscina): void {
    if (piscina === this.#piscina) return
    const busy = [...this.#threads.values()].some((thread) => thread.piscina === piscina && thread.executions.size > 0)
    if (!busy) void close(piscina)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** Ends a Piscina and its threads. */
function close(piscina: Piscina): Promise<void> {
  // Else it starts a new thread for each one that is still ending when `destroy` has resolved.
  piscina.options.minThreads = 0
  return piscina.destroy()
}
