import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import { type CardMessage, readButtons } from './card-buttons.ts'
import { changeOf, creationOf, readFiles } from './card-files.ts'
import { type Lane, laneOf } from './lane.ts'
import type { FoundMessage } from './own-messages.ts'
import {
  ChannelTarget,
  InteractionEnded,
  idOf,
  isApiError,
  NO_MENTIONS,
  type ReplyTarget,
  type TargetCall,
} from './reply-target.ts'

export interface ReceivedInteraction {
  readonly id: string
  readonly applicationId: string
  readonly token: string
  readonly channelId: string
  readonly botId: string
  /** When it came, ms since epoch. */
  readonly receivedAt: number
  /** Whether Discord waits for the answer; without that its token is worth nothing. */
  readonly acknowledged: boolean
  /** The message whose button was pressed, for a press: that is the interaction's own answer and stays, and is replied to. */
  readonly pressedId?: string
}

/** Discord ends an interaction's token after 15 minutes; the rest is left to the calls under way. */
const INTERACTION_LIFETIME_MS = 14.5 * 60_000

/** Without it a webhook call does not say which message it made. */
const WAIT = new URLSearchParams({ wait: 'true' })

/**
 * Replies to an interaction that has been deferred: its own answer is the first message, but for a press. All others are
 * normal messages, as those have a nonce and so are never sent twice; the interaction's webhook is used
 * only where the bot may not write. Once the token has ended, what is still to be shown goes into normal
 * messages, too.
 */
export class InteractionTarget implements ReplyTarget {
  readonly #rest: REST
  readonly #interaction: ReceivedInteraction
  readonly #now: () => number
  readonly #channel: ChannelTarget
  readonly #aborter = new AbortController()
  readonly #inChannel = new Set<string>()
  /** Messages whose beginning of an answer has moved to another one. */
  readonly #stale: string[] = []
  #answered: boolean
  /** The interaction's own answer: with it the question would go from sight. */
  #originalId: string | undefined
  #tokenEnded: boolean
  #mayWrite = true

  constructor(rest: REST, interaction: ReceivedInteraction, now: () => number) {
    this.#rest = rest
    this.#interaction = interaction
    this.#now = now
    this.#tokenEnded = !interaction.acknowledged
    const { id, channelId, botId, pressedId } = interaction
    this.#answered = pressedId !== undefined
    this.#channel = new ChannelTarget(rest, { channelId, questionId: pressedId ?? id, botId }, pressedId ?? null)
  }

  async post(message: CardMessage, nonce: string): Promise<string> {
    const id = this.#answered || this.#hasEnded() ? undefined : await this.#answer(message)
    return id ?? this.#postFurther(message, nonce)
  }

