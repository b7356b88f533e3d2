import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withQuote } from '#domain/quoted-message.ts'

const ADA = { author: 'ada', text: 'one\ntwo' }

describe('a message that replies to another', () => {
  it('has the other one in front, each line marked', () => {
    expect(withQuote('what?', ADA, 4000)).toBe('In reply to this message by ada:\n\n> one\n> two\n\nwhat?')
  })

  it('says when the other one was written by who is asked', () => {
    expect(withQuote('what?', { author: null, text: 'x' }, 4000)).toContain('In reply to this message of yours:\n\n> x')
  })

  it('can be the other one alone', () => {
    expect(withQuote('', ADA, 4000)).toBe('In reply to this message by ada:\n\n> one\n> two')
  })

  it('stays as it is when the other one says nothing, or there is none', () => {
    expect(withQuote('what?', { author: 'ada', text: ' \n' }, 4000)).toBe('what?')
    expect(withQuote('what?', undefined, 4000)).toBe('what?')
  })

  it('is never cut and never made too long for what it replies to', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme', maxLength: 3000 }),
        (message, text) => {
          const room = message.length + 150
          const together = withQuote(message, { author: 'ada', text }, room)
          expect(together.length).toBeLessThanOrEqual(room)
          expect(together.endsWith(message)).toBe(true)
          expect(together.isWellFormed()).toBe(true)
        },
      ),
    )
    expect(withQuote('x'.repeat(3990), ADA, 4000)).toBe('x'.repeat(3990))
  })

  it('has the beginning of a long one', () => {
    const quoted = withQuote('what?', { author: 'ada', text: 'x'.repeat(5000) }, 4000)
    expect(quoted).toContain('x…\n\nwhat?')
    expect(quoted.length).toBeLessThan(1100)
  })
})
