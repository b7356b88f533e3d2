import type { Failure } from '#domain/failure.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { AssistantEvent, AssistantOutcome } from '#protocol/assistant.ts'
import type { AssistantPool, AssistantRun } from '#protocol/pool.ts'

const NO_CALLS = { ok: 0, failed: 0 }
const UNREACHABLE: Failure = {
  code: 'MODEL_UNREACHABLE',
  message: 'The model cannot be reached; please ask again.',
}

/** A run whose events and end the test decides. */
export class ScriptedRun implements AssistantRun {
  readonly request: ConversationRequest
  readonly attempt: number
  readonly outcome: Promise<AssistantOutcome>
  cancels = 0
  /** How often it was asked to end its answer and keep it. */
  stops = 0
  ended = false
  /** What `cancel` throws, when it is to break. */
  cancelError: Error | undefined
  readonly #onEvent: (event: AssistantEvent) => void
  readonly #onEnd: () => void
  readonly #end: PromiseWithResolvers<AssistantOutcome>

  constructor(
    request: ConversationRequest,
    attempt: number,
    onEvent: (event: AssistantEvent) => void,
    onEnd: () => void,
  ) {
    this.request = request
    this.attempt = attempt
    this.#onEvent = onEvent
    this.#onEnd = onEnd
    this.#end = Promise.withResolvers()
    this.outcome = this.#end.promise
  }

  cancel(): void {
    this.cancels += 1
    if (this.cancelError) throw this.cancelError
  }

  stopAndKeep(): void {
    this.stops += 1
  }

  tell(event: AssistantEvent): void {
    this.#onEvent(event)
  }

  /** More of the answer, all of it in one message so far. */
  say(text: string): void {
    this.tell({ type: 'delta', text, finished: [], tail: text })
  }

  answer(text: string = answerOf(this), fields: Partial<Extract<AssistantOutcome, { type: 'answered' }>> = {}): void {
    this.endWith({
      type: 'answered',
      text,
      parts: [text],
      model: 'a-model',
      stopReason: 'end',
      usage: null,
      trimmedMessages: 0,
      stored: true,
      database: NO_CALLS,
      ...fields,
    })
  }

  /** For good, unless the fields say that it can be tried again. */
  fail(fields: Partial<Failure> = {}): void {
    this.endWith({ type: 'failed', failure: { ...UNREACHABLE, ...fields }, database: NO_CALLS })
  }

  /** What a worker does that was cancelled in time. */
  stop(): void {
    this.endWith({ type: 'cancelled', database: NO_CALLS })
  }

  /** Its thread is gone. */
  lose(reason = 'the thread died'): void {
    this.endWith({ type: 'lost', reason })
  }

  endWith(outcome: AssistantOutcome): void {
    if (this.ended) throw new Error('expected a run that has not ended')
    this.ended = true
    this.#end.resolve(outcome)
    this.#onEnd()
  }

  /** Breaks the promise that an outcome never rejects. */
  reject(error: Error): void {
    this.ended = true
    this.#end.reject(error)
    this.#onEnd()
  }
}

/** What a run answers when the test says nothing else. */
export function answerOf({ request, attempt }: Pick<ScriptedRun, 'request' | 'attempt'>): string {
  return `answer ${attempt} to ${request.message}`
}

/** A pool in this thread: it keeps the runs it is given until the test ends them. */
export class ScriptedPool implements AssistantPool {
  /** A test can set it without telling the queue; `resize` tells it. */
  slots: number
  /** False: the queue is never told that a slot is free. */
  telling = true
  /** What the next calls of `run` throw, the first one first. */
  readonly runErrors: Error[] = []
  /** Every run there was, in the order of their beginning. */
  readonly runs: ScriptedRun[] = []
  /** Calls of `run` while no slot was free, which no queue may make. */
  overfilled = 0
  readonly #live = new Set<ScriptedRun>()
  readonly #listeners: (() => void)[] = []

  constructor(slots: number) {
    this.slots = slots
  }

  get slotsUsed(): number {
    return this.#live.size
  }

  /** The runs that have not ended, oldest first. */
  get live(): ScriptedRun[] {
    return [...this.#live]
  }

  run(request: ConversationRequest, attempt: number, onEvent: (event: AssistantEvent) => void): AssistantRun {
    if (this.slotsUsed >= this.slots) this.overfilled += 1
    const error = this.runErrors.shift()
    if (error) throw error
    const run: ScriptedRun = new ScriptedRun(request, attempt, onEvent, () => {
      this.#live.delete(run)
      this.#changed()
    })
    this.#live.add(run)
    this.runs.push(run)
    return run
  }

  onSlotsChanged(listener: () => void): void {
    this.#listeners.push(listener)
  }

  resize(slots: number): void {
    this.slots = slots
    this.#changed()
  }

  /** The live run of a user; throws when there is none. */
  of(userId: string): ScriptedRun {
    const run = this.live.find(({ request }) => request.userId === userId)
    if (!run) throw new Error(`expected ${userId} to have a request at work`)
    return run
  }

  #changed(): void {
    if (!this.telling) return
    for (const listener of this.#listeners) listener()
  }
}
