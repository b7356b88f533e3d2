import { Worker } from 'node:worker_threads'
import type { Clock } from '#actors/clock.ts'
import { heapLimits } from '#actors/heap-limits.ts'
import type { PdfResult, PdfThreadData } from '#protocol/pdf.ts'
import { BufferWatch } from './buffer-watch.ts'
import { cancelledError } from './model-client.ts'

export interface PdfReaderOptions {
  readonly clock: Clock
  /** How long one PDF may take. */
  readonly timeoutMs: number
  /** The thread's entry; tests pass one that never ends. */
  readonly entry?: URL
}

const ENTRY = new URL('../../workers/pdf.ts', import.meta.url)

/** Of JavaScript heap, and once more of buffers; a PDF of a few MiB can unpack to a thousand times as much. */
const MAX_MIB = 256

const TOO_SLOW: PdfResult = { type: 'unreadable', reason: 'a PDF that takes too long to read' }
const TOO_MUCH: PdfResult = { type: 'unreadable', reason: 'a PDF that takes too much memory to read' }

/**
 * Reads PDFs, each in a thread of its own: somebody else has made them, and one that would take for ever, or too much
 * memory, is ended with its thread and not with the answers that are written beside it. One at a time.
 */
export class PdfReader {
  readonly #options: PdfReaderOptions
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: PdfReaderOptions) {
    this.#options = options
  }

  /** Rejects only when the signal ends it. */
  read(data: PdfThreadData, signal: AbortSignal): Promise<PdfResult> {
    const reading = this.#last.then(() => this.#read(data, signal))
    this.#last = reading.catch(() => undefined)
    return reading
  }

  async #read(workerData: PdfThreadData, signal: AbortSignal): Promise<PdfResult> {
    if (signal.aborted) throw cancelledError()
    const { clock, timeoutMs, entry = ENTRY } = this.#options
    const resourceLimits = heapLimits(MAX_MIB)
    const thread = new Worker(entry, { workerData, resourceLimits, execArgv: [], stdout: true, stderr: true })
    const result = Promise.withResolvers<PdfResult>()
    const onAbort = () => result.reject(cancelledError())
    const onTooMuch = () => result.resolve(TOO_MUCH)
    const watch = new BufferWatch(thread, { clock, maxBytes: MAX_MIB * 1024 * 1024, onTooMuch })
    const timer = clock.setTimeout(() => result.resolve(TOO_SLOW), timeoutMs)
    signal.addEventListener('abort', onAbort)
    thread.once('message', result.resolve)
    // It dies of nothing but memory: `readPdf` tells all else.
    thread.once('error', onTooMuch)
    thread.once('exit', onTooMuch)
    try {
      return await result.promise
    } finally {
      timer.cancel()
      watch.end()
      signal.removeEventListener('abort', onAbort)
      await thread.terminate()
    }
  }
}
