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
      '\n``````\n',
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

function words(count: number): string {
  return Array.from({ length: count }, () => 'word').join(' ')
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
    const text = fc.array(fc.constantFrom('👩‍👩‍👧‍👦', '👍🏽', '🇩🇪', 'e\u0301', 'नि', 'x'), {
      maxLength: 150,
      size: 'max',
    })
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
    const text = fc.tuple(lines, lineEnd, fc.boolean()).map(([all, end, ended]) => {
      // An opening line that has not ended opens nothing yet.
      const opensAtTheEnd = /^ *(- )?[`~]{3}/.test(all.at(-1) ?? '')
      return `${all.join(end)}${ended || opensAtTheEnd ? end : ''}`
    })
    check(text, (joined, limit) => {
      for (const part of splitMessage(joined, limit)) expect(openFence(part)).toBeUndefined()
    })
  })
})

describe('a text that grows', () => {
  test('keeps all its parts but the last', () => {
    // A line of only these can still become the end of a code block, or cease to be it.
    const endsInMarker = /(?:^|\n)(?=[^\n])[^\S\n]*(?:`*|~*)[^\S\n]*$/
    const grown = fc.tuple(markdown, markdown).filter(([text]) => text.isWellFormed() && !endsInMarker.test(text))
    fc.assert(
      fc.property(grown, limits, ([text, more], limit) => {
        const settled = splitMessage(text, limit).slice(0, -1)
        expect(splitMessage(text + more, limit).slice(0, settled.length)).toEqual(settled)
      }),
      { numRuns: 3000 },
    )
  })

  test('keeps all its parts but the last from line to line', () => {
    check(
      markdown.filter((text) => text.isWellFormed()),
      (text, limit) => {
        let settled: string[] = []
        let shown = ''
        // A line of code that is being written can still become the end of its block, or cease to be it.
        for (const line of text.split(/(?<=\n)/)) {
          shown += line
          const parts = splitMessage(shown, limit)
          expect(parts.slice(0, settled.length)).toEqual(settled)
          settled = parts.slice(0, -1)
        }
      },
      1500,
    )
  })
})

