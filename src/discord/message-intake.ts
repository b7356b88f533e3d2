import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { DirectChannel } from '#protocol/database.ts'
import type { ForgetScope } from '#protocol/personal-records.ts'
import type { DiscordAsker } from './access-check.ts'
import { Debounce } from './debounce.ts'
import type { DiscordConnection } from './discord-connection.ts'
import { guarded } from './guarded.ts'
import { type AskedRequest, readMessage } from './intake.ts'
import { readMessageEvent } from './message-event.ts'
import type { QuestionIntake } from './question-intake.ts'
import type { ReplyTargets } from './reply-targets.ts'

export interface MessageIntakeOptions {
  readonly connection: Pick<DiscordConnection, 'botId'>
  readonly intake: Pick<QuestionIntake, 'take'>
  readonly targets: Pick<ReplyTargets, 'below'>
  /** Tells whether a message is new, and remembers it. */
  readonly isNew: (messageId: string) => boolean
  /** Notes how far a conversation was read in which nothing was taken in. */
  readonly markRead: (channel: DirectChannel) => void
  /** Messages of one person in one channel within this time of each other become one question; 0 for never. */
  readonly debounceMs: number
  /** In UTF-16 code units. */
  readonly maxMessageLength: number
  readonly clock: Clock
  readonly log: Log
}

const DIRECT = { guildId: null, roleIds: [] }

/** What people write becomes questions, answered below their messages. */
export class MessageIntake {
  readonly #options: MessageIntakeOptions
  readonly #debounce: Debounce
  #closed: Promise<void> | undefined

  constructor(options: MessageIntakeOptions) {
    const { debounceMs, maxMessageLength, clock, log } = options
    this.#options = options
    this.#debounce = new Debounce({
      windowMs: debounceMs,
      maxLength: maxMessageLength,
      clock,
      take: ({ request, messageId, member }) => guarded(this.take(request, messageId, member), log),
    })
  }

  /** The payload of a MESSAGE_CREATE. */
  hear(payload: unknown): void {
    void guarded(this.#hear(payload), this.#options.log)
  }

  /** Offers what a message asks; without a member, it is a direct message. */
  async take(
    request: AskedRequest,
    messageId: string,
    member: Pick<DiscordAsker, 'guildId' | 'roleIds'> = DIRECT,
  ): Promise<void> {
    const { intake, targets } = this.#options
    const { userId, channelId } = request
    const asker = { userId, channelId, guildId: member.guildId, roleIds: member.roleIds }
    const refused = await intake.take({ request, asker, target: targets.below(channelId, messageId) }, messageId)
    // Who was refused has been asked to write again: it must not be taken in at the next start.
    if (refused && member.guildId === null) this.#markRead(request, messageId)
  }

  /**
   * Takes back what somebody has written and may go on writing, everywhere or in one server; tells whether there was
   * anything.
   */
  withdraw({ userId, serverId }: ForgetScope): boolean {
    const withdrawn = this.#debounce.withdraw(
      ({ request }) => request.userId === userId && (serverId === null || request.serverId === serverId),
    )
    for (const { request, messageId, member } of withdrawn) {
      // It must not be taken in at the next start either.
      if (member.guildId === null) this.#markRead(request, messageId)
    }
    return withdrawn.length > 0
  }

  /** Waits for no further messages; resolves when those that were waited with have been offered. */
  close(): Promise<void> {
    this.#closed ??= this.#debounce.close()
    return this.#closed
  }

  #markRead({ channelId, userId }: AskedRequest, lastMessageId: string): void {
    this.#options.markRead({ channelId, userId, lastMessageId })
  }

  async #hear(payload: unknown): Promise<void> {
    const { connection, isNew } = this.#options
    const { botId } = connection
    const message = readMessageEvent(payload, botId)
    const request = message && readMessage(message, botId)
    if (!request || !isNew(message.id)) return
    await this.#debounce.add({ request, messageId: message.id, member: message })
  }
}
