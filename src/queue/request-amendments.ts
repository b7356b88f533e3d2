import type { AmendWriteResult } from '#protocol/database.ts'
import type { Amendment, AmendResult } from '#protocol/queue.ts'
import type { QueueCore } from './queue-core.ts'
import type { ActiveRequest } from './queue-state.ts'

export type AmendListener = (result: AmendResult) => void

/** How a request that waits gets another text: it leaves the line while that is stored, so it cannot begin meanwhile. */
export class RequestAmendments {
  readonly #core: QueueCore

  constructor(core: QueueCore) {
    this.#core = core
  }

  begin(requestId: string, amendment: Amendment, discordMessageId: string, answer: AmendListener): void {
    const { options, state, journal, deliver } = this.#core
    const active = state.byId(requestId)
    if (!active || active.ending || !state.isInLine(active)) return answer('notWaiting')
    // What is not in the file could not be changed there, and would come back as it was.
    if (!active.stored) return answer('notStored')
    const message = amended(active.request.message, amendment)
    if (message.length > options.settings.maxMessageLength) return answer('tooLong')
    state.hold(active)
    void journal
      .amended(requestId, message, discordMessageId)
      .then((result) => deliver({ type: 'amended', active, message, result, answer }))
  }

  /** Back in line where it was, with the text that is in the file. */
  stored(active: ActiveRequest, message: string, result: AmendWriteResult | 'failed', answer: AmendListener): void {
    if (result === 'stored') active.request = { ...active.request, message }
    // Opening the queue ends restored requests, whatever is being stored of them.
    if (this.#core.state.byId(active.requestId) !== active) return answer('notWaiting')
    this.#core.state.enqueue(active)
    this.#core.events.positionsChanged()
    answer(RESULTS[result])
  }
}

const RESULTS = { stored: 'amended', stale: 'notWaiting', duplicate: 'duplicate', failed: 'notStored' } as const

function amended(before: string, { type, text }: Amendment): string {
  return type === 'replace' ? text : `${before}\n\n${text}`
}
