import { DiscordAPIError, RESTJSONErrorCodes } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import { buttonsIn, type CardMessage } from '#discord/card-buttons.ts'
import { filesIn } from '#discord/card-files.ts'
import type { Lane } from '#discord/lane.ts'
import type { FoundMessage } from '#discord/own-messages.ts'
import type { ReplyTarget, TargetCall } from '#discord/reply-target.ts'

/** What becomes of a call: it works, it does nothing and fails, or it works and its answer is lost. */
export type CallOutcome = 'works' | 'fails' | 'isLost'

interface StoredMessage {
  readonly id: string
  readonly nonce: string
  readonly postedAt: number
  content: string
  /** The ids of its buttons. */
  buttons: string
  /** What it carries, with sizes. */
  files: string
  deleted: boolean
  /** When it was last changed, ms since epoch. */
  editedAt: number
}

/** Discord says "a few minutes". */
const NONCE_MEMORY_MS = 3 * 60_000

/** A channel whose calls take time and fail as a test says, and which notes when it is used too eagerly. */
export class ChannelInMemory implements ReplyTarget {
  readonly messages: StoredMessage[] = []
  /** Calls made while another one was under way. */
  overlaps = 0
  /** The shortest time between two edits of one message, ms. */
  shortestPauseMs = Number.POSITIVE_INFINITY
  aborted = false
  /** How often the channel was read. */
  searches = 0
  readonly #clock: Clock
  readonly #latencyMs: number
  readonly #outcomes: CallOutcome[]
  #open = 0

  /** @param outcomes of the first calls; those after them work. */
  constructor(clock: Clock, latencyMs: number, outcomes: readonly CallOutcome[]) {
    this.#clock = clock
    this.#latencyMs = latencyMs
    this.#outcomes = [...outcomes]
  }

  post(message: CardMessage, nonce: string): Promise<string> {
    const { content, components } = message
    const shown = { content, buttons: buttonsIn(components), files: filesIn(message.files) }
    return this.#call(() => {
      const now = this.#clock.now()
      const isKnown = (message: StoredMessage) => message.nonce === nonce && now - message.postedAt < NONCE_MEMORY_MS
      const known = this.messages.find(isKnown)
      const editedAt = Number.NEGATIVE_INFINITY
      return known ? known.id : this.#add({ nonce, postedAt: now, ...shown, deleted: false, editedAt })
    })
  }

  find(): Promise<FoundMessage[]> {
    this.searches++
    return this.#call(() =>
      this.messages
        .filter(({ deleted }) => !deleted)
        .map(({ id, content, buttons, files }) => ({ messageId: id, content, buttons, files, isOurs: true })),
    )
  }

  edit(messageId: string, { content, components, files }: CardMessage): Promise<void> {
    return this.#call(() => {
      const message = this.#find(messageId)
      this.shortestPauseMs = Math.min(this.shortestPauseMs, this.#clock.now() - message.editedAt)
      const shown = { content, buttons: buttonsIn(components), files: filesIn(files) }
      Object.assign(message, { ...shown, editedAt: this.#clock.now() })
    })
  }

  remove(messageId: string): Promise<void> {
    return this.#call(() => {
      this.#find(messageId).deleted = true
    })
  }

  lane(call: TargetCall): Lane {
    return { key: call, isExempt: false }
  }
  async type(): Promise<void> {}

  abort(): void {
    this.aborted = true
  }

  /** Deletes one of the messages, as a user does. */
  deleteMessage(index: number): void {
    const message = this.messages[index % Math.max(1, this.messages.length)]
    if (message) message.deleted = true
  }

  #add(message: Omit<StoredMessage, 'id'>): string {
    const id = String(this.messages.length + 1)
    this.messages.push({ ...message, id })
    return id
  }

  #find(messageId: string): StoredMessage {
    const message = this.messages.find(({ id, deleted }) => id === messageId && !deleted)
    if (message) return message
    const code = RESTJSONErrorCodes.UnknownMessage
    const call = { files: undefined, body: undefined }
    throw new DiscordAPIError({ code, message: 'Unknown Message' }, code, 404, 'PATCH', 'https://discord.test', call)
  }

  async #call<T>(work: () => T): Promise<T> {
    const outcome = this.#outcomes.shift() ?? 'works'
    if (++this.#open > 1) this.overlaps++
    try {
      await this.#pass()
      if (outcome === 'fails') throw new Error('other side closed')
      const result = work()
      if (outcome === 'isLost') throw new Error('other side closed')
      return result
    } finally {
      this.#open--
    }
  }

  #pass(): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, this.#latencyMs))
  }
}
