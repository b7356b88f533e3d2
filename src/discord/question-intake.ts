import type { Clock } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import type { GateRefusal, NewRequest, Refusal, RequestQueue } from '#protocol/queue.ts'
import type { AccessCheck, DiscordAsker } from './access-check.ts'
import { FileIntake, type FileLimits } from './file-intake.ts'
import type { AskedRequest } from './intake.ts'
import type { QuotaCheck } from './quota-check.ts'
import { RefusalLimit } from './refusal-limit.ts'
import type { ReplyCards } from './reply-cards.ts'
import type { ReplyTarget } from './reply-target.ts'

export interface IntakeOptions {
  readonly queue: Pick<RequestQueue, 'addRequest' | 'active'>
  readonly cards: ReplyCards
  readonly access: AccessCheck
  readonly quota: QuotaCheck
  /** Of the files of questions. */
  readonly files: FileLimits
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

const STOPPING: Refusal = {
  code: 'QUEUE_STOPPING',
  message: 'Parley is shutting down. Your message was not taken in; please send it again when it is back.',
}

/** The one way of a question into the queue: whoever may not ask, or may not now, is told why. */
export class QuestionIntake {
  readonly #options: IntakeOptions
  readonly #refusals: RefusalLimit
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
    const { request, target } = question
    const refusal = await this.offer(question)
    if (!refusal) return false
    this.#options.log.info({ code: refusal.code, discordMessageId }, 'a message was refused')
    // An event that Discord has sent again is nobody's mistake: the first one is answered.
    if (refusal.code !== 'REQUEST_DUPLICATE' && this.#isToBeShown(request, refusal)) {
      this.#options.cards.refuse(refusal, discordMessageId, target, this.#changeable(request, refusal))
    }
    return true
  }

  /** Offers a question to the queue; a refusal is the caller's to tell. */
  async offer({ request, asker, target }: Question): Promise<Refusal | GateRefusal | undefined> {
    const refusal = await this.#gateRefusal(asker)
    if (refusal) return refusal
    return this.#files.add(request, (asked) => this.#add(asked, target))
  }

  /** It may have taken its time to get here. */
  async #add(request: NewRequest, target: ReplyTarget): Promise<Refusal | undefined> {
    if (this.#stopping) return STOPPING
    const { queue, cards } = this.#options
    const result = await queue.addRequest(request, cards.listener(request.userId, target))
    return result.accepted ? undefined : result.refusal
  }

  /** Asked before the queue, and again what may have changed meanwhile. */
  async #gateRefusal(asker: DiscordAsker): Promise<Refusal | GateRefusal | undefined> {
    if (this.#stopping) return STOPPING
    const { access, quota } = this.#options
    const refusal = (await access.refusal(asker)) ?? (await quota.refusal(asker.userId))
    return this.#stopping ? STOPPING : refusal
  }

  /** A command has been told that an answer comes, and costs none of the calls that are scarce. */
  #isToBeShown({ interactionToken, userId }: NewRequest, { code }: Refusal | GateRefusal): boolean {
    return interactionToken !== null || this.#refusals.allows(userId, code)
  }

  /** A request of the same conversation that waits and can take the message in; one of a command can be read nowhere. */
  #changeable(request: NewRequest, { code }: Refusal | GateRefusal): string | undefined {
    if (code !== 'REQUEST_ALREADY_ACTIVE' || request.interactionToken !== null) return undefined
    const active = this.#options.queue.active(request.userId)
    return active?.waiting && active.channelId === request.channelId ? active.requestId : undefined
  }
}
