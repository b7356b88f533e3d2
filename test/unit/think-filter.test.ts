import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OutputPiece, ThinkFilter } from '#assistant/think-filter.ts'

function filtered(...chunks: string[]): OutputPiece[] {
  const filter = new ThinkFilter()
  return merged([...chunks.flatMap((chunk) => filter.push(chunk)), ...filter.flush()])
}

function merged(pieces: readonly OutputPiece[]): OutputPiece[] {
  const result: OutputPiece[] = []
  for (const { type, text } of pieces) {
    const last = result.at(-1)
    if (last?.type === type) result[result.length - 1] = { type, text: last.text + text }
    else result.push({ type, text })
  }
  return result
}

const text = (words: string): OutputPiece => ({ type: 'text', text: words })
const reasoning = (words: string): OutputPiece => ({ type: 'reasoning', text: words })

describe('a think filter', () => {
  test.each<[string, string, OutputPiece[]]>([
    ['passes output without tags on as text', 'a < b and c > d', [text('a < b and c > d')]],
    ['parts a thinking block from the answer', '<think>hm</think>Yes.', [reasoning('hm'), text('Yes.')]],
    ['knows the longer tag too', '<thinking>hm</thinking>Yes.', [reasoning('hm'), text('Yes.')]],
    ['drops the white space before the answer', '<think>hm\n</think>\n\n Yes.', [reasoning('hm\n'), text('Yes.')]],
    [
      'drops white space around a second block',
      '<think>a</think> <think>b</think>\nYes',
      [reasoning('ab'), text('Yes')],
    ],
    [
      'keeps white space in the middle of an answer',
      'One <think>hm</think> two',
      [text('One '), reasoning('hm'), text(' two')],
    ],
    ['takes an unclosed block as reasoning to the end', 'One <think>two three', [text('One '), reasoning('two three')]],
    ['leaves out a closing tag that was never opened', 'hm</think>\nYes', [text('hm\nYes')]],
    [
      'takes an opening tag inside reasoning as reasoning',
      '<think>a <think> b</think>c',
      [reasoning('a <think> b'), text('c')],
    ],
    ['keeps a tag that is only begun at the end', 'One <thin', [text('One <thin')]],
    ['keeps a closing tag that is only begun at the end', '<think>hm</thi', [reasoning('hm</thi')]],
    ['keeps what only resembles a tag', '<thinker> </thinks> < think>', [text('<thinker> </thinks> < think>')]],
    [
      'finds a tag after what resembles its beginning',
      '<<think>hm</think>Yes',
      [text('<'), reasoning('hm'), text('Yes')],
    ],
    ['keeps tags in an inline code span', 'Write `<think>` here', [text('Write `<think>` here')]],
    ['keeps tags in a span of two backticks', 'Write ``a ` <think>`` here', [text('Write ``a ` <think>`` here')]],
    ['keeps tags in a fence', '```xml\n<think>\n</think>\n```\n', [text('```xml\n<think>\n</think>\n```\n')]],
    ['keeps tags in a fence that is never closed', '```\n\n<think>', [text('```\n\n<think>')]],
    ['does not end a fence at backticks inside a line', '```\na ``` <think>\n```', [text('```\na ``` <think>\n```')]],
    ['finds tags after a fence', '```\na\n```\n<think>hm', [text('```\na\n```\n'), reasoning('hm')]],
    ['takes backticks closed on their line as a span', '```a``` <think>hm', [text('```a``` '), reasoning('hm')]],
    [
      'does not let a lone backtick hide tags behind a blank line',
      'a ` b\n\n<think>hm',
      [text('a ` b\n\n'), reasoning('hm')],
    ],
    ['ignores backticks in reasoning', '<think>a ` b</think>c', [reasoning('a ` b'), text('c')]],
  ])('%s', (_name, output, pieces) => {
    expect(filtered(output)).toEqual(pieces)
    expect(filtered(...output.split(''))).toEqual(pieces)
  })

  test('gives text on at once unless it may belong to a tag', () => {
    const filter = new ThinkFilter()
    expect(filter.push('Hello <')).toEqual([text('Hello ')])
    expect(filter.push('b>')).toEqual([text('<b>')])
  })

  const tricky = fc
    .array(
      fc.constantFrom(
        '<think>',
        '</think>',
        '<thinking>',
        '</thinking>',
        '<',
        '</',
        'think>',
        '`',
        '```',
        '\n',
        ' ',
        '1',
        '2',
        'b',
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join(''))

  const cuts = fc.array(fc.nat(120), { maxLength: 20 })

  function cut(output: string, positions: readonly number[]): string[] {
    const sorted = [...positions].sort((one, other) => one - other)
    return [0, ...sorted].map((start, index) => output.slice(start, sorted[index] ?? output.length))
  }

  test('gives the same result however the output is cut into chunks', () => {
    fc.assert(
      fc.property(tricky, cuts, (output, positions) => {
        expect(filtered(...cut(output, positions))).toEqual(filtered(output))
      }),
      { numRuns: 2_000 },
    )
  })

  test('loses nothing but tags and white space', () => {
    const digits = (words: string): string => words.replaceAll(/\D/g, '')
    fc.assert(
      fc.property(tricky, (output) => {
        const joined = filtered(output)
          .map((piece) => piece.text)
          .join('')
        expect(digits(joined)).toBe(digits(output))
        const lost = output.length - joined.length
        const tags = [...output.matchAll(/<\/?think(?:ing)?>/g)].reduce((sum, [tag]) => sum + tag.length, 0)
        const space = output.replaceAll(/\S/g, '').length
        expect(lost).toBeLessThanOrEqual(tags + space)
      }),
      { numRuns: 2_000 },
    )
  })

  test('gives every stretch of plain words back as what it was', () => {
    const words = fc.stringMatching(/^[a-z]{1,8}$/)
    const stretches = fc.array(fc.record({ type: fc.constantFrom('text' as const, 'reasoning' as const), text: words }))
    fc.assert(
      fc.property(stretches, (pieces) => {
        const output = pieces.map((piece) => (piece.type === 'text' ? piece.text : `<think>${piece.text}</think>`))
        expect(filtered(...output)).toEqual(merged(pieces))
      }),
    )
  })
})
