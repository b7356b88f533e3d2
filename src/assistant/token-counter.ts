/** Counts the tokens of a text. */
export type TokenCounter = (text: string) => number

/**
 * The number of UTF-8 bytes, which no byte-level tokenizer exceeds in tokens.
 *
 * When a prompt is short enough by this measure, there is nothing to count: the common case costs
 * no tokenizer, neither its time nor its memory.
 */
export const byteCount: TokenCounter = (text) => Buffer.byteLength(text)

/**
 * OpenAI's o200k_base, loaded on first use. For models with another vocabulary it is an estimate,
 * usually within a tenth.
 */
export async function loadTokenCounter(): Promise<TokenCounter> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
  // Text that looks like a control token is text here.
  const options = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }
  return (text) => {
    let tokens = 0
    for (const [piece] of text.matchAll(PIECE)) tokens += countTokens(piece, options)
    return tokens
  }
}

/**
 * What is counted at once. A run without a gap, such as one letter over and over, costs the tokenizer the square of its
 * length: a file of them would keep the thread busy for a minute. A cut adds one token or two.
 */
const PIECE = /.{1,500}/gsu
