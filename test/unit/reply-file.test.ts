import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filesIn, readFiles } from '#discord/card-files.ts'
import { replyFile } from '#domain/reply-file.ts'

test('a file is as long as it may be, whole characters only, and says when something is missing', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 })
  fc.assert(
    fc.property(text, fc.integer({ min: 60, max: 300 }), (whole, limitBytes) => {
      const file = replyFile('answer.md', whole, limitBytes)
      expect(Buffer.byteLength(file.text)).toBeLessThanOrEqual(limitBytes)
      if (Buffer.byteLength(whole) <= limitBytes) {
        expect(file.text).toBe(whole)
        return
      }
      const [kept = '', note] = file.text.split('\n\n[')
      expect(note).toBe('The rest is longer than a file may be.]\n')
      expect(whole.startsWith(kept)).toBe(true)
    }),
  )
})

test('files are told from each other by name and size, in whatever order Discord has them', () => {
  const files = [
    { name: 'b.md', text: 'ü' },
    { name: 'a.md', text: '' },
  ]
  expect(filesIn(files)).toBe('a.md:0 b.md:2')
  expect(
    readFiles([
      { filename: 'b.md', size: 2, url: 'x' },
      { filename: 'a.md', size: 0 },
    ]),
  ).toBe(filesIn(files))
  expect([filesIn(), filesIn([]), readFiles(undefined), readFiles([])]).toEqual(['', '', '', ''])
})
