import { type ConversationRequest, isScheduled } from '#domain/request.ts'
import type { DiscordConnection } from './discord-connection.ts'
import { InteractionTarget, type ReceivedInteraction } from './interaction-target.ts'
import { ChannelTarget, type ReplyTarget } from './reply-target.ts'
import { snowflakeAt } from './snowflake.ts'

/** Discord's clock and the host's may differ by so much. */
const SKEW_MS = 60_000

/** Where answers are shown; to be asked once the connection has started. */
export class ReplyTargets {
  readonly #connection: Pick<DiscordConnection, 'rest' | 'botId' | 'applicationId'>
  readonly #now: () => number

  constructor(connection: Pick<DiscordConnection, 'rest' | 'botId' | 'applicationId'>, now: () => number) {
    this.#connection = connection
    this.#now = now
  }

  /** Below a message, as a reply to it. */
  below(channelId: string, messageId: string): ReplyTarget {
    const { rest, botId } = this.#connection
    return new ChannelTarget(rest, { channelId, questionId: messageId, botId })
  }

  /** As the answer to a command, or below the message whose button was pressed. */
  ofInteraction(interaction: Omit<ReceivedInteraction, 'applicationId' | 'botId'>): ReplyTarget {
    const { rest, botId, applicationId } = this.#connection
    return new InteractionTarget(rest, { ...interaction, applicationId, botId }, this.#now)
  }

  /** Of what was scheduled: its answer replies to nothing, as nobody has written a message. */
  ofScheduled({ channelId, timestamp }: Pick<ConversationRequest, 'channelId' | 'timestamp'>): ReplyTarget {
    const { rest, botId } = this.#connection
    // What is looked for on Discord is younger than this.
    const questionId = snowflakeAt(timestamp - SKEW_MS)
    return new ChannelTarget(rest, { channelId, questionId, botId }, null)
  }

  /** Where a request of an earlier process is shown; its interaction has been acknowledged by that. */
  of(request: ConversationRequest): ReplyTarget {
    const { id, channelId, timestamp, discordMessageId, interactionToken: token } = request
    if (isScheduled(request)) return this.ofScheduled(request)
    const questionId = discordMessageId ?? id
    if (token === null) return this.below(channelId, questionId)
    return this.ofInteraction({ id: questionId, token, channelId, receivedAt: timestamp, acknowledged: true })
  }
}
