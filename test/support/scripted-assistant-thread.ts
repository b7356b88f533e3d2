import { threadId, workerData } from 'node:worker_threads'
import type { AssistantEvent, AssistantOutcome, AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'
import { exhaustHeap } from './exhaust-heap.ts'
import { atBootstrap, DELTAS, type Instruction, sayDone, type Told } from './scripted-assistant.ts'

/** A pool thread that does with each request what its message says; it tells first where and among how many it runs. */
const { databaseThread: signals }: AssistantThreadData = workerData
atBootstrap(signals)

let running = 0

// biome-ignore lint/style/noDefaultExport: it is what Piscina runs.
export default async function answer({ request, port }: AssistantTask): Promise<AssistantOutcome> {
  const cancelled = new Promise<void>((resolve) => port.once('message', () => resolve()))
  const tell = (text: string): void => {
    port.postMessage({ type: 'delta', text, finished: [], tail: text } satisfies AssistantEvent)
  }
  running += 1
  try {
    tell(JSON.stringify({ threadId, running } satisfies Told))
    return await follow(request.message as Instruction, tell, cancelled)
  } finally {
    running -= 1
    port.close()
  }
}

async function follow(
  instruction: Instruction,
  tell: (text: string) => void,
  cancelled: Promise<void>,
): Promise<AssistantOutcome> {
  switch (instruction) {
    case 'answer':
      for (const text of DELTAS) tell(text)
      // Runs after the outcome has been posted.
      setImmediate(() => sayDone(signals))
      return answered(DELTAS.join(''))
    case 'hang':
      await cancelled
      return { type: 'cancelled', database: { ok: 0, failed: 0 } }
    case 'ignore':
      for (;;) {
        // No message gets in here.
      }
    case 'throw':
      throw new Error('thrown by the task')
    case 'crash':
      setImmediate(() => {
        throw new Error('thrown outside of the task')
      })
      return never()
    case 'exit':
      return process.exit(7)
    case 'exhaust':
      return exhaustHeap()
    default:
      return instruction satisfies never
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}

function answered(text: string): AssistantOutcome {
  return {
    type: 'answered',
    text,
    parts: [text],
    model: 'scripted',
    stopReason: 'end',
    usage: null,
    trimmedMessages: 0,
    stored: true,
    database: { ok: 0, failed: 0 },
  }
}
