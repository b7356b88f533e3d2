/** A stretch of text that should stay in one piece; `end` is infinite when it goes on past what was looked at. */
export interface InlineSpan {
  readonly start: number
  readonly end: number
}

const LINK = /!?\[[^[\]\n]*\]\([^()\s]*\)/g
const OPEN_LINK = /!?\[[^[\]\n]*(?:\]|\]\([^()\s]*)?$/
const ADDRESS = /https?:\/\/[\x21-\x7e]*/g
const OPEN_ADDRESS = /(?<!\w)ht{0,2}p?s?:?\/?$/

/**
 * Finds links, web addresses and inline code between two positions of one line; `to` is where the view ends.
 * What is still open there counts as going on, because the text behind `to` must not matter.
 */
export function findInlineSpans(text: string, from: number, to: number): InlineSpan[] {
  const line = text.slice(from, to)
  const links = matches(LINK, line)
  const spans = [...codeSpans(line), ...links]
  for (const { start, end } of matches(ADDRESS, line)) {
    // The address of a link seems to run on into what follows the link without a gap.
    const inLink = links.some((link) => link.start < start && start < link.end)
    if (!inLink) spans.push({ start, end: end === line.length ? OPEN : end })
  }
  const openAddress = OPEN_ADDRESS.exec(line)
  if (openAddress) spans.push({ start: openAddress.index, end: OPEN })
  const openLink = OPEN_LINK.exec(line)
  // A closed bracket at the very end is the text of a link only when its address follows.
  if (openLink && (!line.endsWith(']') || text[to] === '(')) spans.push({ start: openLink.index, end: OPEN })
  return spans.map(({ start, end }) => ({ start: start + from, end: end + from }))
}

const OPEN = Number.POSITIVE_INFINITY

function matches(pattern: RegExp, line: string): InlineSpan[] {
  return Array.from(line.matchAll(pattern), ({ 0: match, index }) => ({ start: index, end: index + match.length }))
}

/** Runs of backticks pair up with the next run of the same length; one without a partner may still find it. */
function codeSpans(line: string): InlineSpan[] {
  const runs = matches(/`+/g, line)
  const lengthOf = ({ start, end }: InlineSpan) => end - start
  const last = new Map(runs.map((run) => [lengthOf(run), run.start]))
  const spans: InlineSpan[] = []
  for (let index = 0; index < runs.length; index++) {
    const opening = runs[index]
    if (!opening) continue
    if ((last.get(lengthOf(opening)) ?? 0) <= opening.start) {
      // Three and more are rather a fence gone astray.
      if (lengthOf(opening) < 3) spans.push({ start: opening.start, end: OPEN })
      continue
    }
    while (index + 1 < runs.length) {
      index++
      const closing = runs[index]
      if (!closing || lengthOf(closing) !== lengthOf(opening)) continue
      spans.push({ start: opening.start, end: closing.end })
      break
    }
  }
  return spans
}
