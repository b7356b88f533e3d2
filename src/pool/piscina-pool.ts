import { MessageChannel, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Clock, Timer } from '#actors/clock.ts'
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
  /** The JavaScript heap of one thread; a thread that outgrows it is replaced. */
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
  /** Takes no more requests: it is wedged, or belongs to a Piscina that was replaced. */
  retired: boolean
}

/** How often the threads may be started anew within ten minutes. */
const MAX_RESTARTS = 10
const RESTART_WINDOW_MS = 10 * 60_000

/**
 * The assistant pool: Piscina's threads, and which request is at work in which of them.
 *
 * Requests are handed over only while a thread has a free place, so Piscina's own queue stays empty.
 * Piscina replaces threads that die; when it gives that up (it does after a failed start), the pool
 * replaces Piscina.
 */
export class PiscinaPool implements AssistantPool {
  readonly #options: PoolOptions
  readonly #threads = new Map<number, PoolThread>()
  readonly #listeners: (() => void)[] = []
  readonly #restarts: RestartLimit
  #piscina: Piscina
  #chosen: PoolThread | undefined
  #check: Timer | undefined
  #stopped = false

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
    if (this.slotsUsed >= this.slots) throw new Error('expected a free slot')
    const { port1, port2 } = new MessageChannel()
    const { historyLimit, clock, cancelGraceMs } = this.#options
    const task: AssistantTask = { request, attempt, historyLimit, port: port2 }
    this.#chosen = undefined
    const result: Promise<AssistantOutcome> = this.#piscina.run(task, { transferList: [port2] })
    const thread: PoolThread | undefined = this.#chosen
    const onWedged = () => thread && this.#endWedged(thread)
    const execution = new Execution({ port: port1, result, onEvent, clock, cancelGraceMs, onWedged })
    if (thread) this.#track(thread, execution)
    return execution
  }

  onSlotsChanged(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Ends all threads; what still runs in them is lost. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#check?.cancel()
    const piscinas = new Set([this.#piscina, ...[...this.#threads.values()].map((thread) => thread.piscina)])
    await Promise.all([...piscinas].map((piscina) => piscina.destroy()))
  }

  get #serving(): PoolThread[] {
    return [...this.#threads.values()].filter((thread) => !thread.retired)
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
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
      workerData: thread,
      loadBalancer: (_task, workers) => this.#choose(workers),
    })
    piscina.on('workerCreate', ({ id }: { id: number }) => this.#threadReady(piscina, id))
    piscina.on('error', (error: unknown) =>
      this.#options.log.error({ error: errorMessage(error) }, 'a pool thread failed'),
    )
    return piscina
  }

  /** The least busy thread; remembered, since Piscina does not tell which thread runs what. */
  #choose<W extends { readonly id: number }>(workers: readonly W[]): W | null {
    let best: W | null = null
    for (const worker of workers) {
      const thread = this.#threads.get(worker.id)
      if (!thread || thread.retired || thread.executions.size >= this.#options.concurrency) continue
      if (this.#chosen && thread.executions.size >= this.#chosen.executions.size) continue
      best = worker
      this.#chosen = thread
    }
    return best
  }

  #threadReady(piscina: Piscina, id: number): void {
    const worker = piscina.threads.find((candidate) => candidate.threadId === id)
    if (!worker) return
    this.#threads.set(id, { piscina, worker, executions: new Set(), retired: piscina !== this.#piscina })
    worker.once('exit', (code) => this.#threadGone(id, code))
    this.#changed()
  }

  #threadGone(id: number, code: number): void {
    this.#threads.delete(id)
    if (this.#stopped) return
    this.#options.log.warn({ threadId: id, exitCode: code }, 'a pool thread ended')
    this.#changed()
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
    const { threadId } = thread.worker
    this.#options.log.error({ threadId, requests: thread.executions.size }, 'a pool thread does not react and is ended')
    thread.retired = true
    void thread.worker.terminate()
  }

  /** Piscina stops replacing threads once one failed while starting. */
  #replaceIfShort(): void {
    this.#check = undefined
    if (this.#stopped || this.#piscina.threads.length >= this.#options.size) return
    if (!this.#restarts.allow()) {
      const message = `The assistant threads failed ${MAX_RESTARTS} times within ten minutes. Parley stops; the log above says why they failed.`
      return this.#options.onGivenUp(new ParleyError('RESTART_LIMIT_REACHED', message))
    }
    this.#options.log.warn(
      { threads: this.#piscina.threads.length, expected: this.#options.size },
      'starting the assistant threads anew',
    )
    const replaced = this.#piscina
    for (const thread of this.#threads.values()) thread.retired = true
    this.#piscina = this.#open()
    this.#closeIfReplaced(replaced)
    this.#check = this.#options.clock.setTimeout(() => this.#replaceIfShort(), this.#options.errorRecoveryDelayMs)
  }

  /** A replaced Piscina lives on until its last request has ended. */
  #closeIfReplaced(piscina: Piscina): void {
    if (piscina === this.#piscina) return
    const busy = [...this.#threads.values()].some((thread) => thread.piscina === piscina && thread.executions.size > 0)
    if (!busy) void piscina.destroy()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
