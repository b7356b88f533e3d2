import { refuse } from '#domain/admission.ts'
import { type Claim, estimateTokens } from '#domain/fair-shares.ts'
import { type ConversationRequest, isScheduled } from '#domain/request.ts'
import { capacityFor, DEFAULT_TIER, largestCapacity } from '#domain/tier.ts'
import type { AddResult, NewRequest, Refusal, RequestEvent } from '#protocol/queue.ts'
import { idOf, type QueueCore } from './queue-core.ts'
import type { AddListener, StoredMessage } from './queue-message.ts'
import type { ActiveRequest, Admitted } from './queue-state.ts'
import { describeRefusal, refusal } from './refusals.ts'

/** How messages become requests in line: admitted, stored, told; or refused. */
export class RequestIntake {
  readonly #core: QueueCore

  constructor(core: QueueCore) {
    this.#core = core
  }

  /** Admits a message or refuses it; what is admitted is in line only once it is stored. */
  add(
    message: NewRequest,
    listener: (event: RequestEvent) => void,
    answer: AddListener,
    { stopping }: { readonly stopping: boolean },
  ): void {
    const { options, state, journal, gate, deliver } = this.#core
    const { settings, clock, newId } = options
    const facts = this.#facts(message)
    const reason = refuse({ ...facts, stopping })
    if (reason) {
      const described = describeRefusal(reason, settings, facts.waiting - facts.freeSlots)
      const tier = reason.code === 'QUEUE_FULL' ? { tier: tierOf(message).tier } : {}
      return answer(this.refused({ ...described, ...tier }))
    }
    if (gate.mode === 'draining') return answer(this.refused(refusal('QUEUE_DRAINING')))
    const { files, scheduled, fromTier: _, ...fields } = message
    const request: ConversationRequest = {
      replaces: null,
      directServerName: null,
      ...fields,
      ...(files && { fileNames: files.names }),
      ...state.claim(message.userId, tierOf(message), estimateTokens(message.message)),
      id: newId(),
      timestamp: clock.now(),
      notBefore: null,
      ...scheduled,
    }
    const active = state.admit({ request, listener })
    void journal.accepted(request, files).then((result) => deliver({ type: 'stored', active, files, result, answer }))
  }

  /** What the database said of an admitted message. */
  stored({ active, files, result, answer }: StoredMessage): void {
    const { options, state, journal } = this.#core
    const { request } = active
    const failed = result === 'failed' || result === 'unavailable'
    if (result === 'duplicate') return this.#withdraw(active, refusal('REQUEST_DUPLICATE'), answer)
    // It stays in the file as it is, and is offered again: in memory alone it could be asked twice.
    if (failed && isScheduled(request)) return this.#withdraw(active, refusal('REQUEST_NOT_STORED'), answer)
    if (failed && options.settings.whenUnavailable === 'refuse') {
      if (result === 'failed') journal.takeBack(request, options.clock.now())
      return this.#withdraw(active, refusal('REQUEST_NOT_STORED'), answer)
    }
    if (failed) journal.acceptLater(request, files)
    active.stored = !failed
    state.enqueue(active)
    answer({ accepted: true, request, position: state.position(active) })
    this.announce(active, { restored: false })
  }

  /** Puts a request of an earlier process in line, without telling anybody. */
  restore(admitted: Admitted): ActiveRequest {
    const active = this.#core.state.admit(admitted)
    active.stored = true
    this.#core.state.enqueue(active)
    return active
  }

  announce(active: ActiveRequest, { restored }: { readonly restored: boolean }): void {
    const { state, events } = this.#core
    events.positionsChanged()
    events.tell(active, { type: 'queued', position: state.position(active), restored, ...idOf(active) })
  }

  /**
   * Places that are free for somebody of a tier, by the rule that admits; of a tier that is not named, for somebody of
   * the one that has most.
   */
  room(tier?: string): number {
    if (this.#core.gate.mode === 'draining') return 0
    const { waiting, freeSlots } = this.#occupation()
    return Math.max(0, this.#capacityFor(tier) - (waiting - freeSlots))
  }

  refused(reason: Refusal): AddResult {
    this.#core.counters.rejected(reason.code)
    return { accepted: false, refusal: reason }
  }

  #facts(message: NewRequest) {
    const { files, userId, discordMessageId } = message
    const { options, state } = this.#core
    const { settings } = options
    const activeOfUser = state.byUser(userId)
    return {
      message: message.message,
      hasFiles: files !== undefined && files.names.length > 0,
      maxMessageLength: settings.maxMessageLength,
      userIsActive: activeOfUser !== undefined,
      isReplay: discordMessageId !== null && activeOfUser?.request.discordMessageId === discordMessageId,
      ...this.#occupation(),
      maxQueueSize: this.#capacityFor(tierOf(message).tier),
    }
  }

  #occupation() {
    const { state, gate } = this.#core
    return { waiting: state.waiting, freeSlots: gate.freePlaces }
  }

  /** Without reservations nobody has to be counted. */
  #capacityFor(tier: string | undefined): number {
    const { options, state } = this.#core
    const { maxQueueSize, tiers = [] } = options.settings
    if (!tiers.some(({ reserved }) => reserved > 0)) return maxQueueSize
    const { freeSlots } = this.#occupation()
    // Those who are about to begin may be of any tier, and fill no place that is reserved.
    const waiting = new Map([...state.waitingByTier()].map(([name, count]) => [name, Math.max(0, count - freeSlots)]))
    if (tier === undefined) return largestCapacity(tiers, waiting, maxQueueSize)
    return capacityFor(tier, tiers, waiting, maxQueueSize)
  }

  /** An admitted message that does not become a request after all. */
  #withdraw(active: ActiveRequest, reason: Refusal, answer: AddListener): void {
    this.#core.state.withdraw(active)
    for (const listener of active.attached.onEnd) listener(undefined)
    answer(this.refused(reason))
  }
}

function tierOf({ fromTier: tier = DEFAULT_TIER }: NewRequest): Pick<Claim, 'tier' | 'shareWeight'> {
  return { tier: tier.name, shareWeight: tier.weight }
}
