import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { RecoveredRequest, UndeliveredReply } from '#protocol/database.ts'
import type { GateRefusal, NewRequest, Refusal, RequestEvent, RequestQueue } from '#protocol/queue.ts'
import { noteOf } from './card-note.ts'
import { afterEvent, type CardState, isFinal, type Offer, storedEnd } from './card-state.ts'
import type { Delivery, Turns } from './delivery.ts'
import { type CardOptions, ReplyCard } from './reply-card.ts'
import type { ReplyTarget } from './reply-target.ts'
import { SignsOfLife, type WorkingCard } from './signs-of-life.ts'

export interface CardsOptions {
  readonly queue: RequestQueue
  readonly turns: Turns & Pick<Delivery, 'call'>
  readonly editIntervalMs: number
  /** Whether people see seconds and "… is typing" while there is nothing to read. */
  readonly signsOfLife: boolean
  /** Who had to wait so long for the first word gets the answer in a new message, of which Discord tells; 0 for never. */
  readonly notifyAfterMs: number
  readonly clock: Clock
  readonly log: Log
  /** Told once for each request, when its first message has been sent. */
  readonly onShown: (requestId: string, statusMessageId: string) => void
  /** Told once the end of a request stands on Discord in these messages. */
  readonly onDelivered: (requestId: string, messageIds: readonly string[]) => void
  /** Told when the end of a request can never be shown. */
  readonly onUndeliverable: (requestId: string, reason: string) => void
}

interface OpenCard {
  readonly card: ReplyCard
  readonly userId: string | null
}

interface NewCard extends Pick<CardOptions, 'target' | 'nonce' | 'requestId' | 'resumed' | 'anew' | 'note'> {
  /** Whose place in line it shows. */
  readonly userId: string | null
}

/** What somebody other than the card is told of it. */
interface Told extends Pick<CardOptions, 'onFirstMessage' | 'onDelivered' | 'onUndeliverable'> {
  /** What the log calls it by. */
  readonly subject: object
}

const MAX_OFFERS = 3

/** The cards of all questions that came from Discord, kept up to date with what the queue tells. */
export class ReplyCards {
  readonly #options: CardsOptions
  readonly #cards = new Set<OpenCard>()
  /** Refusals with buttons, by the message that was refused. */
  readonly #offers = new Map<string, { readonly card: ReplyCard; readonly requestId: string }>()
  readonly #aborter = new AbortController()
  readonly #unsubscribe: () => void
  readonly #signs: SignsOfLife | undefined
  #positions: Timer | undefined

