import { systemClock } from '#actors/clock.ts'
import type { ModelSettings } from '#protocol/assistant-thread.ts'
import type { ClosableModelClient } from './model-client.ts'
import { OfflineModel } from './offline-model.ts'
import { OpenAiModelClient } from './openai-model-client.ts'

/** The model that is configured; the offline one when there is neither a key nor an address. */
export function createModelClient(settings: ModelSettings): ClosableModelClient {
  const { name, offlineWordDelayMs, vision: _, ...options } = settings
  if (options.apiKey || options.baseUrl) return new OpenAiModelClient(options)
  return new OfflineModel({ usualModel: name, wordDelayMs: offlineWordDelayMs, clock: systemClock })
}
