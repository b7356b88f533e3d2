import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import { ConsoleGateway, type ConsoleOptions } from '#console/console-gateway.ts'
import type { QueueStatistics } from '#protocol/queue.ts'
import { databaseStatistics } from './database-statistics.ts'
import { queueStatistics } from './queue-statistics.ts'
import { ScriptedQueue, type ScriptedRequest } from './scripted-queue.ts'
import { Transcript } from './transcript.ts'

interface ConsoleSetup {
  readonly interactive?: boolean
  readonly store?: Partial<ConsoleOptions['store']>
  /** Answers every question at once. */
  readonly answering?: boolean
}

class QueueWithStatistics extends ScriptedQueue {
  override stats(): QueueStatistics {
    return queueStatistics({ totalProcessed: 41, mode: super.stats().mode })
  }
}

/** A console whose streams and queue are in the test's hands. */
export async function startConsole({ interactive = false, store = {}, answering = false }: ConsoleSetup = {}) {
  const input = new PassThrough()
  const output = new Transcript()
  // What makes readline edit lines as in a terminal.
  const notices = Object.assign(new Transcript(), interactive ? { isTTY: true } : {})
  const queue = new QueueWithStatistics()
  if (answering) void answerAll(queue)
  const ends: (Error | undefined)[] = []
  const ended = Promise.withResolvers<void>()
  const interruptions = new Transcript()
  const gateway = new ConsoleGateway({
    queue,
    store: { history: async () => [], forget: async () => 0, statistics: async () => databaseStatistics(), ...store },
    input,
    output,
    notices,
    interactive,
    onInterrupted: () => void interruptions.write('interrupted;'),
    onEnded: (problem) => {
      ends.push(problem)
      ended.resolve()
    },
  })
  onTestFinished(() => gateway.stop())
  await gateway.start()
  return {
    gateway,
    input,
    output,
    notices,
    queue,
    ended: ended.promise,
    /** What the end was told with, as often as it was. */
    ends,
    /** Grows with each. */
    interruptions,
    asked: () => queue.added.map(({ message }) => message),
    say: (...lines: string[]) => input.write(lines.map((line) => `${line}\n`).join('')),
  }
}

/** Answers whatever comes, for as long as something comes. */
export async function answerAll(queue: ScriptedQueue): Promise<never> {
  for (;;) answer(await queue.next())
}

export function answer(request: ScriptedRequest): void {
  request.start().complete(`answer to ${request.request.message}`)
}

/** The next question, taken in and begun. */
export async function begun(queue: ScriptedQueue): Promise<ScriptedRequest> {
  return (await queue.next()).start()
}
