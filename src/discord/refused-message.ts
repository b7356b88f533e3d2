import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import type { QuotedMessage } from '#domain/quoted-message.ts'
import { readMessage } from './intake.ts'
import { readMessageEvent } from './message-event.ts'
import { isApiError } from './reply-target.ts'

/** A message as its author wrote it. */
interface WrittenMessage {
  readonly userId: string
  readonly text: string
  /** What it replies to. */
  readonly quoted: QuotedMessage | undefined
  readonly hasFiles: boolean
}

/** Reads from Discord, which keeps it, what a message that was refused says; undefined when it is no longer there. */
export async function readRefusedMessage(
  rest: REST,
  { channelId, messageId, botId }: { readonly channelId: string; readonly messageId: string; readonly botId: string },
): Promise<WrittenMessage | undefined> {
  try {
    const message = readMessageEvent(await rest.get(Routes.channelMessage(channelId, messageId)), botId)
    const request = message && readMessage(message, botId)
    if (!request) return undefined
    const { userId, message: text, quoted, offered } = request
    return { userId, text, quoted, hasFiles: offered !== undefined }
  } catch (error) {
    if (isApiError(error, [RESTJSONErrorCodes.UnknownMessage])) return undefined
    throw error
  }
}
