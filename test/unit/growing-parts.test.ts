import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GrowingParts } from '#assistant/growing-parts.ts'
import { MESSAGE_LIMIT } from '#domain/notices.ts'
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

test('an answer that is cut while it grows shows its first messages, the last one with a note, and then no more', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 3 }), (texts, maxMessages) => {
      const [growing, whole] = [new GrowingParts(maxMessages), splitMessage(texts.join(''))]
      const finished: string[] = []
      let tail = ''
      for (const text of texts) {
        const delta = growing.push(text)
        finished.push(...delta.finished)
        tail = delta.tail
      }
      if (whole.length <= maxMessages) {
        expect(tail === '' ? finished : [...finished, tail]).toEqual(whole)
        return
      }
      expect([finished.length, tail]).toEqual([maxMessages, ''])
      expect(finished.slice(0, -1)).toEqual(whole.slice(0, maxMessages - 1))
      expect(finished.at(-1)).toMatch(/\n-# The answer goes on; all of it will come as a file\.$/)
      for (const message of finished) expect(message.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
    }),
    { numRuns: 300 },
  )
})

test('white space at the end of a piece is not lost between two words', () => {
  const parts = new GrowingParts()
  expect(parts.push('one ').tail).toBe('one ')
  expect(parts.push('two').tail).toBe('one two')
})