  constructor(options: CardsOptions) {
    this.#options = options
    if (options.signsOfLife) this.#signs = new SignsOfLife(options.clock)
    this.#unsubscribe = options.queue.on(({ type }) => {
      if (type === 'positionsChanged') this.#positionsChanged()
    })
  }

  /** What to hand to the queue with a message: its request will be shown at `target`. */
  listener(
    request: Pick<NewRequest, 'userId' | 'message' | 'directServerName' | 'scheduled'>,
    target: ReplyTarget,
  ): (event: RequestEvent) => void {
    const { userId, scheduled } = request
    return this.#listener(this.#options.clock.now(), (requestId) => ({
      target,
      nonce: shortened(requestId),
      requestId,
      userId,
      note: noteOf({ ...request, ...scheduled }),
    }))
  }

  /** What to hand to the queue with a request of an earlier process: it goes on where that has shown it. */
  resume({ request, statusMessageId }: RecoveredRequest, target: () => ReplyTarget): (event: RequestEvent) => void {
    const { id: requestId, userId, timestamp } = request
    const card = { nonce: shortened(requestId), requestId, userId, resumed: { statusMessageId } }
    return this.#listener(timestamp, () => ({ ...card, note: noteOf(request), target: target() }))
  }

  /** Shows the end of a request that an earlier process has not shown, or not to the end. */
  deliver({ request, statusMessageId, status, messages, files }: UndeliveredReply, target: ReplyTarget): void {
    const { id: requestId, timestamp } = request
    const resumed = { statusMessageId }
    const anew = this.#isLate(timestamp)
    const note = noteOf(request)
    const card = { target, nonce: shortened(requestId), requestId, userId: null, resumed, anew, note }
    this.#open(card, this.#toldOf(requestId), storedEnd(status, messages, files))
  }

  /**
   * Shows why a message did not become a request.
   *
   * @param requestId its user's request, when that waits and can still be changed.
   */
  refuse(refusal: Refusal | GateRefusal, discordMessageId: string, target: ReplyTarget, requestId?: string): void {
    const nobody = { onFirstMessage: ignore, onDelivered: ignore, onUndeliverable: ignore }
    const card = { target, nonce: `r${discordMessageId}`, userId: null }
    const offer = this.#offerFor(requestId, discordMessageId)
    const state = { phase: 'refused', refusal, ...(offer && { offer }) } as const
    const opened = this.#open(card, { ...nobody, subject: { discordMessageId } }, state)
    if (offer) this.#offers.set(discordMessageId, { card: opened, requestId: offer.requestId })
  }

  /** The button below a refusal was pressed and has done its work; what is there now is no longer the card's. */
  closeOffer(discordMessageId: string): void {
    this.#offers.get(discordMessageId)?.card.abandon()
    this.#offers.delete(discordMessageId)
  }

  /** Waits until what is open is shown; the queue must have ended every request before. */
  async close(): Promise<void> {
    await Promise.all([...this.#cards].map(({ card }) => card.done))
  }

  /** Ends all cards, those not shown to their end, too. */
  abandon(): void {
    this.#positions?.cancel()
    this.#signs?.stop()
    this.#aborter.abort()
    this.#unsubscribe()
    if (this.#cards.size === 0) return
    this.#options.log.warn({ replies: this.#cards.size }, 'some replies could not be shown on Discord before the end')
    for (const { card } of this.#cards) card.abandon()
  }

  /** The card opens with the first event. */
  #listener(acceptedAt: number, newCard: (requestId: string) => NewCard): (event: RequestEvent) => void {
    let isLate: boolean | undefined
    let card: ReplyCard | undefined
    let target: ReplyTarget | undefined
    const working: WorkingCard = {
      showSeconds: (seconds) => {
        if (card?.state.phase === 'thinking') card.show({ phase: 'thinking', seconds })
      },
      type: () => this.#type(target, () => card?.state.phase === 'thinking'),
    }
    return (event) => {
      const { requestId } = event
      if (event.type === 'started' || isFinal(afterEvent(card?.state, event))) this.#withdrawOffers(requestId)
      const state = this.#withOutlook(afterEvent(card?.state, event))
      if (state.phase === 'thinking') this.#signs?.begin(working)
      else this.#signs?.end(working)
      // What was readable in time needs no new message at its end.
      if (isReadable(state)) isLate ??= this.#isLate(acceptedAt)
      if (card) return card.show(state, { anew: isLate === true && isAnswer(state) })
      const opened = newCard(requestId)
      target = opened.target
      card = this.#open(opened, this.#toldOf(requestId), state)
    }
  }

  /** By the time its turn comes there may be something to read. */
  #type(target: ReplyTarget | undefined, isNeeded: () => boolean): Promise<void> {
    if (!target) return Promise.resolve()
    const type = () => (isNeeded() ? target.type() : Promise.resolve())
    return this.#options.turns.call({ urgency: 'preview', lane: target.lane('type') }, type, this.#aborter.signal)
  }

  /** Somebody who goes on and on writing is offered it a few times only: each offer is withdrawn by an edit. */
  #offerFor(requestId: string | undefined, messageId: string): Offer | undefined {
    const open = [...this.#offers.values()].filter((offer) => offer.requestId === requestId)
    return requestId === undefined || open.length >= MAX_OFFERS ? undefined : { requestId, messageId }
  }

  /** Once a request has begun it can no longer be changed. */
  #withdrawOffers(requestId: string): void {
    for (const [messageId, { card, requestId: changeable }] of this.#offers) {
      if (changeable !== requestId) continue
      this.#offers.delete(messageId)
      if (card.state.phase === 'refused') card.show({ phase: 'refused', refusal: card.state.refusal })
    }
  }

  #isLate(acceptedAt: number): boolean {
    const { notifyAfterMs, clock } = this.#options
    return notifyAfterMs > 0 && clock.now() - acceptedAt >= notifyAfterMs
  }

  #toldOf(requestId: string): Told {
    const { onShown, onDelivered, onUndeliverable } = this.#options
    return {
      subject: { requestId },
      onFirstMessage: (messageId) => onShown(requestId, messageId),
      onDelivered: (messageIds) => onDelivered(requestId, messageIds),
      onUndeliverable: (reason) => onUndeliverable(requestId, reason),
    }
  }

  #open({ userId, ...newCard }: NewCard, { subject, ...told }: Told, state: CardState): ReplyCard {
    const { turns, editIntervalMs, clock, log } = this.#options
    const onFailed = (reason: string) =>
      log.error({ code: 'DELIVERY_FAILED', ...subject, reason }, 'a reply could not be shown on Discord')
    const card = new ReplyCard({ ...newCard, ...told, turns, editIntervalMs, clock, onFailed }, state)
    const open = { card, userId }
    this.#cards.add(open)
    void card.done.then(() => this.#cards.delete(open))
    return card
  }

  /** People read places in line, so they need not be newer than an edit can be. */
  #positionsChanged(): void {
    this.#positions ??= this.#options.clock.setTimeout(() => this.#showPositions(), this.#options.editIntervalMs)
  }

  #withOutlook(state: CardState): CardState {
    return state.phase === 'queued' ? { ...state, outlook: this.#options.queue.outlook(state.position) } : state
  }

  /** What waits for its next try waits longer than it was told. */
  #showHeldUp(card: ReplyCard, position: number): void {
    const outlook = this.#options.queue.outlook(position)
    if (outlook.heldUp) card.show({ phase: 'queued', position, restored: false, outlook })
  }

  #showPositions(): void {
    this.#positions = undefined
    for (const { card, userId } of this.#cards) {
      const { state } = card
      if (userId === null || (state.phase !== 'queued' && state.phase !== 'retrying')) continue
      const position = this.#options.queue.position(userId)
      if (position === undefined || position === 0) continue
      if (state.phase === 'queued') card.show(this.#withOutlook({ ...state, position }))
      else this.#showHeldUp(card, position)
    }
  }
}

function isReadable(state: CardState): boolean {
  return isAnswer(state) || (state.phase === 'answering' && (state.tail !== '' || state.finished.length > 0))
}

function isAnswer({ phase }: CardState): boolean {
  return phase === 'settled' || phase === 'failed'
}

/** A UUID in 22 characters. */
function shortened(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

function ignore(): void {
  // Nobody needs to know.
}
