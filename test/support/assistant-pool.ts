import { fileURLToPath } from 'node:url'
import { systemClock } from '#actors/clock.ts'
import { silentLog } from '#actors/log.ts'
import { PiscinaPool, type PoolOptions } from '#pool/piscina-pool.ts'
import type { AssistantThreadData, DatabaseThreadCell, ModelSettings } from '#protocol/assistant-thread.ts'
import { untilSlots } from './pool-slots.ts'
import { MODEL_SETTINGS, threadData } from './thread-data.ts'

export interface AssistantPoolOptions {
  readonly databaseThread: DatabaseThreadCell
  readonly model: Partial<ModelSettings>
  readonly thread?: Partial<AssistantThreadData>
  readonly pool?: Partial<PoolOptions>
}

const ENTRY = fileURLToPath(new URL('../../workers/assistant.ts', import.meta.url))

/** A pool of real assistant threads, one unless told, once it is ready. Whoever started it stops it. */
export async function startAssistantPool(options: AssistantPoolOptions): Promise<PiscinaPool> {
  const { databaseThread, thread } = options
  const model: ModelSettings = { ...MODEL_SETTINGS, apiKey: 'test-key-1234', ...options.model }
  const { size, concurrency } = { size: 1, concurrency: 32, ...options.pool }
  const pool = new PiscinaPool({
    entry: ENTRY,
    size,
    concurrency,
    maxHeapMiB: 256,
    cancelGraceMs: 20_000,
    errorRecoveryDelayMs: 5000,
    historyLimit: 20,
    thread: threadData(databaseThread, { model, ...thread }),
    clock: systemClock,
    log: silentLog,
    onGivenUp: (error) => {
      throw error
    },
    ...options.pool,
  })
  await untilSlots(pool, size * concurrency)
  return pool
}
