import { describe, expect, it } from 'vitest'
import { createModelClient } from '#assistant/create-model-client.ts'
import { MODEL_SETTINGS } from '#support/thread-data.ts'

describe('the model that is used', () => {
  it.each([
    ['with a key', { apiKey: 'a key' }, 'test-model'],
    ['with an address', { baseUrl: 'http://localhost:11434/v1' }, 'test-model'],
    ['with neither', {}, 'offline'],
    ['with an empty key and no address', { apiKey: '' }, 'offline'],
  ])('%s', async (_case, settings, name) => {
    const client = createModelClient({ ...MODEL_SETTINGS, ...settings })
    expect(client.nameOf('test-model')).toBe(name)
    await client.close()
  })
})
