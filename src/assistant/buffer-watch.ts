import type { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '#actors/clock.ts'

export interface BufferWatchOptions {
  readonly clock: Clock
  /** Of what the thread holds outside of its JavaScript heap. */
  readonly maxBytes: number
  readonly onTooMuch: () => void
}

/** Short beside the time in which a thread fills a few hundred MiB. */
const LOOK_AGAIN_MS = 100

/** Looks again and again at the buffers of a thread, also while it works without a pause: V8 limits the heap alone. */
export class BufferWatch {
  readonly #thread: Worker
  readonly #options: BufferWatchOptions
  #timer: Timer | undefined
  #ended = false

  constructor(thread: Worker, options: BufferWatchOptions) {
    this.#thread = thread
    this.#options = options
    this.#lookLater()
  }

  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  #lookLater(): void {
    if (!this.#ended) this.#timer = this.#options.clock.setTimeout(() => void this.#look(), LOOK_AGAIN_MS)
  }

  async #look(): Promise<void> {
    // Rejects while the thread starts.
    const held = await this.#thread.getHeapStatistics().catch(() => undefined)
    if (this.#ended) return
    if (held && held.external_memory > this.#options.maxBytes) this.#options.onTooMuch()
    else this.#lookLater()
  }
}
