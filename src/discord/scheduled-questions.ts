import { type REST, Routes } from 'discord.js'
import { type ConversationRequest, isDirect } from '#domain/request.ts'
import type { GateRefusal, Refusal } from '#protocol/queue.ts'
import type { Delivery } from './delivery.ts'
import type { AskedRequest } from './intake.ts'
import { laneOf } from './lane.ts'
import { rolesOf } from './member-roles.ts'
import type { Question } from './question-intake.ts'
import { isApiError } from './reply-target.ts'
import type { ReplyTargets } from './reply-targets.ts'
import { NO_MEMBER } from './shared-servers.ts'

export interface ScheduledQuestionsOptions {
  readonly rest: REST
  /** Says when may be looked for what can wait. */
  readonly turns: Pick<Delivery, 'call'>
  readonly targets: Pick<ReplyTargets, 'ofScheduled'>
  /** Offers a question to the queue as any other: who may not ask any more is refused. */
  readonly offer: (question: Question) => Promise<Refusal | GateRefusal | undefined>
}

const LEFT: GateRefusal = {
  code: 'ACCESS_DENIED',
  message: 'You or Parley are no longer in the server this was to be asked in. It was not asked.',
}

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
    return this.#options.offer({ request: askedOf(request), asker, target: this.#options.targets.ofScheduled(request) })
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
      return rolesOf(await turns.call(need, (own) => rest.get(route, { signal: own }), signal))
    } catch (error) {
      if (isApiError(error, NO_MEMBER)) return undefined
      throw error
    }
  }
}

function askedOf(request: ConversationRequest): AskedRequest {
  const { id, notBefore, missed, userId, serverId, channelId, message, directServerName } = request
  return {
    userId,
    serverId,
    channelId,
    message,
    discordMessageId: null,
    interactionToken: null,
    ...(directServerName !== null && { directServerName }),
    scheduled: { id, notBefore, ...(missed && { missed }) },
  }
}
