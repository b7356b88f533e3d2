import { MESSAGE_LIMIT } from './notices.ts'

/** One message with what a model thought, hidden until somebody looks; of much thinking its end. Undefined for none. */
export function reasoningMessage(reasoning: string): string | undefined {
  const text = reasoning.trim()
  if (text === '') return undefined
  const whole = message(TITLE, escaped(text))
  if (whole.length <= MESSAGE_LIMIT) return whole
  return message(TITLE_OF_END, escaped(endThatFits(text, MESSAGE_LIMIT - message(TITLE_OF_END, '').length)))
}

const TITLE = '-# 🧠 What the model thought'
const TITLE_OF_END = '-# 🧠 What the model thought, the end of it'

/** The space keeps a last character from becoming a part of the mark that closes. */
function message(title: string, text: string): string {
  return `${title}\n||${text} ||`
}

const MARKUP = /[\\`|<[@]/gu

/**
 * What could end the spoiler, or hide or mention something, is made plain text. A spoiler goes to the next two bars,
 * whatever stands between; with a backslash before each there are none.
 */
function escaped(text: string): string {
  return text.replace(MARKUP, (mark) => (mark === '@' ? '@\u200b' : `\\${mark}`))
}

/** As much of the end as is no longer than `limit` once it is escaped; it starts with a line or a word when one is near. */
function endThatFits(text: string, limit: number): string {
  const near = text.slice(-limit)
  let start = near.length
  let length = 0
  // The first grapheme of what was cut off may be half a one.
  for (const { segment, index } of [...GRAPHEMES.segment(near)].slice(1).reverse()) {
    length += escaped(segment).length
    if (length > limit) break
    start = index
  }
  const half = start + (near.length - start) / 2
  const line = near.indexOf('\n', start) + 1
  const gap = near.slice(start).search(/\s/) + start + 1
  const begin = [line, gap].find((place) => place > start && place <= half) ?? start
  return near.slice(begin).trimStart()
}

const GRAPHEMES = new Intl.Segmenter()
