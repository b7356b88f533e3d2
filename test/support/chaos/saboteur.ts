/**
 * Preloaded into a Parley under test, and with it into each of its threads: what the test sends to the process makes
 * threads of the named kind die.
 */
import { isMainThread, postMessageToThread, type Worker, workerData } from 'node:worker_threads'

/** `exit`: the thread ends at once; `exhaust`: it outgrows its heap. */
export interface Sabotage {
  readonly victim: 'database' | 'assistant'
  readonly how: 'exit' | 'exhaust'
}

if (isMainThread) {
  const threads = new Set<Worker>()
  process.on('worker', (worker) => {
    threads.add(worker)
    worker.once('exit', () => threads.delete(worker))
  })
  process.on('message', (order: Sabotage) => {
    // A thread that is just ending cannot be reached, nor has to be.
    for (const { threadId } of threads) postMessageToThread(threadId, order).catch(() => undefined)
  })
  // The test must not keep the process alive.
  process.channel?.unref()
} else {
  process.on('workerMessage', (message: unknown) => {
    if (isSabotage(message) && message.victim === kindOfThread()) die(message.how)
  })
}

function isSabotage(message: unknown): message is Sabotage {
  return typeof message === 'object' && message !== null && 'victim' in message
}

function kindOfThread(): Sabotage['victim'] {
  const data: unknown = workerData
  return typeof data === 'object' && data !== null && 'path' in data ? 'database' : 'assistant'
}

function die(how: Sabotage['how']): void {
  if (how === 'exit') process.exit(1)
  const hoard: number[][] = []
  for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length))
}
