import type { Clock } from '#actors/clock.ts'
import { crashPoint } from '#actors/crash-point.ts'
import type { Log } from '#actors/log.ts'
import type { AnswerReply } from '#domain/answer-reply.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import { BROKEN, type Failure } from '#domain/failure.ts'
import { originOf } from '#domain/request.ts'
import type { AssistantCommand, AssistantEvent, AssistantOutcome, AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'
import type { Turn } from '#protocol/database.ts'
import { ConversationStore, type StoreApi } from './conversation-store.ts'
import { DeltaGatherer } from './delta-gatherer.ts'
import { GrowingReply } from './growing-reply.ts'
import type { ModelClient, ModelEvent } from './model-client.ts'
import { ModelError } from './model-error.ts'
import { type PreparedQuestion, prepareQuestion, type QuestionOptions, type ToldBriefing } from './prepare-question.ts'
import { Thinking } from './thinking.ts'

export interface AssistantOptions extends QuestionOptions {
  readonly model: ModelClient
  /** The database as it can be reached now; rejects when it cannot. */
  readonly connect: () => Promise<StoreApi>
  readonly settings: QuestionOptions['settings'] & Pick<AssistantThreadData, 'deltaIntervalMs' | 'maxMessages'>
  readonly clock: Clock
  readonly log: Log
}

type ModelEnd = Extract<ModelEvent, { type: 'end' }>

/** What the model has brought. */
interface Generated {
  readonly text: string
  readonly end: ModelEnd
  readonly reply: GrowingReply
}

/** Answers one request after the other, many at the same time; one of these lives in each pool thread. */
export class DMAssistant {
  readonly #options: AssistantOptions

  constructor(options: AssistantOptions) {
    this.#options = options
  }

  /** Works on one request until it is answered, failed or cancelled; never rejects for a reason it knows. */
  async answer(task: AssistantTask): Promise<AssistantOutcome> {
    const signals = { cancel: new AbortController(), stop: new AbortController() }
    task.port.on('message', ({ type }: AssistantCommand) => signals[type].abort())
    try {
      return await new Conversation(this.#options, task, signals.cancel.signal, signals.stop.signal).run()
    } finally {
      task.port.close()
    }
  }
}

/** One request's way through the assistant: question, model, turn. */
class Conversation {
  readonly #options: AssistantOptions
  readonly #task: AssistantTask
  readonly #cancelled: AbortSignal
  readonly #stopped: AbortSignal
  /** Ends what is waited for, whatever becomes of it then. */
  readonly #signal: AbortSignal
  readonly #log: Log
  readonly #store: ConversationStore

  constructor(options: AssistantOptions, task: AssistantTask, cancelled: AbortSignal, stopped: AbortSignal) {
    this.#options = options
    this.#task = task
    this.#cancelled = cancelled
    this.#stopped = stopped
    this.#signal = AbortSignal.any([cancelled, stopped])
    this.#log = options.log.child({ requestId: task.request.id, attempt: task.attempt })
    this.#store = new ConversationStore(options.connect, this.#log)
  }

  async run(): Promise<AssistantOutcome> {
    try {
      const own = { task: this.#task, store: this.#store, signal: this.#signal, log: this.#log }
      const question = await prepareQuestion({ ...this.#options, ...own })
      if ('failure' in question) return this.#failed(question.failure)
      const { briefing, trimmedMessages, remarks } = question
      const { text, end, reply: growing } = await this.#generate(question)
      if (this.#cancelled.aborted) return this.#withoutAnswer()
      const { stopReason } = end
      const reply = growing.end(text, { stopReason, trimmedMessages, remarks })
      const stored = await this.#save(text, reply, end, briefing)
      return {
        type: 'answered',
        text,
        parts: reply.messages,
        ...filesOf(reply),
        model: this.#options.model.nameOf(briefing.model),
        stopReason,
        usage: end.usage,
        trimmedMessages,
        stored,
        database: this.#store.calls,
      }
    } catch (error) {
      if (this.#signal.aborted) return this.#withoutAnswer()
      return this.#failed(asFailure(error))
    }
  }

  async #generate({ messages, briefing }: PreparedQuestion): Promise<Generated> {
    const { model, clock, settings } = this.#options
    const { model: name, persona, reasoning: wanted } = briefing
    const reasoning = this.#isOnDiscord ? wanted : 'hidden'
    const thinking = new Thinking(clock, reasoning !== 'hidden')
    const reply = new GrowingReply({ thinking, reasoning, maxMessages: this.#maxMessages })
    const deltas = new DeltaGatherer(clock, settings.deltaIntervalMs, (more) => {
      crashPoint('delta.before')
      this.#tell({ type: 'delta', text: more, ...reply.push(more) })
      crashPoint('delta.after')
    })
    let text = ''
    let end: ModelEnd = { type: 'end', stopReason: 'end', usage: null }
    let hasThought = false
    try {
      for await (const event of model.stream({ model: name, persona, messages, signal: this.#signal })) {
        switch (event.type) {
          case 'text':
            thinking.pause()
            text += event.text
            deltas.push(event.text)
            break
          case 'reasoning':
            if (!hasThought) this.#tell({ type: 'reasoning' })
            hasThought = true
            thinking.push(event.text)
            break
          case 'retry':
            this.#tell({ ...event, type: 'modelRetry' })
            break
          case 'end':
            end = event
            break
          default:
            event satisfies never
        }
      }
    } catch (error) {
      if (!this.#isKept(text)) throw error
      end = { type: 'end', stopReason: 'stopped', usage: null }
    } finally {
      thinking.pause()
      deltas.flush()
    }
    return { text, end, reply }
  }

  get #isOnDiscord(): boolean {
    return originOf(this.#task.request) === 'discord'
  }

  /** A terminal shows as much as there is. */
  get #maxMessages(): number {
    return this.#isOnDiscord ? this.#options.settings.maxMessages : Number.POSITIVE_INFINITY
  }

  /** Whether a stream that broke off was stopped by its user, who has something to keep. */
  #isKept(text: string): boolean {
    return this.#stopped.aborted && !this.#cancelled.aborted && text.trim() !== ''
  }

  /** False when the database did not take the turn. */
  async #save(answer: string, reply: AnswerReply, end: ModelEnd, briefing: ToldBriefing): Promise<boolean> {
    const { request, attempt } = this.#task
    const { model, clock } = this.#options
    const turn: Turn = {
      request,
      attempt,
      answer,
      model: model.nameOf(briefing.model),
      usage: end.usage,
      answeredAt: clock.now(),
      // The terminal shows the answer as it comes, or it is gone.
      messages: this.#isOnDiscord ? reply.messages : [],
      ...filesOf(reply),
      ...(briefing.toldOf !== null && { toldOf: briefing.toldOf }),
    }
    const result = await this.#store.ask('failed', 'the turn was not stored; the answer goes out without', (api) =>
      api.saveTurn(turn),
    )
    if (result === 'stale') {
      this.#log.warn({}, 'the turn was not stored: the request has ended or a newer attempt exists')
    }
    return result !== 'failed'
  }

  #tell(event: AssistantEvent): void {
    this.#task.port.postMessage(event)
  }

  #failed(failure: Failure): AssistantOutcome {
    return { type: 'failed', failure, database: this.#store.calls }
  }

  #withoutAnswer(): AssistantOutcome {
    return { type: 'cancelled', database: this.#store.calls }
  }
}

/** Left out when there are none. */
function filesOf({ files }: AnswerReply): Partial<Pick<AnswerReply, 'files'>> {
  return files.length === 0 ? {} : { files }
}

function asFailure(error: unknown): Failure {
  if (error instanceof ModelError) {
    const { code, message, detail, retryable, retryAfterMs } = error
    return { code, message, detail, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }
  const detail = error instanceof ParleyError ? `${error.code}: ${error.message}` : errorMessage(error)
  return { ...BROKEN, detail }
}
