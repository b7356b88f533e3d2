import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileNotes, plainName, rememberedMessage, withFileNote } from '#domain/attachments.ts'
import { fileTypeOf } from '#domain/file-kind.ts'
import { requestOf } from '#support/stored-requests.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

describe('what a file is', () => {
  it.each([
    ['a PNG picture', '\x89PNG\r\n\x1a\nrest', 'image', 'image/png'],
    ['a JPEG picture', '\xff\xd8\xff\xe0rest', 'image', 'image/jpeg'],
    ['a GIF picture', 'GIF89arest', 'image', 'image/gif'],
    ['a WebP picture', 'RIFF\0\0\0\0WEBPVP8 ', 'image', 'image/webp'],
    ['a PDF', '%PDF-1.7\n%\xe2\xe3', 'pdf', 'application/pdf'],
    ['a text', 'const a = 1\n', 'text', 'text/plain'],
    ['a text with marks beyond ASCII', Buffer.from('grüße 🎉').toString('latin1'), 'text', 'text/plain'],
    ['an SVG, which models read as text', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'text', 'text/plain'],
  ])('is told by its content: %s', (_, content, kind, mediaType) => {
    expect(fileTypeOf(bytes(content))).toEqual({ kind, mediaType })
  })

  it.each([
    ['a program', '\x7fELF\x02\x01\0'],
    ['text with a zero in it', 'a\0b'],
    ['an archive', 'PK\x03\x04\xff\xfe'],
    ['a picture whose beginning is not whole', '\x89PNG'],
    ['a sound in the container of WebP', 'RIFF\0\0\0\0WAVE\xff'],
  ])('is nothing that can be used: %s', (_, content) => {
    expect(fileTypeOf(bytes(content))).toBeUndefined()
  })
})

describe('the name of a file', () => {
  it('stays as it is when nothing in it could be read as anything else', () => {
    for (const name of ['plan (2).pdf', 'résumé.txt', '図.png', 'a+b_c-d.md']) expect(plainName(name)).toBe(name)
  })

  it('loses what could be markup, a mention or another line', () => {
    expect(plainName('`a`\n@everyone <b>[x](y).txt')).toBe('_a___everyone _b__x_(y).txt')
    expect(plainName('  ')).toBe('file')
  })

  it('is bounded and keeps its ending', () => {
    expect(plainName(`${'x'.repeat(300)}.pdf`)).toMatch(/^x{55}….pdf$/)
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => Array.from(plainName(name)).length <= 60))
  })
})

describe('what is said of files', () => {
  it('is a line of names in the history, and nothing where there are none', () => {
    const request = requestOf('1', { message: 'sum it up', fileNames: ['plan.pdf', 'cat.png'] })
    expect(rememberedMessage(request)).toBe('sum it up\n[attached: plan.pdf, cat.png]')
    expect(rememberedMessage({ ...request, message: '' })).toBe('[attached: plan.pdf, cat.png]')
    expect(rememberedMessage(requestOf('2'))).toBe('question 2')
    expect(withFileNote('x', ['a'], 'not readable')).toBe('x\n[not readable: a]')
  })

  it('is a sentence for each reason, with a few names at most', () => {
    const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, reason: 'too many' }))
    expect(fileNotes([...files, { name: 'g', reason: 'larger than 8 MiB' }])).toEqual([
      'Not used: a, b, c, d and 2 more (too many).',
      'Not used: g (larger than 8 MiB).',
    ])
    expect(fileNotes([])).toEqual([])
  })
})
