import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Clock, Timer } from '#actors/clock.ts'
import { errorMessage } from '#domain/errors.ts'
import type { AssistantCommand, AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AssistantRun } from '#protocol/pool.ts'

export interface ExecutionOptions {
  /** Our end of the request's channel. */
  readonly port: MessagePort
  /** What the thread returns; rejects when the thread is lost. */
  readonly result: Promise<AssistantOutcome>
  readonly onEvent: (event: AssistantEvent) => void
  readonly clock: Clock
  /** How long the thread may take to answer a cancel. */
  readonly cancelGraceMs: number
  /** How long it may take to answer a stop: what is kept is stored first, and the database has its time for that. */
  readonly stopGraceMs: number
  /** The thread has not answered in time; ending it must reject `result`. */
  readonly onWedged: () => void
}

/** One request at work in one thread. */
export class Execution implements AssistantRun {
  readonly outcome: Promise<AssistantOutcome>
  readonly #options: ExecutionOptions
  #grace: Timer | undefined
  #ended = false

  constructor(options: ExecutionOptions) {
    this.#options = options
    options.port.on('message', (event: AssistantEvent) => options.onEvent(event))
    this.outcome = this.#run()
  }

  cancel(): void {
    this.#end({ type: 'cancel' }, this.#options.cancelGraceMs)
  }

  stopAndKeep(): void {
    this.#end({ type: 'stop' }, this.#options.stopGraceMs)
  }

  /** The first command stands, and has to be answered in time. */
  #end(command: AssistantCommand, graceMs: number): void {
    if (this.#ended || this.#grace) return
    const { port, clock, onWedged } = this.#options
    port.postMessage(command)
    this.#grace = clock.setTimeout(onWedged, graceMs)
  }

  async #run(): Promise<AssistantOutcome> {
    try {
      return await this.#options.result
    } catch (error) {
      return { type: 'lost', reason: errorMessage(error) }
    } finally {
      this.#ended = true
      this.#grace?.cancel()
      this.#tellTheRest()
      this.#options.port.close()
    }
  }

  /** The result comes over another port and may overtake the events that were posted before it. */
  #tellTheRest(): void {
    const { port, onEvent } = this.#options
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) onEvent(next.message)
  }
}
