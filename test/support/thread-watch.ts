import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'

const CHANNEL = 'worker_threads'

/** Sees every worker thread that this thread starts, whoever starts it. */
export class ThreadWatch {
  /** All threads since the start of the watch. */
  started = 0
  readonly #alive = new Set<Worker>()
  readonly #waiting = new Set<() => void>()
  readonly #onWorker = (message: unknown): void => {
    const { worker } = message as { worker: Worker }
    this.started += 1
    this.#alive.add(worker)
    worker.once('exit', () => this.#ended(worker))
  }

  constructor() {
    subscribe(CHANNEL, this.#onWorker)
  }

  /** The threads that were started since and have not ended. */
  get alive(): number {
    return this.#alive.size
  }

  /** Resolves once so many of them are left. */
  untilAlive(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.alive !== count) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  [Symbol.dispose](): void {
    unsubscribe(CHANNEL, this.#onWorker)
  }

  #ended(worker: Worker): void {
    this.#alive.delete(worker)
    for (const look of [...this.#waiting]) look()
  }
}
