import type { DatabaseApi, WriteResult } from '#protocol/database.ts'
import type { RequestEvent } from '#protocol/queue.ts'
import type { LateStep, RunEnd } from './queue-steps.ts'
import type { QueueUnderTest } from './queue-under-test.ts'
import { answerOf, type ScriptedRun } from './scripted-pool.ts'
import { turnOf } from './stored-requests.ts'

export const BACKOFF_MS = 2000

/** The runs of a queue over all its lives, and how a test ends them. */
export class QueueRuns {
  /** Answers that are in the database, by request. */
  readonly committed = new Map<string, string>()
  /** Turns that the database did not want any more. */
  stale = 0
  readonly #api: DatabaseApi
  readonly #former: ScriptedRun[] = []
  /** Runs that had ended when nothing was going on: the queue knows it. */
  #past: ScriptedRun[] = []
  /** How the last run of a request ended. */
  readonly #lastEnds = new Map<string, RunEnd>()

  constructor(api: DatabaseApi) {
    this.#api = api
  }

  /** Nothing is going on. */
  settled({ pool }: QueueUnderTest): void {
    this.#past = pool.runs.filter(({ ended }) => ended)
  }

  /** A life of the queue is over. */
  lifeEnded({ pool }: QueueUnderTest): void {
    this.#former.push(...pool.runs)
    this.#past = []
  }

  /** Everything that was ever answered or might have been, by request. */
  answers({ pool }: QueueUnderTest): Map<string, string[]> {
    const answers = new Map<string, string[]>()
    for (const run of [...this.#former, ...pool.runs]) {
      answers.set(run.request.id, [...(answers.get(run.request.id) ?? []), answerOf(run)])
    }
    return answers
  }

  async end(run: ScriptedRun, how: RunEnd, { store }: QueueUnderTest): Promise<void> {
    this.#lastEnds.set(run.request.id, how)
    switch (how) {
      case 'answer':
        return run.answer(answerOf(run), { stored: (await this.#commit(run, store.mode)) !== 'failed' })
      case 'loseAfterCommit':
        await this.#commit(run, store.mode)
        return run.lose('its thread crashed')
      case 'lose':
        return run.lose()
      case 'fail':
        return run.fail()
      case 'failForNow':
        return run.fail({ retryable: true })
      case 'stop':
        return run.stop()
      case 'reject':
        return run.reject(new Error('the run broke'))
      default:
        return how satisfies never
    }
  }

  /** Something comes from a run that has ended. */
  late({ run: index, what }: LateStep, { queue }: QueueUnderTest): void {
    const run = this.#past[index % Math.max(1, this.#past.length)]
    if (!run) return
    const { id } = run.request
    const failure = { code: 'MODEL_FAILED', message: 'late' } as const
    if (what === 'delta') run.say('late')
    else if (what === 'lost') queue.completeRequest(id, run.attempt, { type: 'lost', reason: 'late' })
    else queue.completeRequest(id, run.attempt, { type: 'failed', failure, database: { ok: 0, failed: 0 } })
  }

  /** How long the request of an event is in no line, if the event tells of a next try. */
  pauseMs({ type, requestId, attempt }: RequestEvent): number {
    const pauses = this.#lastEnds.get(requestId) === 'failForNow'
    // What the pool does not start at all has no run that could end.
    if (type === 'started') this.#lastEnds.delete(requestId)
    return pauses ? BACKOFF_MS * 2 ** (attempt - 1) : 0
  }

  /** Stores a run's turn the way its thread does: on a way of its own to the database. */
  async #commit({ request, attempt }: ScriptedRun, mode: string): Promise<WriteResult | 'failed'> {
    if (mode !== 'working') return 'failed'
    const answer = answerOf({ request, attempt })
    const result = await this.#api.saveTurn(turnOf(request, { attempt, answer }))
    if (result === 'stored') this.committed.set(request.id, answer)
    else this.stale += 1
    return result
  }
}
