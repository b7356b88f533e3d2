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
  return (text) => countTokens(text, { allowedSpecial: new Set(), disallowedSpecial: new Set() })
}
