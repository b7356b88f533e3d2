/** A stretch of a model's output. */
export interface OutputPiece {
  readonly type: 'text' | 'reasoning'
  readonly text: string
}

const OPENING_TAGS = ['<think>', '<thinking>']
const CLOSING_TAGS = ['</think>', '</thinking>']
const ALL_TAGS = [...OPENING_TAGS, ...CLOSING_TAGS]

/** A run of backticks, a line end, something that may be a tag, or anything up to the next of these. */
const TOKEN = /`+|\n|<|[^`\n<]+/y

interface CodeSpan {
  /** Backticks it was opened with. */
  readonly length: number
  /** A fence ends with a line of its own, an inline span anywhere and at the end of its paragraph. */
  readonly fence: boolean
}

/**
 * Parts a model's streamed output into answer and reasoning at `<think>` and `</think>`.
 *
 * The result does not depend on how the output is cut into chunks. Tags inside backticks are text.
 * Some chat templates have the opening tag in the prompt, so a closing tag alone is taken out too;
 * what stood before it cannot be called back. White space between reasoning and the first word of
 * the answer is dropped.
 */
export class ThinkFilter {
  #pending = ''
  #reasoning = false
  #code: CodeSpan | null = null
  /** The line that opens a fence: the same number of backticks on it makes it an inline span. */
  #onFenceLine = false
  #lineIsBlank = true
  #answerBegun = false
  #droppingSpace = false

  /** Takes more output; returns what is certain by now. */
  push(chunk: string): OutputPiece[] {
    return this.#drain(chunk, false)
  }

  /** Ends the output; returns what was held back. */
  flush(): OutputPiece[] {
    return this.#drain('', true)
  }

  #drain(chunk: string, ended: boolean): OutputPiece[] {
    const input = this.#pending + chunk
    const pieces: OutputPiece[] = []
    let position = 0
    while (position < input.length) {
      const token = this.#tokenAt(input, position, ended)
      if (token === undefined) break
      this.#take(token, pieces)
      position += token.length
    }
    this.#pending = input.slice(position)
    return pieces
  }

  /** The next token, or undefined when only more input can tell what it is. */
  #tokenAt(input: string, position: number, ended: boolean): string | undefined {
    TOKEN.lastIndex = position
    const token = TOKEN.exec(input)?.[0] ?? ''
    const atEnd = position + token.length === input.length && !ended
    if (token === '<') return this.#tagAt(input, position, ended)
    return token.startsWith('`') && atEnd ? undefined : token
  }

  #tagAt(input: string, position: number, ended: boolean): string | undefined {
    const rest = input.slice(position, position + '</thinking>'.length)
    const tags = this.#knownTags()
    const tag = tags.find((known) => rest.startsWith(known))
    if (tag) return tag
    const mayBecomeOne = !ended && tags.some((known) => known.startsWith(rest))
    return mayBecomeOne ? undefined : '<'
  }

  #knownTags(): readonly string[] {
    if (this.#reasoning) return CLOSING_TAGS
    return this.#code ? [] : ALL_TAGS
  }

  #take(token: string, pieces: OutputPiece[]): void {
    if (token.length > 1 && token.startsWith('<')) {
      this.#reasoning = OPENING_TAGS.includes(token)
      this.#droppingSpace = !this.#reasoning && !this.#answerBegun
    } else if (this.#reasoning) {
      append(pieces, 'reasoning', token)
    } else {
      this.#followCode(token)
      this.#takeText(token, pieces)
    }
  }

  #takeText(token: string, pieces: OutputPiece[]): void {
    const text = this.#droppingSpace ? token.trimStart() : token
    if (text === '') return
    this.#droppingSpace = false
    if (text.trim() !== '') this.#answerBegun = true
    append(pieces, 'text', text)
  }

  #followCode(token: string): void {
    if (token === '\n') {
      // A code span never crosses a blank line: a lone backtick must not hide tags for ever.
      if (this.#code && !this.#code.fence && this.#lineIsBlank) this.#code = null
      this.#onFenceLine = false
      this.#lineIsBlank = true
      return
    }
    if (token.startsWith('`')) this.#code = this.#codeAfter(token.length)
    if (token.trim() !== '') this.#lineIsBlank = false
  }

  #codeAfter(length: number): CodeSpan | null {
    const code = this.#code
    if (!code) {
      this.#onFenceLine = length >= 3 && this.#lineIsBlank
      return { length, fence: this.#onFenceLine }
    }
    if (!code.fence) return length === code.length ? null : code
    // Nothing after a fence on its line holds backticks, so this one was an inline span.
    if (this.#onFenceLine) return length === code.length ? null : { ...code, fence: false }
    return this.#lineIsBlank && length >= code.length ? null : code
  }
}

function append(pieces: OutputPiece[], type: OutputPiece['type'], text: string): void {
  const last = pieces.at(-1)
  if (last?.type === type) pieces[pieces.length - 1] = { type, text: last.text + text }
  else pieces.push({ type, text })
}
