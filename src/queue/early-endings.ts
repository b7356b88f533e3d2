import { originOf } from '#domain/request.ts'
import type { CancelReason } from '#protocol/queue.ts'
import type { QueueCore } from './queue-core.ts'
import type { ActiveRequest, Ending, EndListener } from './queue-state.ts'
import type { RequestEndings } from './request-endings.ts'
import type { RequestRetries } from './request-retries.ts'
import type { RequestRuns } from './request-runs.ts'

/** Wishes that a request ends before its time: its user's, its deadline's, and Parley's own when it stops. */
export class EarlyEndings {
  readonly #core: QueueCore
  readonly #endings: RequestEndings
  readonly #runs: RequestRuns
  readonly #retries: RequestRetries

  constructor(core: QueueCore, endings: RequestEndings, runs: RequestRuns, retries: RequestRetries) {
    this.#core = core
    this.#endings = endings
    this.#runs = runs
    this.#retries = retries
  }

  cancel(requestId: string, reason: CancelReason, answer: EndListener): void {
    const active = this.#core.state.byId(requestId)
    if (!active) return answer(undefined)
    active.attached.onEnd.push(answer)
    this.#want(active, reason)
  }

  deadline(requestId: string): void {
    const active = this.#core.state.byId(requestId)
    if (active) this.#want(active, 'timeout')
  }

  /** Ends what waits and, if so told, what runs. Those nobody has been told about yet are left as silently as they came. */
  all({ running }: { readonly running: boolean }): void {
    const { state, untold } = this.#core
    for (const active of untold) this.#endings.leave(active)
    untold.clear()
    for (const active of [...state.active]) {
      if (running || active.status === 'QUEUED') this.#want(active, endingOf(active, 'suspend'))
    }
  }

  /** Somebody wanted it to end while it was being stored. */
  ifWanted(active: ActiveRequest): void {
    const isActive = this.#core.state.byId(active.requestId) === active
    if (isActive && active.ending) this.#endings.early(active, endingOf(active, active.ending))
  }

  /** The worker has stopped as it was asked to. */
  obeyed(active: ActiveRequest): void {
    const { ending = 'user' } = active
    if (ending === 'suspend') this.#retries.suspended(active)
    else this.#endings.early(active, ending)
  }

  /** Ends a waiting request at once; one that runs, is being stored or has yet to be told about ends after that. */
  #want(active: ActiveRequest, ending: Ending): void {
    active.ending ??= ending
    if (active.storing || this.#core.untold.has(active)) return
    if (active.status === 'QUEUED') this.#endings.early(active, active.ending)
    else this.#runs.cancel(active)
  }
}

/** Only what is in the file, and can be shown again, can be left to the next process. */
function endingOf({ request, stored, storing, status }: ActiveRequest, ending: Ending): Ending {
  const isBeingAccepted = storing && status === 'QUEUED'
  const isKept = (stored || isBeingAccepted) && originOf(request) === 'discord'
  return ending === 'suspend' && !isKept ? 'shutdown' : ending
}
