import { type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { type ConversationRequest, isDirect } from '#domain/request.ts'
import type { GateRefusal, Refusal } from '#protocol/queue.ts'
import type { Delivery } from './delivery.ts'
import type { AskedRequest } from './intake.ts'
import { laneOf } from './lane.ts'
import { rolesOf } from './member-roles.ts'
import type { Question } from './question-intake.ts'
import { ChannelTarget, isApiError, type ReplyTarget } from './reply-target.ts'
import { snowflakeAt } from './snowflake.ts'

export interface ScheduledQuestionsOptions {
  readonly rest: REST
  /** Says when may be looked for what can wait. */
  readonly turns: Pick<Delivery, 'call'>
  readonly botId: () => string
  /** Offers a question to the queue as any other: who may not ask any more is refused. */
  readonly offer: (question: Question) => Promise<Refusal | GateRefusal | undefined>
}

const LEFT: GateRefusal = {
  code: 'ACCESS_DENIED',
  message: 'You or Parley are no longer in the server this was to be asked in. It was not asked.',
}

/** Discord's clock and the host's may differ by so much. */
const SKEW_MS = 60_000

/** Asks what was scheduled for the people who wanted it, as if they asked it now. */
export class ScheduledQuestions {
  readonly #options: ScheduledQuestionsOptions
  readonly #aborter = new AbortController()

  constructor(options: ScheduledQuestionsOptions) {
    this.#options = options
  }

  /** Undefined when it was taken in. Rejects when Discord does not say who may ask. */
  async ask(request: ConversationRequest): Promise<Refusal | GateRefusal | undefined> {
    const { userId, channelId, serverId } = request
    const guildId = isDirect(request) ? null : serverId
    const roleIds = guildId === null ? [] : await this.#rolesIn(guildId, userId)
    if (!roleIds) return LEFT
    const asker = { userId, channelId, guildId, roleIds }
    return this.#options.offer({ request: askedOf(request), asker, target: this.targetOf(request) })
  }

  /** Its answer replies to nothing: nobody has written a message. */
  targetOf({ channelId, timestamp }: Pick<ConversationRequest, 'channelId' | 'timestamp'>): ReplyTarget {
    const { rest, botId } = this.#options
    // What is looked for on Discord is younger than this.
    const questionId = snowflakeAt(timestamp - SKEW_MS)
    return new ChannelTarget(rest, { channelId, questionId, botId: botId() }, null)
  }

  /** Looks nothing up any more. */
  stop(): void {
    this.#aborter.abort()
  }

  /** Undefined for who is no member; roles may have changed since it was scheduled. */
  async #rolesIn(guildId: string, userId: string): Promise<readonly string[] | undefined> {
    const { rest, turns } = this.#options
    const { signal } = this.#aborter
    const route = Routes.guildMember(guildId, userId)
    try {
      const need = { urgency: 'reading', lane: laneOf('GET', route) } as const
      return rolesOf(await turns.call(need, () => rest.get(route, { signal }), signal))
    } catch (error) {
      if (isApiError(error, GONE)) return undefined
      throw error
    }
  }
}

function askedOf(request: ConversationRequest): AskedRequest {
  const { id, timestamp, notBefore, missed, userId, serverId, channelId, message, directServerName } = request
  return {
    userId,
    serverId,
    channelId,
    message,
    discordMessageId: null,
    interactionToken: null,
    ...(directServerName !== null && { directServerName }),
    scheduled: { id, timestamp, notBefore, ...(missed && { missed }) },
  }
}

const GONE = [RESTJSONErrorCodes.UnknownMember, RESTJSONErrorCodes.UnknownGuild, RESTJSONErrorCodes.MissingAccess]
