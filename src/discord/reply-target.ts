import { DiscordAPIError, type REST, RESTJSONErrorCodes, Routes } from 'discord.js'

/** Where the answer to one request is shown, message by message. */
export interface ReplyTarget {
  /**
   * Sends one message and returns its id.
   *
   * @param nonce up to 25 characters, the same for each try of the same message: Discord returns the
   *   first one instead of sending it again.
   */
  post(content: string, nonce: string): Promise<string>
  edit(messageId: string, content: string): Promise<void>
  remove(messageId: string): Promise<void>
}

/** Nobody is ever mentioned by what Parley sends; edits parse mentions again, so this goes with each. */
const NO_MENTIONS = { parse: [], replied_user: false } as const

/** Discord ends an interaction's token after 15 minutes; the rest is left to the calls under way. */
const INTERACTION_LIFETIME_MS = 14.5 * 60_000

/** Replies in a channel, as a direct conversation is one too. */
export function channelTarget(rest: REST, channelId: string, replyTo: string | null): ReplyTarget {
  const reference = replyTo === null ? {} : { message_reference: { message_id: replyTo, fail_if_not_exists: false } }
  return {
    async post(content, nonce) {
      const body = { content, nonce, enforce_nonce: true, allowed_mentions: NO_MENTIONS, ...reference }
      return idOf(await rest.post(Routes.channelMessages(channelId), { body }))
    },
    async edit(messageId, content) {
      const body = { content, allowed_mentions: NO_MENTIONS }
      await rest.patch(Routes.channelMessage(channelId, messageId), { body })
    },
    async remove(messageId) {
      await rest.delete(Routes.channelMessage(channelId, messageId))
    },
  }
}

export interface Interaction {
  readonly applicationId: string
  readonly token: string
  readonly channelId: string
  /** ms since epoch */
  readonly createdAt: number
}

/**
 * Replies to an interaction that has been deferred. Once its token has ended, what is still to be
 * shown goes to the channel as normal messages.
 */
export function interactionTarget(rest: REST, interaction: Interaction, now: () => number): ReplyTarget {
  const { applicationId, token, channelId, createdAt } = interaction
  const channel = channelTarget(rest, channelId, null)
  const inChannel = new Set<string>()
  let answered = false

  const tokenEnded = () => now() - createdAt > INTERACTION_LIFETIME_MS
  const postToChannel = async (content: string, nonce: string) => {
    const id = await channel.post(content, nonce)
    inChannel.add(id)
    return id
  }
  const overWebhook = (messageId: string) => Routes.webhookMessage(applicationId, token, messageId)

  return {
    async post(content, nonce) {
      if (tokenEnded()) return postToChannel(content, nonce)
      const body = { content, allowed_mentions: NO_MENTIONS }
      try {
        const id = answered
          ? idOf(await rest.post(Routes.webhook(applicationId, token), { body, auth: false, query: WAIT }))
          : idOf(await rest.patch(overWebhook('@original'), { body, auth: false }))
        answered = true
        return id
      } catch (error) {
        if (isTokenEnded(error)) return postToChannel(content, nonce)
        throw error
      }
    },
    async edit(messageId, content) {
      if (inChannel.has(messageId)) return channel.edit(messageId, content)
      if (tokenEnded()) throw new InteractionEnded()
      const body = { content, allowed_mentions: NO_MENTIONS }
      await rest.patch(overWebhook(messageId), { body, auth: false })
    },
    async remove(messageId) {
      if (inChannel.has(messageId)) return channel.remove(messageId)
      await rest.delete(overWebhook(messageId), { auth: false })
    },
  }
}

/** Without it a webhook call does not say which message it made. */
const WAIT = new URLSearchParams({ wait: 'true' })

/** The message can no longer be edited: what it should show goes into a new one. */
export class InteractionEnded extends Error {
  override readonly name = 'InteractionEnded'

  constructor() {
    super('the interaction has ended')
  }
}

function isTokenEnded(error: unknown): boolean {
  return (
    error instanceof DiscordAPIError &&
    (error.code === RESTJSONErrorCodes.InvalidWebhookToken || error.code === RESTJSONErrorCodes.UnknownWebhook)
  )
}

function idOf(message: unknown): string {
  if (typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'string') {
    return message.id
  }
  throw new Error('expected a message with an id from Discord')
}