  async edit(messageId: string, message: CardMessage): Promise<void> {
    if (this.#inChannel.has(messageId)) return this.#channel.edit(messageId, message)
    try {
      if (this.#hasEnded()) throw new InteractionEnded()
      await this.#patch(messageId, message)
    } catch (error) {
      if (!this.#endsToken(error)) throw error
      this.#stale.push(messageId)
      this.#channel.replyTo(null)
      throw new InteractionEnded()
    }
  }

  async remove(messageId: string): Promise<void> {
    if (this.#inChannel.has(messageId) || this.#hasEnded()) return this.#channel.remove(messageId)
    try {
      await this.#removeByToken(messageId)
    } catch (error) {
      if (!this.#endsToken(error)) throw error
      await this.#channel.remove(messageId)
    }
  }

  async #removeByToken(messageId: string): Promise<void> {
    if (messageId === this.#originalId) await this.#patch(messageId, { content: ANSWERED_BELOW, components: [] })
    else await this.#rest.delete(this.#message(messageId), { auth: false, signal: this.#aborter.signal })
  }

  /** That of the first call, should more than one be needed. */
  lane(call: TargetCall, messageId?: string): Lane {
    return this.#isInChannel(call, messageId)
      ? this.#channel.lane(call, messageId)
      : laneOf('', this.#message('@original'))
  }

  #isInChannel(call: TargetCall, messageId: string | undefined): boolean {
    if (messageId !== undefined) return this.#inChannel.has(messageId) || this.#hasEnded()
    return call === 'find' || this.#hasEnded() || (this.#answered && this.#mayWrite)
  }

  async find(knownIds: readonly string[]): Promise<readonly FoundMessage[]> {
    const isOwn = this.#interaction.pressedId === undefined && !this.#hasEnded()
    const original = isOwn ? await this.#findOriginal() : undefined
    const known = original ? [original.messageId, ...knownIds] : knownIds
    const inChannel = await this.#findInChannel(known)
    this.#answered = true
    if (!original || inChannel.some(({ messageId }) => messageId === original.messageId)) return inChannel
    return [original, ...inChannel]
  }

  /** Discord itself shows that an answer to a command is being waited for. */
  async type(): Promise<void> {
    if (this.#interaction.pressedId !== undefined) await this.#channel.type()
  }

  abort(): void {
    this.#aborter.abort()
    this.#channel.abort()
  }

  /** Fills the interaction's own answer; undefined when it can no longer be. */
  async #answer(message: CardMessage): Promise<string | undefined> {
    try {
      const id = idOf(await this.#patch('@original', message))
      this.#answered = true
      this.#originalId = id
      this.#channel.replyTo(id)
      return id
    } catch (error) {
      const deleted = isApiError(error, [RESTJSONErrorCodes.UnknownMessage])
      if (!deleted && !this.#endsToken(error)) throw error
      this.#answered = true
      return undefined
    }
  }

  /** The interaction's own answer, perhaps still waiting for its text; undefined when it was deleted or is out of reach. */
  async #findOriginal(): Promise<FoundMessage | undefined> {
    try {
      const options = { auth: false, signal: this.#aborter.signal }
      const found = original.parse(await this.#rest.get(this.#message('@original'), options))
      const { id, content, components, attachments } = found
      this.#originalId = id
      this.#channel.replyTo(id)
      return { messageId: id, content, buttons: readButtons(components), files: readFiles(attachments), isOurs: true }
    } catch (error) {
      const deleted = isApiError(error, [RESTJSONErrorCodes.UnknownMessage])
      if (!deleted && !this.#endsToken(error)) throw error
      return undefined
    }
  }

  /** Where the bot may not read, its follow-ups are out of reach. */
  async #findInChannel(knownIds: readonly string[]): Promise<readonly FoundMessage[]> {
    try {
      const found = await this.#channel.find(knownIds)
      for (const { messageId, ofInteraction } of found) if (!ofInteraction) this.#inChannel.add(messageId)
      return found
    } catch (error) {
      if (!isApiError(error, FORBIDDEN)) throw error
      return []
    }
  }

  async #postFurther(message: CardMessage, nonce: string): Promise<string> {
    try {
      if (!this.#mayWrite) return await this.#followUp(message)
      const id = await this.#channel.post(message, nonce)
      this.#inChannel.add(id)
      await this.#removeStale()
      return id
    } catch (error) {
      if (!this.#mayWrite || this.#hasEnded() || !isApiError(error, FORBIDDEN)) throw error
      this.#mayWrite = false
      return this.#followUp(message)
    }
  }

  async #followUp(message: CardMessage): Promise<string> {
    const { applicationId, token } = this.#interaction
    const { body: shown, files } = creationOf(message)
    const body = { ...shown, allowed_mentions: NO_MENTIONS }
    const options = { body, files, auth: false, query: WAIT, signal: this.#aborter.signal }
    return idOf(await this.#rest.post(Routes.webhook(applicationId, token), options))
  }

  #patch(messageId: string, message: CardMessage): Promise<unknown> {
    const { body: shown, files } = changeOf(message)
    const body = { ...shown, allowed_mentions: NO_MENTIONS }
    return this.#rest.patch(this.#message(messageId), { body, files, auth: false, signal: this.#aborter.signal })
  }

  /** What they show is shown elsewhere by now; where they cannot be removed they stay. */
  async #removeStale(): Promise<void> {
    for (const messageId of this.#stale.splice(0)) {
      await this.#channel.remove(messageId).catch(() => undefined)
    }
  }

  #message(messageId: string) {
    const { applicationId, token } = this.#interaction
    return Routes.webhookMessage(applicationId, token, messageId)
  }

  #hasEnded(): boolean {
    return this.#tokenEnded || this.#now() - this.#interaction.receivedAt > INTERACTION_LIFETIME_MS
  }

  /** Tells whether a call failed because the token has ended, and remembers it. */
  #endsToken(error: unknown): boolean {
    this.#tokenEnded ||= isApiError(error, TOKEN_ENDED)
    return this.#hasEnded()
  }
}

const ANSWERED_BELOW = '⤵️ Answered below.'

const original = z.object({
  id: z.string(),
  content: z.string(),
  components: z.unknown().optional(),
  attachments: z.unknown().optional(),
})

const TOKEN_ENDED = [RESTJSONErrorCodes.InvalidWebhookToken, RESTJSONErrorCodes.UnknownWebhook]
/** Also of a direct conversation whose user has blocked the bot, or only allows it to answer. */
const FORBIDDEN = [
  RESTJSONErrorCodes.MissingAccess,
  RESTJSONErrorCodes.MissingPermissions,
  RESTJSONErrorCodes.CannotSendMessagesToThisUser,
  RESTJSONErrorCodes.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds,
]
