import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GrowingParts } from '#assistant/growing-parts.ts'
import { splitMessage } from '#domain/split-message.ts'

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom('\n\n', '\n', ' ', '  ', '```ts\n', '\n```\n', '`', '😀', 'word', '. ', '- item\n'),
    fc.string({ maxLength: 30 }),
    fc.integer({ min: 100, max: 1500 }).map((length) => 'lorem ipsum '.repeat(length / 12)),
  ),
  { maxLength: 40 },
)

test('an answer that is split while it grows ends as the same messages as the whole answer split at once', () => {
  fc.assert(
    fc.property(pieces, (texts) => {
      const parts = new GrowingParts()
      const finished: string[] = []
      let tail = ''
      for (const text of texts) {
        const delta = parts.push(text)
        finished.push(...delta.finished)
        tail = delta.tail
      }
      const shown = tail === '' ? finished : [...finished, tail]
      expect(shown).toEqual(splitMessage(texts.join('')))
    }),
    { numRuns: 300 },
  )
})

test('white space at the end of a piece is not lost between two words', () => {
  const parts = new GrowingParts()
  expect(parts.push('one ').tail).toBe('one ')
  expect(parts.push('two').tail).toBe('one two')
})
