import { Worker } from 'node:worker_threads'
import type { Clock } from '#actors/clock.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { DatabaseThreadData, DatabaseThreadMessage } from '#protocol/database.ts'

/** A database thread that has its file open. */
export interface ThreadHandle {
  readonly threadId: number
  /** Resolves with why, once the thread has ended. */
  readonly ended: Promise<string>
  /** Lets the process end although the thread runs. */
  unref(): void
}

export interface StartThreadOptions {
  readonly entry: URL
  readonly threadData: DatabaseThreadData
  readonly openTimeoutMs: number
  readonly clock: Clock
}

/** Starts a database thread; resolves once its file is open, rejects with the ParleyError that kept it from opening. */
export async function startThread(options: StartThreadOptions): Promise<ThreadHandle> {
  const worker = new Worker(options.entry, { workerData: options.threadData })
  const { threadId } = worker
  const ended = endOf(worker)
  const message = await Promise.race([firstMessage(worker, options), ended])
  if (typeof message === 'string') throw startError(message)
  if (message.type === 'opened') return { threadId, ended, unref: () => worker.unref() }
  // It has given up the file and ends by itself.
  throw new ParleyError(message.code, message.message)
}

function firstMessage(worker: Worker, { clock, openTimeoutMs }: StartThreadOptions): Promise<DatabaseThreadMessage> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      // Not terminated: it may be in the middle of a migration.
      worker.unref()
      reject(startError(`it was not ready within ${openTimeoutMs} ms`))
    }, openTimeoutMs)
    worker.once('message', resolve)
    worker.once('message', () => timer.cancel())
    worker.once('exit', () => timer.cancel())
  })
}

function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    let reason: string | undefined
    worker.on('error', (error) => {
      reason = errorMessage(error)
    })
    worker.once('exit', (exitCode) => resolve(reason ?? `it ended with exit code ${exitCode}`))
  })
}

function startError(reason: string): ParleyError {
  return new ParleyError('START_FAILED', `The database thread did not start: ${reason}.`)
}
