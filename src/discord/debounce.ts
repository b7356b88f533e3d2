import type { Clock, Timer } from '#actors/clock.ts'
import type { DiscordAsker } from './access-check.ts'
import { type AskedRequest, joinRequests } from './intake.ts'

/** A message that asks something, as it was heard. */
export interface Heard {
  readonly request: AskedRequest
  readonly messageId: string
  /** Of its author, where it was written. */
  readonly member: Pick<DiscordAsker, 'guildId' | 'roleIds'>
}

export interface DebounceOptions {
  /** Messages within this time of each other are one; 0 makes each its own. */
  readonly windowMs: number
  /** The longest text that messages are joined to, in UTF-16 code units. */
  readonly maxLength: number
  readonly clock: Clock
  readonly take: (heard: Heard) => Promise<void>
}

/** What somebody has written in a channel and may go on writing. */
interface Held {
  readonly messages: readonly Heard[]
  readonly joined: Heard
  readonly timer: Timer
}

/** Who goes on and on is answered in between. */
const MOST_MESSAGES = 20

/**
 * Makes one question of messages that the same person writes in the same channel in quick succession. The last of them is
 * what the answer replies to. Nothing of it is stored meanwhile: after a crash, direct messages are read once more, but for
 * those of somebody who has never written before.
 */
export class Debounce {
  readonly #options: DebounceOptions
  readonly #held = new Map<string, Held>()
  #closed = false

  constructor(options: DebounceOptions) {
    this.#options = options
  }

  /** Resolves once a message is taken, if that is at once, and right away when it waits for more. */
  async add(heard: Heard): Promise<void> {
    if (this.#options.windowMs === 0 || this.#closed) return this.#options.take(heard)
    const key = `${heard.request.userId} ${heard.request.channelId}`
    const before = this.#held.get(key)
    const joined = before && this.#join([...before.messages, heard])
    // What no longer fits begins the next question.
    const release = before && !joined ? this.#release(key) : undefined
    before?.timer.cancel()
    const timer = this.#options.clock.setTimeout(() => void this.#release(key), this.#options.windowMs)
    const messages = before && joined ? [...before.messages, heard] : [heard]
    this.#held.set(key, { messages, joined: joined ?? heard, timer })
    await release
  }

  /** Takes back what is meant of what waits for more. */
  withdraw(isMeant: (heard: Heard) => boolean): Heard[] {
    const withdrawn = [...this.#held].filter(([, { joined }]) => isMeant(joined))
    for (const [key, { timer }] of withdrawn) {
      timer.cancel()
      this.#held.delete(key)
    }
    return withdrawn.map(([, { joined }]) => joined)
  }

  /** Waits for nothing any more, from now on either; resolves once all is taken. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#held.keys()].map((key) => this.#release(key)))
  }

  #join(messages: readonly Heard[]): Heard | undefined {
    const { maxLength } = this.#options
    const newest = messages.at(-1)
    const request = joinRequests(
      messages.map(({ request: one }) => one),
      maxLength,
    )
    const fits = request && request.message.length <= maxLength && messages.length <= MOST_MESSAGES
    return newest && fits ? { ...newest, request } : undefined
  }

  async #release(key: string): Promise<void> {
    const held = this.#held.get(key)
    if (!held) return
    held.timer.cancel()
    this.#held.delete(key)
    await this.#options.take(held.joined)
  }
}
