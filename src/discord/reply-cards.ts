import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { RequestEvent, RequestQueue } from '#protocol/queue.ts'
import { afterEvent, type CardState } from './card-state.ts'
import { ReplyCard } from './reply-card.ts'
import type { ReplyTarget } from './reply-target.ts'

export interface CardsOptions {
  readonly queue: RequestQueue
  readonly editIntervalMs: number
  readonly clock: Clock
  readonly log: Log
  /** Told once for each request, when its first message has been sent. */
  readonly onShown: (requestId: string, statusMessageId: string) => void
}

interface OpenCard {
  readonly card: ReplyCard
  readonly userId: string
}

/** The cards of all requests that came from Discord, kept up to date with what the queue tells. */
export class ReplyCards {
  readonly #options: CardsOptions
  readonly #cards = new Map<string, OpenCard>()
  readonly #unsubscribe: () => void
  #positions: Timer | undefined

  constructor(options: CardsOptions) {
    this.#options = options
    this.#unsubscribe = options.queue.on(({ type }) => {
      if (type === 'positionsChanged') this.#positionsChanged()
    })
  }

  /** What to hand to the queue with a message: its request will be shown at `target`. */
  listener(userId: string, target: ReplyTarget): (event: RequestEvent) => void {
    let card: ReplyCard | undefined
    return (event) => {
      const state = afterEvent(card?.state, event)
      if (card) card.show(state)
      else card = this.#open(event.requestId, userId, target, state)
    }
  }

  /** Waits until what is open is shown; the queue must have ended every request before. */
  async close(): Promise<void> {
    await Promise.all([...this.#cards.values()].map(({ card }) => card.done))
    this.#positions?.cancel()
    this.#unsubscribe()
  }

  /** Gives up what could not be shown yet. */
  abandon(): void {
    this.#positions?.cancel()
    this.#unsubscribe()
    for (const { card } of this.#cards.values()) card.abandon()
  }

  #open(requestId: string, userId: string, target: ReplyTarget, state: CardState): ReplyCard {
    const { editIntervalMs, clock, log } = this.#options
    const onFirstMessage = (messageId: string) => this.#options.onShown(requestId, messageId)
    const card = new ReplyCard({ requestId, target, editIntervalMs, clock, log, onFirstMessage }, state)
    this.#cards.set(requestId, { card, userId })
    void card.done.then(() => this.#cards.delete(requestId))
    return card
  }

  /** People read places in line, so they need not be newer than an edit can be. */
  #positionsChanged(): void {
    this.#positions ??= this.#options.clock.setTimeout(() => this.#showPositions(), this.#options.editIntervalMs)
  }

  #showPositions(): void {
    this.#positions = undefined
    for (const { card, userId } of this.#cards.values()) {
      if (card.state.phase !== 'queued') continue
      const position = this.#options.queue.position(userId)
      if (position !== undefined && position > 0) card.show({ ...card.state, position })
    }
  }
}
