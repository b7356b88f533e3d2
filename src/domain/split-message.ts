import { type CodeFence, completionOf, findCodeFences } from './code-fences.ts'
import { findInlineSpans } from './inline-spans.ts'

/** What was taken out and put in at the edges of a part, so that the whole text can be put together again. */
interface Seam {
  /** White space before the part that belongs to no part; only the first part can have some. */
  readonly before: string
  /** The start of `content` that is not in the text: a code fence opened again. */
  readonly opened: string
  /** The end of `content` that is not in the text: a code fence closed. */
  readonly closed: string
  /** White space after the part that belongs to no part, and the end of a code block that `closed` stands for. */
  readonly after: string
}

export interface SeamedPart {
  readonly content: string
  readonly seam: Seam
}

/**
 * Splits a text into messages of at most `limit` UTF-16 units (50 or more); parts are never empty or blank.
 * Breaks fall, in this order, at a paragraph, a line, a sentence, a gap between words, or between two graphemes.
 * A code block that is cut is closed in one part and opened again in the next; one left open at the end is closed.
 * Links, addresses and inline code stay whole when they fit into a part.
 * While a text grows line by line, every part but the last keeps its content; a line of code that is being written can
 * still become the end of its block, and so change the end of the part before.
 */
export function splitMessage(text: string, limit = 2000): string[] {
  return splitWithSeams(text, limit).map(({ content }) => content)
}

/** Puts the text together again from its parts; exact unless the text was blank. */
export function joinSeams(parts: readonly SeamedPart[]): string {
  return parts
    .map(({ content, seam: { before, opened, closed, after } }) => {
      return before + content.slice(opened.length, content.length - closed.length) + after
    })
    .join('')
}

/** Splits like `splitMessage` and says what happened at each edge: see `Seam`. */
export function splitWithSeams(text: string, limit = 2000): SeamedPart[] {
  if (!Number.isInteger(limit) || limit < 50) throw new RangeError(`expected a limit of 50 or more, got ${limit}`)
  const splitting = new Splitting(text, limit)
  const parts: SeamedPart[] = []
  const first = splitting.firstStart()
  for (let from = first; from < text.length; ) {
    const opened = splitting.reopening(from)
    const end = splitting.endOfPart(from, opened.length)
    const next = splitting.startAfter(end)
    const closed = splitting.closing(end)
    const seam = { before: from === first ? text.slice(0, first) : '', opened, closed, after: text.slice(end, next) }
    parts.push({ content: opened + text.slice(from, end) + closed, seam })
    from = next
  }
  return parts
}

