/** A fenced code block of a markdown text; positions are UTF-16 offsets. */
export interface CodeFence {
  /** The run of backticks or tildes that opens it. */
  readonly marker: string
  /** What follows the marker, usually the language; trimmed. */
  readonly info: string
  /** How far the fence is indented, list markers included; its end may be 3 further. */
  readonly column: number
  /** Where the marker starts. */
  readonly start: number
  /** Where the marker ends. */
  readonly markerEnd: number
  /** Where the visible part of the opening line ends. */
  readonly openEnd: number
  /** Where the closing line starts; infinite while the block is not closed. */
  readonly closeStart: number
  /** Where the closing marker ends; infinite while the block is not closed. */
  readonly closeEnd: number
  /** The line break after the closing line, or the end of the text; infinite while the block is not closed. */
  readonly end: number
}

type Opening = Omit<CodeFence, 'closeStart' | 'closeEnd' | 'end'>

/** White space and list markers, then perhaps a fence. */
const LINE_START = /([ \t]*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(`{3,}|~{3,})?/y
const CLOSING_LINE = /([ \t]*)(`{3,}|~{3,})[ \t]*\r?(?=\n|$)/y

/**
 * Finds the fenced code blocks of a text as CommonMark has them, also within list items, in linear time.
 * Only the first `scanLimit` characters behind a marker decide whether it opens a block, and an opening line that
 * has neither ended nor reached them opens none yet: so a longer text never takes back what a shorter one decided.
 */
export function findCodeFences(text: string, scanLimit: number): CodeFence[] {
  const fences: CodeFence[] = []
  let listColumn = 0
  for (let at = 0; at < text.length; ) {
    const lineEnd = endOfLine(text, at)
    const [, indent = '', list = '', marker] = matchAt(LINE_START, text, at) ?? []
    const column = indent.length + list.length
    const opening =
      marker && indent.length <= listColumn + 3 ? open(text, at + column, marker, column, scanLimit) : null
    if (list !== '') listColumn = column
    else if (indent === '' && lineEnd > at) listColumn = 0
    const fence = opening ? close(text, opening) : null
    if (fence) fences.push(fence)
    at = fence ? fence.end + 1 : lineEnd + 1
  }
  return fences
}

function open(text: string, start: number, marker: string, column: number, scanLimit: number): Opening | null {
  const markerEnd = start + marker.length
  const lineEnd = endOfLine(text, markerEnd)
  const scanned = text.slice(markerEnd, Math.min(lineEnd, markerEnd + scanLimit))
  if (marker.startsWith('`') && scanned.includes('`')) return null
  if (lineEnd === text.length && lineEnd < markerEnd + scanLimit) return null
  const line = text.slice(markerEnd, lineEnd).trimEnd()
  return { marker, info: line.trimStart(), start, markerEnd, openEnd: markerEnd + line.length, column }
}

function close(text: string, opening: Opening): CodeFence {
  for (let at = endOfLine(text, opening.openEnd) + 1; at < text.length; at = endOfLine(text, at) + 1) {
    const [, indent = '', run = ''] = matchAt(CLOSING_LINE, text, at) ?? []
    if (run.startsWith(opening.marker) && indent.length <= opening.column + 3) {
      const closeEnd = at + indent.length + run.length
      return { ...opening, closeStart: at, closeEnd, end: endOfLine(text, closeEnd) }
    }
  }
  const never = Number.POSITIVE_INFINITY
  return { ...opening, closeStart: never, closeEnd: never, end: never }
}

/** The shortest text that closes an unclosed block at the end of a text: a marker that is being written is completed. */
export function completionOf(text: string, fence: CodeFence): string {
  const lastLine = text.slice(text.lastIndexOf('\n') + 1)
  const [, indent = '', run = ''] = /^([ \t]*)(`*|~*)$/.exec(lastLine) ?? []
  const inBody = fence.openEnd < text.length - lastLine.length
  const begun = indent.length + run.length === lastLine.length && fence.marker.startsWith(run)
  return inBody && begun && indent.length <= fence.column + 3 ? fence.marker.slice(run.length) : `\n${fence.marker}`
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