describe('a break', () => {
  test('is not made when the text fits, whatever white space it has', () => {
    expect(splitMessage('')).toEqual([])
    expect(splitMessage(' \n\t\r\n ')).toEqual([])
    expect(splitMessage(' '.repeat(5000))).toEqual([])
    expect(splitMessage('\n  Hello\n')).toEqual(['\n  Hello\n'])
    expect(splitMessage('x'.repeat(2000))).toEqual(['x'.repeat(2000)])
    expect(splitMessage('x'.repeat(2001))).toEqual(['x'.repeat(2000), 'x'])
    expect(splitMessage(`${'x'.repeat(2000)}\n\n`)).toEqual(['x'.repeat(2000)])
  })

  test('comes at a paragraph rather than at a later line', () => {
    const text = `${words(8)}\n\n${words(2)}\n${words(10)}`
    expect(splitMessage(text, 60)).toEqual([words(8), `${words(2)}\n${words(10)}`])
  })

  test('comes at a line rather than at a later sentence', () => {
    const text = `${words(8)}\r\n${words(2)}. ${words(10)}`
    expect(splitMessage(text, 60)).toEqual([words(8), `${words(2)}. ${words(10)}`])
  })

  test('comes at the end of a sentence rather than at a later word', () => {
    const text = `${words(8)}. ${words(10)}`
    expect(splitMessage(text, 60)).toEqual([`${words(8)}.`, words(10)])
    expect(splitMessage(`${'你好'.repeat(18)}。${'世界'.repeat(18)}`, 60)).toEqual([
      `${'你好'.repeat(18)}。`,
      '世界'.repeat(18),
    ])
  })

  test('comes between words rather than within a later one', () => {
    expect(splitMessage(`${words(3)} ${'x'.repeat(55)}`, 60)).toEqual([words(3), 'x'.repeat(55)])
  })

  test('comes at a paragraph only when that fills half of the part', () => {
    const text = `word\n\n${words(30)}`
    expect(splitMessage(text, 60)[0]).toBe(`word\n\n${words(11)}`)
  })

  test('keeps the indentation of the next line and drops only its own white space', () => {
    const text = `- ${words(8)}  \n  - ${words(9)}`
    expect(splitMessage(text, 50)).toEqual([`- ${words(8)}`, `  - ${words(9)}`])
  })

  test.each([
    ['a link', '[the text of a link](https://example.com/a)'],
    ['an address', 'https://example.com/some/path?with=query.and.more'],
    ['inline code', '`const answer = 40 + 2`'],
    ['inline code with backticks in it', '``a ` b and a long rest``'],
  ])('does not cut %s that fits into a part', (_, whole) => {
    for (let length = 1; length < 120; length++) {
      const prose = `${'ab cd. '.repeat(20).slice(0, length)} `
      const parts = splitMessage(`${prose}${whole} ${words(30)}`, 60)
      expect(
        parts.some((part) => part.includes(whole)),
        prose,
      ).toBe(true)
      const joined = splitMessage(`${'字'.repeat(length)}${whole}${'字'.repeat(60)}`, 60)
      expect(
        joined.some((part) => part.includes(whole)),
        prose,
      ).toBe(true)
    }
  })

  test('cuts a link, an address or inline code that fits nowhere', () => {
    const text = `[${words(20)}](https://example.com/${'x'.repeat(100)}) \`${words(20)}\``
    const parts = splitMessage(text, 60)
    expect(parts.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    expect(parts.length).toBeLessThan(10)
  })

  test('cuts a grapheme longer than a part between code points', () => {
    const parts = splitMessage(`a${'\u0301'.repeat(120)}`, 50)
    expect(parts.map((part) => part.length)).toEqual([50, 50, 21])
    const emoji = splitMessage(`x${Array.from({ length: 40 }, () => '👩').join('\u200d')}`, 50)
    expect(emoji.every((part) => part.isWellFormed())).toBe(true)
  })

  test('refuses a limit that leaves no room', () => {
    expect(() => splitMessage('text', 49)).toThrow('expected a limit of 50 or more, got 49')
    expect(() => splitMessage('text', Number.NaN)).toThrow(RangeError)
  })
})

describe('a code block', () => {
  const line = 'let x = 1' // 9 characters

  function block(opening: string, count: number, closing: string): string {
    return [opening, ...Array.from({ length: count }, () => line), closing].join('\n')
  }

  test('that is cut is closed and opened again with its marker and language', () => {
    const part = (count: number) => block('```js', count, '```')
    expect(splitMessage(block('```js', 10, '```'), 60)).toEqual([part(5), part(5)])
    expect(splitMessage(block('~~~~ py title', 6, '~~~~~'), 60)).toEqual([
      block('~~~~ py title', 4, '~~~~'),
      block('~~~~py title', 2, '~~~~~'),
    ])
  })

  test('moves to the next part when it starts in the second half', () => {
    const prose = 'Here is the code that was asked for:'
    const code = block('```js', 4, '```')
    expect(splitMessage(`${prose}\n${code}`, 60)).toEqual([prose, code])
  })

  test('is not opened again when it ends at the break', () => {
    const text = `${block('```js', 5, '```')}\n\nThat is all there is to it.`
    expect(splitMessage(text, 60)).toEqual([block('```js', 5, '```'), 'That is all there is to it.'])
    expect(splitMessage(block('```js', 5, '   ``````'), 60)).toEqual([block('```js', 5, '```')])
  })

  test('that is still being written is closed', () => {
    expect(splitMessage('```js\nlet')).toEqual(['```js\nlet\n```'])
    expect(splitMessage('```js\nlet\n')).toEqual(['```js\nlet\n```'])
    expect(splitMessage('```js\nlet\n`')).toEqual(['```js\nlet\n```'])
    expect(splitMessage('```js\nlet\n```')).toEqual(['```js\nlet\n```'])
    expect(splitMessage('````md\n```\n')).toEqual(['````md\n```\n````'])
    expect(splitMessage('Look:\n```j')).toEqual(['Look:\n```j'])
  })

  test('may hold shorter fences and fences of the other kind', () => {
    const inner = ['```js', line, '```', '~~~', line, '~~~'].join('\n')
    const parts = splitMessage(`\`\`\`\`md\n${inner}\n${inner}\n\`\`\`\``, 60)
    expect(parts.length).toBeGreaterThan(1)
    for (const part of parts) expect(part).toMatch(/^````md\n[\s\S]+\n````$/)
  })

  test('within a list item is one as well, and indented code is none', () => {
    const item = `1. Run this:\n   \`\`\`sh\n${'   echo hello\n'.repeat(6)}   \`\`\``
    const [first, second] = splitMessage(item, 80)
    expect(first).toBe(`1. Run this:\n   \`\`\`sh\n${'   echo hello\n'.repeat(3)}\`\`\``)
    expect(second).toBe(`\`\`\`sh\n${'   echo hello\n'.repeat(3)}   \`\`\``)
    expect(splitMessage('    ```js\n    let')).toEqual(['    ```js\n    let'])
  })

  test('with a long line is cut between words and keeps all its white space', () => {
    const parts = splitWithSeams(`\`\`\`\n${'abc  '.repeat(30)}\n\`\`\``, 60)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.map(({ seam }) => seam.after.trim()).join('')).toBe('')
    const code = parts.map(({ content }) => content.slice(4, -4)).join('')
    expect(code.replace(/\n/g, '').trimEnd()).toBe('abc  '.repeat(30).trimEnd())
  })

  test('with a long info string is opened again with its first word, or with none', () => {
    const long = 'x'.repeat(100)
    const [, second] = splitMessage(block(`\`\`\`js ${long}`, 20, '```'), 150)
    expect(second).toMatch(/^```js\nlet/)
    const parts = splitMessage(block(`\`\`\`${long}`, 20, '```'), 60)
    expect(parts.every((part) => part.length <= 60 && openFence(part) === undefined)).toBe(true)
    expect(parts.at(-1)).toMatch(/^```\nlet/)
  })

  test('with a marker too long for the limit is still cut into parts that fit', () => {
    const parts = splitWithSeams(block('`'.repeat(120), 20, '`'.repeat(120)), 50)
    for (const { content } of parts) expect(content.length).toBeLessThanOrEqual(50)
    expect(joinSeams(parts)).toBe(block('`'.repeat(120), 20, '`'.repeat(120)))
  })

  test('is not started, nor ended, by a break in the middle of a line', () => {
    const text = `${words(8)} ${'x'.repeat(12)} \`\`\`js then ${words(9)}`
    for (const part of splitMessage(text, 60)) expect(part).not.toMatch(/^(`{3}|~{3})/)
    const code = `\`\`\`\n${'x'.repeat(30)} \`\`\`\`${'y'.repeat(60)}\n\`\`\``
    for (const part of splitMessage(code, 60)) expect(part.slice(3, -3)).not.toMatch(/^`{3,}[^`]*$/m)
  })
})
