import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fileBlock,
  fitFiles,
  type PromptImage,
  type PromptText,
  tokensOfFiles,
  withFileTexts,
} from '#domain/prompt-files.ts'
import { buildPromptWindow } from '#domain/prompt-window.ts'
import { seesImages } from '#domain/vision.ts'

const countTokens = (text: string) => text.length
const image = (name: string) => ({ name, mediaType: 'image/png', bytes: new Uint8Array([1]) })
const fitted = (texts: readonly PromptText[], budget: number, images: readonly PromptImage[] = []) =>
  fitFiles({ texts, images }, budget, countTokens)

describe('the files of a prompt', () => {
  it('are shown by their names, each text in a fence that nothing in it can close', () => {
    expect(fileBlock({ name: 'a.ts', text: 'const a = 1' })).toBe('a.ts:\n```\nconst a = 1\n```')
    expect(fileBlock({ name: 'a.md', text: '````js\n1\n````' })).toBe('a.md:\n`````\n````js\n1\n````\n`````')
    const files = { texts: [{ name: 'a', text: '1' }], images: [] }
    expect(withFileTexts('why?', files)).toBe('why?\n\na:\n```\n1\n```')
    expect(withFileTexts('', files)).toBe('a:\n```\n1\n```')
  })

  it('may have any number of backticks', () => {
    const text = '`` '.repeat(400_000)
    expect(fileBlock({ name: 'a.md', text })).toBe(`a.md:\n\`\`\`\n${text}\n\`\`\``)
  })

  it('stay as they are when they fit', () => {
    const texts = [{ name: 'a', text: 'one' }]
    const images = [image('i')]
    const needed = tokensOfFiles({ texts, images }, countTokens)
    expect(fitted(texts, needed, images)).toEqual({ files: { texts, images }, shortened: [], omitted: [] })
    expect(fitted(texts, needed - 1, images)).toMatchObject({ files: { texts: [], images }, omitted: ['a'] })
  })

  it('are shortened, or left out, and named then', () => {
    const long = { name: 'long', text: 'x'.repeat(5000) }
    const { files, shortened, omitted } = fitted([long, { name: 'last', text: 'x' }], 1000)
    expect({ shortened, omitted }).toEqual({ shortened: ['long'], omitted: [] })
    expect(files.texts[0]?.text.length).toBeGreaterThan(900)
    expect(fitted([long], 20)).toMatchObject({ files: { texts: [] }, omitted: ['long'] })
    expect(fitted([], 1500, [image('a'), image('b')])).toMatchObject({
      files: { images: [{ name: 'a' }] },
      omitted: ['b'],
    })
    expect(fitted([long], -5, [image('a')])).toMatchObject({ omitted: ['a', 'long'] })
  })

  it('never take more than the budget, and halve no character', () => {
    const texts = fc.array(
      fc.record({ name: fc.constant('a'), text: fc.string({ unit: 'grapheme', maxLength: 400 }) }),
      {
        maxLength: 4,
      },
    )
    fc.assert(
      fc.property(texts, fc.nat(800), (given, budget) => {
        const { files, shortened, omitted } = fitted(given, budget)
        expect(tokensOfFiles(files, countTokens)).toBeLessThanOrEqual(budget)
        expect(files.texts.length + omitted.length).toBe(given.length)
        expect(shortened.length).toBeLessThanOrEqual(files.texts.length)
        for (const { text } of files.texts) expect(text.isWellFormed()).toBe(true)
      }),
    )
  })

  it('are counted before the history, and go with the question', () => {
    const files = { texts: [{ name: 'a', text: 'x'.repeat(60) }], images: [] }
    const history = [
      { role: 'user', content: 'one', timestamp: 1 },
      { role: 'assistant', content: 'eins', timestamp: 2 },
    ] as const
    const parts = { systemPrompt: 'be kind', history, message: 'why?', files, countTokens }
    const needed = tokensOfFiles(files, countTokens) + 'be kind'.length + 'why?'.length + 8
    const question = { role: 'user', content: 'why?', files }
    expect(buildPromptWindow({ ...parts, budgetTokens: needed })).toEqual({
      fits: true,
      messages: [{ role: 'system', content: 'be kind' }, question],
      trimmedMessages: 2,
    })
    expect(buildPromptWindow({ ...parts, budgetTokens: needed - 1 })).toMatchObject({ fits: false })
  })
})

describe('a picture', () => {
  it.each([
    ['of OpenAI itself', { apiKey: 'key', baseUrl: null }, true],
    ['of another server, which nobody knows', { apiKey: 'key', baseUrl: 'http://localhost/v1' }, false],
    ['that is the offline one', { apiKey: null, baseUrl: null }, false],
  ] as const)('is shown to a model %s: %#', (_, model, expected) => {
    expect(seesImages({ ...model, vision: 'auto' })).toBe(expected)
    expect(seesImages({ ...model, vision: 'always' })).toBe(true)
    expect(seesImages({ ...model, vision: 'never' })).toBe(false)
  })
})
