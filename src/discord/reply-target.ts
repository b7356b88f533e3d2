import { DiscordAPIError, type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import type { CardMessage } from './card-buttons.ts'
import { changeOf, creationOf, withoutFiles } from './card-files.ts'
import { readMessagesAfter } from './channel-messages.ts'
import { type Lane, laneOf } from './lane.ts'
import { type FoundMessage, findOwnMessages, type OwnMessage } from './own-messages.ts'

/** What a target does, each with one call as a rule. */
export type TargetCall = 'find' | 'post' | 'edit' | 'remove' | 'type'

/** Where the answer to one request is shown, message by message. */
export interface ReplyTarget {
  /**
   * Sends one message and returns its id.
   *
   * @param nonce up to 25 characters, the same for each try of the same message: Discord returns the
   *   first one instead of sending it again.
   */
  post(message: CardMessage, nonce: string): Promise<string>
  edit(messageId: string, message: CardMessage): Promise<void>
  /** Takes a message away; the answer to a command stays and points to what came below. */
  remove(messageId: string): Promise<void>
  /**
   * Looks on Discord for what answers the question already, oldest first.
   *
   * @param knownIds messages that do.
   */
  find(knownIds: readonly string[]): Promise<readonly FoundMessage[]>
  /** What Discord counts a call with, which for an edit or a removal is of this message. */
  lane(call: TargetCall, messageId?: string): Lane
  /** Shows "… is typing". */
  type(): Promise<void>
  /** Ends the calls under way; no more may follow. */
  abort(): void
}

/** The message can no longer be edited: what it should show goes into a new one. */
export class InteractionEnded extends Error {
  override readonly name = 'InteractionEnded'

  constructor() {
    super('the interaction has ended')
  }
}

/** Nobody is ever mentioned by what Parley sends; edits parse mentions again, so this goes with each. */
export const NO_MENTIONS = { parse: [], replied_user: false } as const

/** Where a question was asked. */
export interface ChannelQuestion {
  readonly channelId: string
  /** The message or the interaction. */
  readonly questionId: string
  readonly botId: string
}

/** So far an answer is looked for; in a direct conversation, and in most channels, all there is. */
const SEARCHED_MESSAGES = 300

/** Replies in a channel, as a direct conversation is one too. */
export class ChannelTarget implements ReplyTarget {
  readonly #rest: REST
  readonly #question: ChannelQuestion
  readonly #aborter = new AbortController()
  #replyTo: string | null

  /** @param replyTo the message that is answered. */
  constructor(rest: REST, question: ChannelQuestion, replyTo: string | null = question.questionId) {
    this.#rest = rest
    this.#question = question
    this.#replyTo = replyTo
  }

  /** From now on messages answer this one, or none. */
  replyTo(messageId: string | null): void {
    this.#replyTo = messageId
  }

  async post(message: CardMessage, nonce: string): Promise<string> {
    try {
      return await withFilesWhereAllowed(message, (allowed) => this.#post(allowed, nonce))
    } catch (error) {
      if (this.#replyTo === null || !isApiError(error, [CANNOT_REPLY])) throw error
      this.#replyTo = null
      return withFilesWhereAllowed(message, (allowed) => this.#post(allowed, nonce))
    }
  }

  edit(messageId: string, message: CardMessage): Promise<void> {
    return withFilesWhereAllowed(message, (allowed) => this.#edit(messageId, allowed))
  }

  async #edit(messageId: string, message: CardMessage): Promise<void> {
    const { body, files } = changeOf(message)
    await this.#rest.patch(Routes.channelMessage(this.#question.channelId, messageId), {
      body: { ...body, allowed_mentions: NO_MENTIONS },
      files,
      signal: this.#aborter.signal,
    })
  }

  async remove(messageId: string): Promise<void> {
    await this.#rest.delete(Routes.channelMessage(this.#question.channelId, messageId), {
      signal: this.#aborter.signal,
    })
  }

  async find(knownIds: readonly string[]): Promise<readonly OwnMessage[]> {
    const { channelId, questionId, botId } = this.#question
    const { signal } = this.#aborter
    const messages = await readMessagesAfter(this.#rest, channelId, questionId, SEARCHED_MESSAGES, signal)
    return findOwnMessages(messages, { id: questionId, botId, knownIds })
  }

  lane(call: TargetCall, messageId?: string): Lane {
    return laneOf(METHODS[call], this.#route(call, messageId))
  }

  async type(): Promise<void> {
    await this.#rest.post(this.#route('type'), { signal: this.#aborter.signal })
  }

  abort(): void {
    this.#aborter.abort()
  }

  #route(call: TargetCall, messageId?: string): `/${string}` {
    const { channelId } = this.#question
    if (call === 'type') return Routes.channelTyping(channelId)
    return messageId === undefined ? Routes.channelMessages(channelId) : Routes.channelMessage(channelId, messageId)
  }

  async #post(message: CardMessage, nonce: string): Promise<string> {
    const reply = this.#replyTo === null ? {} : { message_reference: reference(this.#replyTo) }
    const { body: shown, files } = creationOf(message)
    const body = { ...shown, nonce, enforce_nonce: true, allowed_mentions: NO_MENTIONS, ...reply }
    const { signal } = this.#aborter
    return idOf(await this.#rest.post(Routes.channelMessages(this.#question.channelId), { body, files, signal }))
  }
}

const METHODS: Readonly<Record<TargetCall, string>> = {
  find: 'GET',
  post: 'POST',
  edit: 'PATCH',
  remove: 'DELETE',
  type: 'POST',
}

/** In servers files need a permission of their own; an answer is not lost for the want of it. */
async function withFilesWhereAllowed<T>(message: CardMessage, send: (message: CardMessage) => Promise<T>): Promise<T> {
  try {
    return await send(message)
  } catch (error) {
    if (!message.files || !isApiError(error, [RESTJSONErrorCodes.MissingPermissions])) throw error
    return send(withoutFiles(message))
  }
}

/** In servers a reply needs the permission to read what was written before. */
const CANNOT_REPLY = RESTJSONErrorCodes.CannotReplyWithoutPermissionToReadMessageHistory

/** A question that was deleted meanwhile is answered all the same. */
function reference(messageId: string) {
  return { message_id: messageId, fail_if_not_exists: false }
}

/** Tells whether Discord refused a call with one of these codes. */
export function isApiError(error: unknown, codes: readonly RESTJSONErrorCodes[]): boolean {
  return error instanceof DiscordAPIError && codes.some((code) => code === error.code)
}

/** The id of a message that Discord's API returned. */
export function idOf(message: unknown): string {
  if (typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'string') {
    return message.id
  }
  throw new Error('expected a message with an id from Discord')
}
