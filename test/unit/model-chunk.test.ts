import { describe, expect, test } from 'vitest'
import { readModelChunk } from '#assistant/model-chunk.ts'

const NOTHING = { content: '', reasoning: '', refusal: '', finishReason: null, usage: null }
const chunk = (delta: unknown): unknown => ({ choices: [{ index: 0, delta, finish_reason: null }] })

describe('a chunk of an answer', () => {
  test.each<[string, unknown, object]>([
    ['has text', chunk({ content: 'Yes' }), { content: 'Yes' }],
    ['has no choices when it has the counts', { choices: [], usage: null }, {}],
    ['is a line of its own for a relay', {}, {}],
    ['has a delta of nothing', chunk(null), {}],
    ['has fields of nothing', chunk({ content: null, reasoning: null, refusal: null }), {}],
    ['has reasoning twice', chunk({ reasoning: 'Hm', reasoning_content: 'Hm' }), { reasoning: 'Hm' }],
    ['has text in parts, as at Mistral', chunk({ content: [{ type: 'text', text: 'Yes' }] }), { content: 'Yes' }],
    [
      'has reasoning in parts',
      chunk({
        content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }, { type: 'reference' }, { text: 'A' }],
      }),
      { reasoning: 'Hm', content: 'A' },
    ],
    [
      'has counts',
      { usage: { prompt_tokens: 1, completion_tokens: 2 } },
      { usage: { promptTokens: 1, completionTokens: 2 } },
    ],
    ['has counts that are none', { usage: { prompt_tokens: -1, completion_tokens: 0.5 } }, {}],
  ])('%s', (_name, sent, read) => {
    expect(readModelChunk(sent)).toEqual({ ...NOTHING, ...read })
  })
})
