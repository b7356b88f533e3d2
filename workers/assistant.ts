import { workerData } from 'node:worker_threads'
import { systemClock } from '#actors/clock.ts'
import { createThreadLog } from '#actors/thread-log.ts'
import { createModelClient } from '#assistant/create-model-client.ts'
import { DMAssistant } from '#assistant/dm-assistant.ts'
import { PdfReader } from '#assistant/pdf-reader.ts'
import { loadTokenCounter } from '#assistant/token-counter.ts'
import { DatabaseLink } from '#database/database-link.ts'
import type { AssistantOutcome, AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'

// Checked by the type of the pool that starts this thread.
const settings: AssistantThreadData = workerData
const database = new DatabaseLink(settings.databaseThread, settings.databaseCallTimeoutMs)
const assistant = new DMAssistant({
  model: createModelClient(settings.model),
  connect: () => database.api(),
  loadTokenCounter,
  pdfs: new PdfReader({ clock: systemClock, timeoutMs: settings.attachments.timeoutMs }),
  settings,
  clock: systemClock,
  log: createThreadLog({ level: settings.logLevel, pretty: settings.logPretty, name: 'assistant' }),
})

/** What Piscina runs for each request. */
export default function answer(task: AssistantTask): Promise<AssistantOutcome> {
  return assistant.answer(task)
}
