import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinSeams, splitMessage, splitWithSeams } from '#domain/split-message.ts'

/** Text as models write it, and worse: fences of every kind, emoji of many code points, long words, odd line ends. */
const fragment = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
  { weight: 5, arbitrary: fc.constantFrom(' ', '  ', '\n', '\n\n', '\r\n', '\r\n\r\n', '. ', '! ', '\t', '\n    ') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '\n```\n',
      '\n```js\n',
      '\n````markdown\n',
      '\n````\n',
      '\n~~~\n',
      '\n~~~~ python title="a ` b"\n',
      '\n   ```\n',
      '\r\n```ts\r\n',
      '\n- item\n  ```js\n',
      '\n  ```\n',
      '\n1. ```sh\n',
      '```',
      '``',
      '`',
      '\n``````````\n',
      `\n\`\`\`${'long-info-'.repeat(5)} more\n`,
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '👩‍👩‍👧‍👦',
      '👍🏽',
      '🇩🇪🇫🇷',
      'e\u0301',
      '한국어',
      '你好。世界，',
      'नमस्ते',
      '\u200b',
      '[',
      ']',
      '](',
      '[a link](https://example.com/a?b=c) ',
      'https://example.com/path ',
      ' `inline code` ',
      '\n- ',
      '\n> ',
      ' — ',
    ),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9]{30,120}$/) },
  { weight: 1, arbitrary: fc.constantFrom(' '.repeat(70), '\n'.repeat(70), `a${'\u0301'.repeat(120)}`, '\ud83d') },
)

const markdown = fc.array(fragment, { maxLength: 60, size: 'max' }).map((fragments) => fragments.join(''))
const limits = fc.integer({ min: 50, max: 160 })

/** The code block that is open at the end of a text, by CommonMark's rules, written down once more for the tests. */
function openFence(text: string): string | undefined {
  let marker: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const [, run = '', rest = ''] = /^[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (run === '') continue
    if (marker === undefined) marker = run.startsWith('`') && rest.includes('`') ? undefined : run
    else if (/^[ \t]*[`~]+[ \t]*$/.test(line) && run.startsWith(marker)) marker = undefined
  }
  return marker
}

function check(text: fc.Arbitrary<string>, property: (text: string, limit: number) => void, numRuns = 1500): void {
  fc.assert(fc.property(text, limits, property), { numRuns })
}

describe('every part', () => {
  test('fits the limit and is not blank', () => {
    check(markdown, (text, limit) => {
      for (const part of splitMessage(text, limit)) {
        expect(part.length).toBeLessThanOrEqual(limit)
        expect(part.trim()).not.toBe('')
      }
    })
  })

  test('gives the text back, exactly, together with its seams', () => {
    check(markdown, (text, limit) => {
      expect(joinSeams(splitWithSeams(text, limit))).toBe(text.trim() === '' ? '' : text)
    })
  })

  test('loses nothing but white space and the closing line of a code block that is closed instead', () => {
    check(markdown, (text, limit) => {
      const parts = splitWithSeams(text, limit)
      for (const [index, { seam }] of parts.entries()) {
        expect(seam.before.trim()).toBe('')
        expect(index === 0 || seam.before === '').toBe(true)
        expect(seam.opened).toMatch(/^$|^(`{3,}|~{3,})[^\n]*\n$/)
        expect(seam.closed).toMatch(/^$|^\n?(`+|~+)$/)
        const marker = seam.closed.trim()
        const dropped = seam.after.trim()
        expect(dropped === '' || (marker !== '' && dropped.startsWith(marker) && /^(`+|~+)$/.test(dropped))).toBe(true)
      }
    })
  })

  test('never cuts a surrogate pair', () => {
    check(
      markdown.filter((text) => text.isWellFormed()),
      (text, limit) => {
        for (const part of splitMessage(text, limit)) expect(part.isWellFormed()).toBe(true)
      },
    )
  })

  test('never cuts a grapheme that fits', () => {
    const segmenter = new Intl.Segmenter()
    const graphemes = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)
    const text = fc.array(fc.constantFrom('👩‍👩‍👧‍👦', '👍🏽', '🇩🇪', 'e\u0301', 'नि', 'x'), { maxLength: 150, size: 'max' })
    check(
      text.map((clusters) => clusters.join('')),
      (joined, limit) => {
        expect(splitMessage(joined, limit).flatMap(graphemes)).toEqual(graphemes(joined))
      },
      300,
    )
  })

  test('leaves no code block open', () => {
    // Runs of backticks within a line are no fences for CommonMark, and cutting may put one at the start of a part.
    const lines = fc.array(
      fc.oneof(
        fc.stringMatching(/^[a-z .]{0,40}$/),
        fc.constantFrom('```', '```js', '~~~', '~~~text', '````md', '````', '  ```', '', 'a `b` c', '🙂'.repeat(40)),
        fc.constantFrom('```js', '```', `\`\`\`${'i'.repeat(60)}`, '`````', 'x'.repeat(200), '- ```sh', '  ~~~ a ` b'),
      ),
      { maxLength: 40, size: 'max' },
    )
    const lineEnd = fc.constantFrom('\n', '\r\n')
    const text = fc.tuple(lines, lineEnd).map(([all, end]) => `${all.join(end)}${end}`)
    check(text, (joined, limit) => {
      for (const part of splitMessage(joined, limit)) expect(openFence(part)).toBeUndefined()
    })
  })
})

describe('a text that grows', () => {
  test('keeps all its parts but the last', () => {
    const grown = fc.tuple(markdown, markdown).filter(([text]) => text.isWellFormed())
    fc.assert(
      fc.property(grown, limits, ([text, more], limit) => {
        const settled = splitMessage(text, limit).slice(0, -1)
        expect(splitMessage(text + more, limit).slice(0, settled.length)).toEqual(settled)
      }),
      { numRuns: 3000 },
    )
  })

  test('keeps all its parts but the last at each of its steps', () => {
    check(
      markdown.filter((text) => text.isWellFormed()),
      (text, limit) => {
        let settled: string[] = []
        let shown = ''
        for (const character of text) {
          shown += character
          const parts = splitMessage(shown, limit)
          expect(parts.slice(0, settled.length)).toEqual(settled)
          settled = parts.slice(0, -1)
        }
      },
      150,
    )
  })
})
