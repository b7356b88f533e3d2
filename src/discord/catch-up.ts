import { type REST, Routes } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DatabaseApi, DirectChannel } from '#protocol/database.ts'
import { type RawMessage, readMessagesAfter } from './channel-messages.ts'
import type { Delivery } from './delivery.ts'
import { readDeliveryProblem } from './delivery-problem.ts'
import { type AskedRequest, joinRequests, readMessage } from './intake.ts'
import { laneOf } from './lane.ts'
import { readMessageEvent } from './message-event.ts'
import { answeredIn } from './own-messages.ts'
import { patiently } from './patiently.ts'
import { byAge, snowflakeAt } from './snowflake.ts'

/** How much of what came while Parley was away is looked at. */
export interface CatchUpLimits {
  /** Older messages are left alone. */
  readonly ageMs: number
  /** Direct conversations, those used last first. */
  readonly channels: number
  /** Of each of them; 0 switches it off. */
  readonly messages: number
  /** The longest text of a request. */
  readonly maxMessageLength?: number
}

export interface CatchUpOptions {
  readonly limits: CatchUpLimits
  readonly rest: REST
  /** Says when a channel may be read. */
  readonly turns: Pick<Delivery, 'call'>
  readonly store: Pick<DatabaseApi, 'directChannels'>
  readonly clock: Clock
  readonly log: Log
  /** Tells whether a message is new, and remembers it. */
  readonly isNew: (messageId: string) => boolean
  /** Offers a request to the queue; when it is refused, its user is told so. */
  readonly take: (request: AskedRequest, newestId: string) => Promise<void>
  /** Notes how far a conversation was read in which there was nothing to take in. */
  readonly markRead: (channel: DirectChannel) => void
}

/** What somebody wrote meanwhile. */
interface Missed {
  readonly request: AskedRequest
  readonly oldestId: string
  readonly newestId: string
  readonly count: number
}

/**
 * Takes in what came in direct conversations while nobody listened: Discord does not send it to a new session.
 * One channel is read after the other, so that most of what the bot may ask of Discord is left to the answers.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #aborter = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: CatchUpOptions) {
    this.#options = options
  }

  /** To be called before anything of a new session is taken in: how far was read before it is asked at once. */
  begin(botId: string): void {
    const { limits, store, clock, log } = this.#options
    if (limits.messages === 0 || this.#aborter.signal.aborted) return
    const { signal } = this.#aborter
    const channels = patiently(() => store.directChannels(limits.channels), { clock, signal, isPassing: () => true })
    const running = Promise.all([channels, this.#running])
    this.#running = running
      .then(([known]) => this.#run(known, botId))
      .catch((error: unknown) => {
        log.error({ error: errorMessage(error) }, 'what came while Parley was away could not be taken in')
      })
  }

  /** Resolves when nothing is under way any more; what was not taken in is left to the next start. */
  async stop(): Promise<void> {
    this.#aborter.abort()
    await this.#running
  }

  async #run(channels: readonly DirectChannel[], botId: string): Promise<void> {
    const missed = await this.#gather(channels, botId)
    if (missed.length === 0) return
    const messages = missed.reduce((sum, { count }) => sum + count, 0)
    this.#options.log.info({ messages, conversations: missed.length }, 'messages came while Parley was away')
    for (const { request, newestId } of missed) {
      if (this.#aborter.signal.aborted) return
      await this.#options.take(request, newestId)
    }
  }

  /** Who has waited longest comes first. */
  async #gather(channels: readonly DirectChannel[], botId: string): Promise<Missed[]> {
    const missed: Missed[] = []
    for (const channel of channels) {
      const inChannel = this.#join(channel, await this.#read(channel), botId)
      if (inChannel) missed.push(inChannel)
    }
    return missed.sort((a, b) => byAge(a.oldestId, b.oldestId))
  }

  /** What came in a channel since it was last read; nothing when it cannot be read. */
  async #read(channel: DirectChannel): Promise<RawMessage[]> {
    const { limits, clock, log } = this.#options
    const { signal } = this.#aborter
    const { channelId } = channel
    try {
      const isPassing = (error: unknown) => readDeliveryProblem(error).type === 'passing'
      const messages = await patiently(() => this.#readOnce(channel), { clock, signal, isPassing })
      if (messages.length === limits.messages) {
        log.warn({ channelId }, 'more came than is read; see discord.catchUpMessages')
      }
      return messages
    } catch (error) {
      const facts = { channelId, error: errorMessage(error) }
      const problem = 'a conversation could not be read for what came while Parley was away'
      if (!signal.aborted) log.warn(facts, problem)
      return []
    }
  }

  #readOnce({ channelId, lastMessageId }: DirectChannel): Promise<RawMessage[]> {
    const { limits, rest, turns, clock } = this.#options
    const { signal } = this.#aborter
    const earliest = snowflakeAt(clock.now() - limits.ageMs)
    const after = byAge(lastMessageId, earliest) < 0 ? earliest : lastMessageId
    const need = { urgency: 'reading', lane: laneOf('GET', Routes.channelMessages(channelId)) } as const
    return turns.call(need, (own) => readMessagesAfter(rest, channelId, after, limits.messages, own), signal)
  }

  /** Makes one request of what somebody wrote; where nobody did, that is noted. */
  #join({ channelId, userId }: DirectChannel, messages: readonly RawMessage[], botId: string): Missed | undefined {
    const { isNew, markRead, limits } = this.#options
    // What was refused is not taken in later, although that it was could not be stored.
    const answered = answeredIn(messages, botId)
    const asked = messages.flatMap((raw) => readAsked(raw, botId)).filter(({ id }) => !answered.has(id))
    // What came live meanwhile has been taken in, or is just being.
    const missed = asked.filter(({ id }) => isNew(id))
    const request = joinRequests(
      missed.map(({ request: one }) => one),
      limits.maxMessageLength ?? Number.POSITIVE_INFINITY,
    )
    const [oldest, newest] = [missed[0], missed.at(-1)]
    if (oldest && newest && request) {
      return { request, oldestId: oldest.id, newestId: newest.id, count: missed.length }
    }
    const last = messages.at(-1)
    if (last && asked.length === 0) markRead({ channelId, userId, lastMessageId: last.id })
    return undefined
  }
}

/** The request a message makes, if it is one that somebody wrote. */
function readAsked(raw: RawMessage, botId: string): { readonly id: string; readonly request: AskedRequest }[] {
  const message = readMessageEvent(raw, botId)
  const request = message && readMessage(message, botId)
  return request ? [{ id: message.id, request }] : []
}