const VISIBLE = /\S/g
const LINE_BREAK_BEFORE_INDENT = /\n[^\S\n]*$/
const SENTENCE_END = /[.!?…]["'”’)\]*_]*(?=\s)|[。！？]/g
const WORD_GAP = /\s|(?<=[、，；：])/g
const GRAPHEMES = new Intl.Segmenter()

/** One text being split. Every decision on a part looks at most one grapheme further than the part can reach. */
class Splitting {
  readonly #text: string
  readonly #limit: number
  readonly #fences: readonly CodeFence[]
  readonly #longestMarker: number
  readonly #longestIndent: number

  constructor(text: string, limit: number) {
    this.#text = text
    this.#limit = limit
    this.#longestMarker = Math.floor(limit / 8)
    this.#longestIndent = Math.floor(limit / 8)
    this.#fences = findCodeFences(text, Math.floor(limit / 4))
  }

  /** The text's own indentation stays, blank lines at its start only when nothing has to be split. */
  firstStart(): number {
    const visible = this.#visibleFrom(0)
    if (visible === this.#text.length) return visible
    return this.#rest(0, 0) <= this.#limit ? 0 : this.#keepIndent(0, visible)
  }

  /** What has to open a part that starts in a code block. */
  reopening(from: number): string {
    const fence = this.#fenceAround(from)
    if (!fence) return ''
    const [language = ''] = fence.info.split(/\s/, 1)
    const longest = Math.floor(this.#limit / 4)
    const info = [fence.info, language].find((candidate) => candidate.length <= longest) ?? ''
    return `${this.#marker(fence)}${info}\n`
  }

  /** What has to close a part that ends in a code block. */
  closing(end: number): string {
    const fence = this.#fenceAround(end)
    if (!fence) return ''
    const atTextEnd = end === this.#text.length && fence.marker.length <= this.#longestMarker
    return atTextEnd ? completionOf(this.#text, fence) : `\n${this.#marker(fence)}`
  }

  /** Where a part ends that starts at `from` behind `openedLength` added units. */
  endOfPart(from: number, openedLength: number): number {
    if (this.#rest(from, openedLength) <= this.#limit) return this.#text.length
    return this.#chooseBreak(this.#visibleFrom(from), from + this.#limit - openedLength)
  }

  /** Where the part after a break starts: behind its white space, and behind a code block that ends there anyway. */
  startAfter(end: number): number {
    const visible = this.#visibleFrom(end)
    if (visible === this.#text.length) return visible
    const fence = this.#fenceAround(end)
    if (!fence) return this.#keepIndent(end, visible)
    if (visible < fence.closeStart)
      return this.#isLineBreak(end, visible) ? this.#keepIndent(end, visible) : this.#keepGap(end, visible)
    const afterBlock = this.#visibleFrom(fence.closeEnd)
    return afterBlock === this.#text.length ? afterBlock : this.#keepIndent(fence.closeEnd, afterBlock)
  }

  /** Length of a part that takes all the rest. */
  #rest(from: number, openedLength: number): number {
    const { length } = this.#text
    return openedLength + length - from + this.closing(length).length
  }

  /** Decides where to break; `first` is the first visible position of the part, `reach` where it must end at the latest. */
  #chooseBreak(first: number, reach: number): number {
    const half = reach - Math.floor((reach - first) / 2)
    const { last, fence } = this.#lastBreak(first, reach)
    if (fence && fence.start >= half) return this.#beforeFence(first, fence)
    const lineBreaks = this.#lineBreaks(first, last, half)
    if (lineBreaks.paragraph !== undefined) return lineBreaks.paragraph
    const { latest } = lineBreaks
    if (latest !== undefined && (latest >= half || this.#fenceAround(latest))) return latest
    const lineStart = Math.max(first, this.#text.lastIndexOf('\n', last - 1) + 1)
    return this.#breakInLine(lineStart, last, half) ?? latest ?? this.#cut(first, lineStart, last)
  }

  /** The last position where a part may end, and the code block it then ends in, whose closing line is allowed for. */
  #lastBreak(first: number, reach: number): { last: number; fence?: CodeFence } {
    const fence = this.#fenceNear(reach)
    if (!fence) return { last: reach }
    const last = Math.min(reach - 1 - this.#marker(fence).length, fence.closeStart - 1)
    if (reach >= fence.markerEnd && last > fence.openEnd) return { last, fence }
    // The block has only begun. Unless the part starts with it, it goes to the next part as a whole.
    return fence.start > first ? { last: fence.start } : { last, fence }
  }

  /** Before the line on which a fence starts, or within it when the part starts with that line. */
  #beforeFence(first: number, fence: CodeFence): number {
    const lineStart = this.#text.lastIndexOf('\n', fence.start) + 1
    return this.#trimEnd(lineStart > first ? lineStart : fence.start)
  }

  /** The latest line break, and the latest paragraph break outside of code in the second half. */
  #lineBreaks(first: number, last: number, half: number): { latest?: number; paragraph?: number } {
    let latest: number | undefined
    for (let at = last; ; ) {
      const lineBreak = this.#text.lastIndexOf('\n', at)
      const end = lineBreak < 0 ? first : this.#trimEnd(lineBreak)
      if (end <= first) break
      if (!this.#isOpeningLine(end)) {
        latest ??= end
        if (end < half) break
        if (this.#text.indexOf('\n', end) < lineBreak && !this.#fenceAround(end)) return { latest, paragraph: end }
      }
      at = end - 1
    }
    return latest === undefined ? {} : { latest }
  }

  /** A sentence end in the second half, else the latest word gap of the line. */
  #breakInLine(lineStart: number, last: number, half: number): number | undefined {
    const line = this.#text.slice(lineStart, last + 1)
    const inCode = this.#fenceAround(last) !== undefined
    const spans = inCode ? [] : this.#spans(lineStart, last)
    const isFree = (end: number) =>
      end > lineStart &&
      end <= last &&
      !this.#isOpeningLine(end) &&
      !this.#makesFence(lineStart, end, last) &&
      !spans.some(({ start, end: to }) => start < end && end < to)
    const sentences = inCode
      ? []
      : Array.from(line.matchAll(SENTENCE_END), ({ 0: match, index }) => index + match.length)
    const sentence = sentences.map((end) => lineStart + end).findLast((end) => end >= half && isFree(end))
    if (sentence !== undefined) return sentence
    const gaps = Array.from(line.matchAll(WORD_GAP), ({ index }) => lineStart + index)
    const gap = gaps.findLast((end) => isFree(end) && this.#trimEnd(end) > lineStart)
    if (gap === undefined) return undefined
    return inCode ? gap : this.#trimEnd(gap)
  }

  /** Between two graphemes, before an inline span that would be cut; inside a grapheme when it is longer than a part. */
  #cut(first: number, lineStart: number, last: number): number {
    const inCode = this.#fenceAround(last) !== undefined
    const cutSpans = inCode ? [] : this.#spans(lineStart, last).filter(({ start, end }) => start < last && last < end)
    const early = Math.min(last, ...cutSpans.map(({ start }) => start).filter((start) => start > first))
    const wanted = this.#makesFence(lineStart, early, last) ? this.#beforeRun(first, early) : early
    const window = this.#text.slice(first, wanted + 2)
    const boundary = first + (GRAPHEMES.segment(window).containing(wanted - first)?.index ?? wanted - first)
    if (boundary > first) return inCode ? boundary : this.#trimEnd(boundary)
    return this.#text.codePointAt(wanted - 1) === this.#text.charCodeAt(wanted - 1) ? wanted : wanted - 1
  }

  /** Tells whether a break within a line would make a fence of what only looks like one in the middle of a line. */
  #makesFence(lineStart: number, end: number, last: number): boolean {
    const before = this.#text.slice(lineStart, end)
    const after = this.#text.slice(end, last + 1).trimStart()
    const isClosing = this.#fenceAround(end) ? /^\s*(`{3,}|~{3,})\s*$/ : /^\s*(`{3,}[^`]*|~{3,}.*)$/
    return isClosing.test(before) || /^(`{3}|~{3}|`{1,2}$|~{1,2}$)/.test(after)
  }

  #beforeRun(first: number, end: number): number {
    let start = end
    while (start > first && /[`~\s]/.test(this.#text.charAt(start - 1))) start--
    return start > first ? start : end
  }

  /** The inline spans of a line that can be kept whole: not those that fill the part from its start to its end. */
  #spans(lineStart: number, last: number) {
    const spans = findInlineSpans(this.#text, lineStart, last)
    return spans.filter(({ start, end }) => Number.isFinite(end) || start > lineStart)
  }

  /** The code block around a break: one that would have to be closed before it and opened again behind it. */
  #fenceAround(at: number): CodeFence | undefined {
    const fence = this.#fenceNear(at)
    return fence && at >= fence.markerEnd && at < fence.closeStart ? fence : undefined
  }

  #isOpeningLine(at: number): boolean {
    const fence = this.#fenceNear(at)
    return fence !== undefined && at <= fence.openEnd
  }

  /** The fence whose lines, from its marker to the end of its closing line, lie around a position. */
  #fenceNear(at: number): CodeFence | undefined {
    let low = 0
    let high = this.#fences.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#fences[middle]?.end ?? 0) <= at) low = middle + 1
      else high = middle
    }
    const fence = this.#fences[low]
    return fence && fence.start < at ? fence : undefined
  }

  #marker(fence: CodeFence): string {
    return fence.marker.slice(0, this.#longestMarker)
  }

  #visibleFrom(at: number): number {
    VISIBLE.lastIndex = at
    return VISIBLE.exec(this.#text)?.index ?? this.#text.length
  }

  #isLineBreak(end: number, visible: number): boolean {
    const lineBreak = this.#text.indexOf('\n', end)
    return lineBreak >= 0 && lineBreak < visible
  }

  /** A gap within a line of code belongs to the code, unless it is long. */
  #keepGap(end: number, visible: number): number {
    return visible - end <= this.#longestIndent ? end : visible
  }

  /** Keeps the white space that indents a line, unless it is long. */
  #keepIndent(from: number, visible: number): number {
    const indent = LINE_BREAK_BEFORE_INDENT.exec(this.#text.slice(from, visible))
    const start = indent ? from + indent.index + 1 : from === 0 ? 0 : visible
    return visible - start <= this.#longestIndent ? start : visible
  }

  /** Where the visible text before a position ends. */
  #trimEnd(at: number): number {
    let end = at
    while (end > 0 && /\s/.test(this.#text.charAt(end - 1))) end--
    return end
  }
}
