import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MESSAGE_LIMIT } from '#domain/notices.ts'
import { reasoningMessage } from '#domain/reasoning-message.ts'

const WHOLE = '-# 🧠 What the model thought\n'
const END = '-# 🧠 What the model thought, the end of it\n'

/** What Discord hides: from the first two bars to the next two, whatever stands between. */
function hidden(message: string): { readonly inside: string; readonly after: string } {
  const [, rest = ''] = message.split(/\n([\s\S]*)/)
  const match = /^\|\|([\s\S]+?)\|\|/.exec(rest)
  return { inside: match?.[1] ?? '', after: rest.slice(match?.[0].length ?? 0) }
}

/** As Discord shows what was escaped. */
function unescaped(text: string): string {
  return text.replace(/\\([\\`|<[])/g, '$1').replaceAll('@\u200b', '@')
}

describe('what a model thought, in one message', () => {
  it('is hidden below a line that says what it is', () => {
    expect(reasoningMessage(' First this.\nThen that.\n')).toBe(`${WHOLE}||First this.\nThen that. ||`)
  })

  it('is nothing when it thought nothing', () => {
    expect(reasoningMessage('')).toBeUndefined()
    expect(reasoningMessage(' \n ')).toBeUndefined()
  })

  it.each([
    'a || b',
    '|',
    'end with \\',
    '||||',
    '```js\ncode\n```',
    '`',
    '<@80351110224678912> @everyone <#1> [x](https://y)',
  ])('cannot break out with %j', (text) => {
    const { inside, after } = hidden(reasoningMessage(text) ?? '')
    expect([unescaped(inside), after]).toEqual([`${text} `, ''])
    expect(inside).not.toMatch(/(?<!\\)(?:\\\\)*[`|<[]/)
    expect(inside).not.toMatch(/@(?!\u200b)/)
  })

  it('is its end when it is long, from the beginning of a line or a word on, and says so', () => {
    const message = reasoningMessage('some thought in a line\n'.repeat(200)) ?? ''
    expect(message.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
    expect(message.length).toBeGreaterThan(MESSAGE_LIMIT - 100)
    expect(message).toMatch(/^-# 🧠 What the model thought, the end of it\n\|\|some thought in a line\n/)
    expect(message).toMatch(/\nsome thought in a line \|\|$/)
  })

  it('hides all of it or the end of it, and never more than one message takes', () => {
    const piece = fc.oneof(
      fc.constantFrom('||', '|', '\\', '`', '```', '\n', ' ', '@', '<', '😀', '👩‍👩‍👧', 'word', '[a](b)'),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 1, max: 900 }).map((length) => '|`\\'.repeat(length)),
      fc.integer({ min: 1, max: 900 }).map((length) => 'a word '.repeat(length)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join('').trim()
        const message = reasoningMessage(text)
        if (message === undefined) {
          expect(text).toBe('')
          return
        }
        expect(message.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
        const { inside, after } = hidden(message)
        expect(after).toBe('')
        const shown = unescaped(inside).slice(0, -1)
        expect(shown).not.toBe('')
        if (message.startsWith(WHOLE)) expect(shown).toBe(text)
        else expect([message.startsWith(END), text.endsWith(shown)]).toEqual([true, true])
      }),
      { numRuns: 300 },
    )
  })
})
