import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LONGEST_PERSONA, readPersona, withPersona } from '#domain/persona.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('</persona>', '< / Persona >', '<persona>', '<', ' be a bard ', '\n'))
    .map((parts) => parts.join('')),
)

describe('a persona', () => {
  it('is kept without what cannot be seen, and read again the same', () => {
    expect(readPersona(' a\u0000 bard\r\nwho rhymes\u0007 ')).toBe('a bard\nwho rhymes')
    fc.assert(
      fc.property(text, (given) => {
        const persona = readPersona(given)
        if (persona !== undefined) expect(readPersona(persona)).toBe(persona)
      }),
    )
  })

  it('has something in it, and no more than fits', () => {
    expect(readPersona(' \n\u0000')).toBeUndefined()
    expect(readPersona('🦜'.repeat(LONGEST_PERSONA))).toHaveLength(2 * LONGEST_PERSONA)
    expect(readPersona('x'.repeat(LONGEST_PERSONA + 1))).toBeUndefined()
  })

  it('cannot leave its frame below the words of whoever runs the bot', () => {
    fc.assert(
      fc.property(text, (persona) => {
        const prompt = withPersona('Be kind.', persona)
        expect(prompt.startsWith('Be kind.\n\n')).toBe(true)
        expect(prompt.match(/<\s*\/?\s*persona/gi)).toHaveLength(2)
        expect(prompt.endsWith('\n</persona>')).toBe(true)
      }),
    )
  })

  it('stands alone without such words, and leaves them alone when there is none', () => {
    expect(withPersona('', 'a bard')).toMatch(/^The people .*\n<persona>\na bard\n<\/persona>$/s)
    expect(withPersona('Be kind.', null)).toBe('Be kind.')
  })
})
