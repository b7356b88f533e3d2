import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { type PromptImage, withFileTexts } from '#domain/prompt-files.ts'
import type { PromptMessage } from '#domain/prompt-window.ts'

/** A message of a prompt as the chat completions API takes it: a text, or a text and pictures. */
export function chatMessage({ role, content, files }: PromptMessage): ChatCompletionMessageParam {
  // Half a character, as the text of a PDF can have, is no JSON to many servers.
  const text = (files ? withFileTexts(content, files) : content).toWellFormed()
  if (role !== 'user' || !files || files.images.length === 0) return { role, content: text }
  return { role, content: [{ type: 'text', text }, ...files.images.map(imagePart)] }
}

/** The picture itself goes along: what a link to it is worth ends, and the server may not reach it. */
function imagePart({ mediaType, bytes }: PromptImage): ChatCompletionContentPart {
  const { buffer, byteOffset, byteLength } = bytes
  const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${base64}` } }
}
