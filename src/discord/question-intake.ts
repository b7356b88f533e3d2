import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { type Tier, tierOf } from '#domain/tier.ts'
import type { GateRefusal, NewRequest, Refusal, RequestQueue } from '#protocol/queue.ts'
import type { AccessCheck, DiscordAsker } from './access-check.ts'
import type { DirectConversations, Placed } from './direct-conversations.ts'
import type { Entitlements } from './entitlements.ts'
import { FileIntake, type FileLimits } from './file-intake.ts'
import { InOrder } from './in-order.ts'
import { type AskedRequest, withReply } from './intake.ts'
import type { QuotaCheck } from './quota-check.ts'
import { RefusalLimit } from './refusal-limit.ts'
import type { ReplyCards } from './reply-cards.ts'
import type { ReplyTarget } from './reply-target.ts'

export interface IntakeOptions {
  readonly queue: Pick<RequestQueue, 'addRequest' | 'active'>
  readonly cards: ReplyCards
  readonly access: AccessCheck
  readonly quota: QuotaCheck
  readonly direct: Pick<DirectConversations, 'place' | 'confirm'>
  /** Of the files of questions. */
  readonly files: FileLimits
  /** The longest message the queue takes in, in UTF-16 code units. */
  readonly maxMessageLength: number
  /** Who gets how much beside others when there is a line; left out when all are equal. */
  readonly tiers?: readonly Tier[]
  readonly entitlements: Pick<Entitlements, 'skuIdsOf'>
  /** In this time the same person is told the same reason for a refusal once. */
  readonly refusalIntervalMs: number
  readonly clock: Clock
  readonly log: Log
}

/** What somebody asked, and where they will see what becomes of it. */
export interface Question {
  readonly request: AskedRequest
  readonly asker: DiscordAsker
  readonly target: ReplyTarget
}

/** What became of a question, in the conversation it belongs to. */
interface Offered {
  readonly request: AskedRequest
  readonly refusal: Refusal | GateRefusal | undefined
}

type Admitted = Placed | { readonly refusal: Refusal | GateRefusal }

const STOPPING: Refusal = {
  code: 'QUEUE_STOPPING',
  message: 'Parley is shutting down. Your message was not taken in; please send it again when it is back.',
}

/** The one way of a question into the queue: whoever may not ask, or may not now, is told why. */
export class QuestionIntake {
  readonly #options: IntakeOptions
  readonly #refusals: RefusalLimit
  readonly #inOrder = new InOrder()
  readonly #files: FileIntake
  #stopping = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#files = new FileIntake({ ...options, limits: options.files })
    this.#refusals = new RefusalLimit(options.refusalIntervalMs, () => options.clock.now())
  }

  /** Refusals that were not shown because the same person had just been told the same. */
  get hiddenRefusals(): number {
    return this.#refusals.hidden
  }

  /** Refuses all that comes from now on. */
  stop(): void {
    this.#stopping = true
    this.#files.close()
  }

  /** Offers a question to the queue, and shows a refusal where the answer would be. Tells whether it was refused. */
  async take(question: Question, discordMessageId: string): Promise<boolean> {
    const { target } = question
    const { refusal, request } = await this.#offer(question, (asked) => this.#options.direct.place(asked))
    if (!refusal) return false
    this.#options.log.info({ code: refusal.code, discordMessageId }, 'a message was refused')
    // An event that Discord has sent again is nobody's mistake: the first one is answered.
    if (refusal.code !== 'REQUEST_DUPLICATE' && this.#isToBeShown(request, refusal)) {
      this.#options.cards.refuse(refusal, discordMessageId, target, this.#changeable(request, refusal))
    }
    return true
  }

  /** Offers what is asked once more, in its conversation, to the queue; a refusal is the caller's to tell. */
  async offer(question: Question): Promise<Refusal | GateRefusal | undefined> {
    const { refusal } = await this.#offer(question, (asked) => this.#options.direct.confirm(asked))
    return refusal
  }

  async #offer(question: Question, place: (asked: AskedRequest) => Promise<Placed>): Promise<Offered> {
    const { request, target } = question
    const placed = await this.#inOrder.run(request.userId, () => this.#admit(question, place))
    if ('refusal' in placed) return { request, refusal: this.#stopping ? STOPPING : placed.refusal }
    const asked = withReply(placed.request, this.#options.maxMessageLength)
    return { request: placed.request, refusal: await this.#files.add(asked, (full) => this.#add(full, target)) }
  }

  /** What is looked up takes its time, of one question more than of the next one. */
  async #admit({ request, asker }: Question, place: (asked: AskedRequest) => Promise<Placed>): Promise<Admitted> {
    const refusal = await this.#gateRefusal(asker)
    if (refusal) return { refusal }
    const placed = await place(request)
    const fromTier = await this.#tierOf(asker)
    return 'refusal' in placed || !fromTier ? placed : { request: { ...placed.request, fromTier } }
  }

  async #tierOf(asker: DiscordAsker): Promise<Tier | undefined> {
    const { tiers = [], entitlements } = this.#options
    if (tiers.length === 0) return undefined
    const { userId, roleIds } = asker
    return tierOf(tiers, { userId, roleIds, skuIds: await entitlements.skuIdsOf(asker) })
  }

  /** It may have taken its time to get here. */
  async #add(request: NewRequest, target: ReplyTarget): Promise<Refusal | undefined> {
    if (this.#stopping) return STOPPING
    const { queue, cards } = this.#options
    const result = await queue.addRequest(request, cards.listener(request, target))
    return result.accepted ? undefined : result.refusal
  }

  async #gateRefusal(asker: DiscordAsker): Promise<Refusal | GateRefusal | undefined> {
    if (this.#stopping) return STOPPING
    const { access, quota } = this.#options
    return (await access.refusal(asker)) ?? (await quota.refusal(asker.userId))
  }

  /** A command has been told that an answer comes, and costs none of the calls that are scarce. */
  #isToBeShown({ interactionToken, userId }: NewRequest, { code }: Refusal | GateRefusal): boolean {
    return interactionToken !== null || this.#refusals.allows(userId, code)
  }

  /** A request of the same conversation that waits and can take the message in: what one message says is read anew. */
  #changeable(request: AskedRequest, { code }: Refusal | GateRefusal): string | undefined {
    const isOneMessage = request.interactionToken === null && !request.isJoined
    if (code !== 'REQUEST_ALREADY_ACTIVE' || !isOneMessage) return undefined
    const active = this.#options.queue.active(request.userId)
    const isSamePlace = active?.channelId === request.channelId && active.serverId === request.serverId
    return active?.waiting && isSamePlace ? active.requestId : undefined
  }
}
