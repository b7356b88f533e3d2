import { type MessagePort, workerData } from 'node:worker_threads'
import { serve } from '#actors/serving-endpoint.ts'

/** What the thread offers on the port in its workerData. */
export const servingThreadApi = {
  double: async (value: number): Promise<number> => value * 2,
  /** Never answers. */
  hang: (): Promise<never> => new Promise(() => undefined),
  /** The thread dies in the middle of the call. */
  die: (): Promise<never> => process.exit(1),
}

const { port }: { port: MessagePort } = workerData
serve(servingThreadApi, port)
