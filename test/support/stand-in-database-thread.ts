import { MessagePort, parentPort } from 'node:worker_threads'
import { serve } from '#actors/serving-endpoint.ts'
import { NO_CHOICES } from '#domain/briefing.ts'
import type { DatabaseApi } from '#protocol/database.ts'

/** What the parent posts; answered with the same word once it is so. */
export type StandInMode =
  /** Connections are taken and no call is ever answered, like a disk that hangs. */
  | 'silent'
  /** Every turn is taken and forgotten. */
  | 'forgetful'

const hang = (): Promise<never> => new Promise(() => undefined)

const APIS: Readonly<Record<StandInMode, Pick<DatabaseApi, 'history' | 'choices' | 'saveTurn'>>> = {
  silent: { history: hang, choices: hang, saveTurn: hang },
  forgetful: {
    history: async () => [],
    choices: async () => ({ ...NO_CHOICES, reasoning: 'hidden', toldOf: [] }),
    saveTurn: async () => 'stored',
  },
}

/** Stands in for the database thread; cannot be reached before the parent says what it is to be. */
parentPort?.on('message', (mode: StandInMode) => {
  process.on('workerMessage', ({ port }: { port: unknown }) => {
    if (port instanceof MessagePort) serve(APIS[mode], port)
  })
  parentPort?.postMessage(mode)
})
