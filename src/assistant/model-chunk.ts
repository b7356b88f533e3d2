import { z } from 'zod'
import type { TokenUsage } from '#domain/conversation.ts'

/** What one chunk of a streamed chat completion says. */
export interface ModelChunk {
  readonly content: string
  readonly reasoning: string
  readonly refusal: string
  readonly finishReason: string | null
  readonly usage: TokenUsage | null
}

const text = z.string().nullish().catch(null)

/** Mistral's models that think send parts in the place of a text. */
const part = z.object({ text, thinking: z.array(z.object({ text })).nullish().catch(null) })
const content = z.string().or(z.array(part)).nullish().catch(null)

const tokens = z.int().nonnegative()

/** Servers differ in what they leave out or fill with null, so each field stands for itself. */
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content, reasoning_content: text, reasoning: text, refusal: text }).nullish().catch(null),
        finish_reason: text,
      }),
    )
    .nullish()
    .catch(null),
  usage: z.object({ prompt_tokens: tokens, completion_tokens: tokens }).nullish().catch(null),
})

/** Reads a chunk as any OpenAI-compatible server may send it; what is not understood is left out. */
export function readModelChunk(chunk: unknown): ModelChunk {
  const { choices, usage } = chunkSchema.safeParse(chunk).data ?? {}
  const choice = choices?.[0]
  const delta = choice?.delta
  const parts = typeof delta?.content === 'string' ? [{ text: delta.content }] : (delta?.content ?? [])
  return {
    content: joined(parts),
    // Some servers fill both fields with the same words.
    reasoning: delta?.reasoning_content || delta?.reasoning || joined(parts.flatMap(({ thinking }) => thinking ?? [])),
    refusal: delta?.refusal ?? '',
    finishReason: choice?.finish_reason || null,
    usage: usage ? { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } : null,
  }
}

function joined(parts: readonly { readonly text?: string | null | undefined }[]): string {
  return parts.map(({ text }) => text ?? '').join('')
}
