import type { Clock } from '#actors/clock.ts'
import { crashPoint } from '#actors/crash-point.ts'
import type { Log } from '#actors/log.ts'
import type { AnswerReply } from '#domain/answer-reply.ts'
import { fileNotes } from '#domain/attachments.ts'
import { type Briefing, decideBriefing, NO_CHOICES } from '#domain/briefing.ts'
import type { HistoryMessage } from '#domain/conversation.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import type { Failure } from '#domain/failure.ts'
import { withPersona } from '#domain/persona.ts'
import { NO_PREFERENCES, type ReasoningDisplay } from '#domain/preferences.ts'
import type { PromptWindow } from '#domain/prompt-window.ts'
import { originOf } from '#domain/request.ts'
import { seesImages } from '#domain/vision.ts'
import type { AssistantCommand, AssistantEvent, AssistantOutcome, AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'
import type { DatabaseApi, Turn } from '#protocol/database.ts'
import type { ChoicesOfConversation } from '#protocol/server-records.ts'
import { DeltaGatherer } from './delta-gatherer.ts'
import { GrowingReply } from './growing-reply.ts'
import { cancelledError, type ModelClient, type ModelEvent } from './model-client.ts'
import { ModelError } from './model-error.ts'
import type { PdfReader } from './pdf-reader.ts'
import { loadFiles, NO_ROOM, type QuestionFiles, questionText, readFiles, WITHOUT_FILES } from './question-files.ts'
import { buildQuestionPrompt } from './question-prompt.ts'
import { Thinking } from './thinking.ts'
import type { TokenCounter } from './token-counter.ts'

/** The part of the database that an assistant uses. */
type ConversationStore = Pick<DatabaseApi, 'history' | 'choices' | 'filesOf' | 'fileBytes' | 'saveTurn'>

export interface AssistantOptions {
  readonly model: ModelClient
  /** The database as it can be reached now; rejects when it cannot. */
  readonly connect: () => Promise<ConversationStore>
  readonly loadTokenCounter: () => Promise<TokenCounter>
  /** Reads the PDFs that come with questions. */
  readonly pdfs: Pick<PdfReader, 'read'>
  readonly settings: Pick<
    AssistantThreadData,
    'models' | 'systemPrompt' | 'contextTokens' | 'deltaIntervalMs' | 'maxMessages' | 'attachments' | 'model'
  >
  readonly clock: Clock
  readonly log: Log
}

/** What applies to a request, and the withdrawn model its answer tells of. */
interface ToldBriefing extends Briefing {
  readonly toldOf: string | null
  readonly reasoning: ReasoningDisplay
}

const NOTHING_CHOSEN: ChoicesOfConversation = { ...NO_CHOICES, reasoning: NO_PREFERENCES.reasoning, toldOf: [] }

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

/** One request's way through the assistant: history, prompt, model, turn. */
class Conversation {
  readonly #options: AssistantOptions
  readonly #task: AssistantTask
  readonly #cancelled: AbortSignal
  readonly #stopped: AbortSignal
  /** Ends what is waited for, whatever becomes of it then. */
  readonly #signal: AbortSignal
  readonly #log: Log
  readonly #database = { ok: 0, failed: 0 }

  constructor(options: AssistantOptions, task: AssistantTask, cancelled: AbortSignal, stopped: AbortSignal) {
    this.#options = options
    this.#task = task
    this.#cancelled = cancelled
    this.#stopped = stopped
    this.#signal = AbortSignal.any([cancelled, stopped])
    this.#log = options.log.child({ requestId: task.request.id, attempt: task.attempt })
  }

  async run(): Promise<AssistantOutcome> {
    try {
      const recalled = Promise.all([this.#history(), this.#briefing(), this.#files()])
      const [history, briefing, files] = await this.#unlessCancelled(recalled)
      const { window, notes } = await this.#prompt(history, briefing, files)
      if (isNothing(this.#task.request.message, files)) return this.#failed(unusable(notes))
      if (!window.fits) return this.#failed(tooLong(window.neededTokens, this.#options.settings.contextTokens))
      const { text, end, reply: growing } = await this.#generate(window, briefing)
      if (this.#cancelled.aborted) return this.#withoutAnswer()
      const { stopReason } = end
      const remarks = briefing.toldOf === null ? notes : [...notes, withdrawnNote(briefing)]
      const reply = growing.end(text, { stopReason, trimmedMessages: window.trimmedMessages, remarks })
      const stored = await this.#save(text, reply, end, briefing)
      return {
        type: 'answered',
        text,
        parts: reply.messages,
        ...filesOf(reply),
        model: this.#options.model.nameOf(briefing.model),
        stopReason,
        usage: end.usage,
        trimmedMessages: window.trimmedMessages,
        stored,
        database: this.#database,
      }
    } catch (error) {
      if (this.#signal.aborted) return this.#withoutAnswer()
      return this.#failed(asFailure(error))
    }
  }

  /** Without the database the conversation starts afresh; the question is still answered. */
  async #history(): Promise<HistoryMessage[]> {
    const { request, historyLimit } = this.#task
    if (historyLimit === 0) return []
    return this.#counted([], 'history could not be read; answering without it', async () => {
      const database = await this.#options.connect()
      const { userId, serverId, replaces } = request
      return database.history({ userId, serverId }, historyLimit, replaces)
    })
  }

  /** Without the database nobody has chosen anything. */
  async #briefing(): Promise<ToldBriefing> {
    const { userId, serverId } = this.#task.request
    const choices = await this.#counted(
      NOTHING_CHOSEN,
      'what was chosen could not be read; answering as usual',
      async () => {
        const database = await this.#options.connect()
        return database.choices({ userId, serverId })
      },
    )
    const briefing = decideBriefing(this.#options.settings.models, choices)
    const { withdrawn } = briefing
    const toldOf = withdrawn === null || choices.toldOf.includes(withdrawn) ? null : withdrawn
    return { ...briefing, reasoning: choices.reasoning, toldOf }
  }

  /** A cancel does not wait for the database: a thread that is late to answer it counts as wedged. */
  #unlessCancelled<T>(work: Promise<T>): Promise<T> {
    const cancelled = Promise.withResolvers<never>()
    const onAbort = () => cancelled.reject(cancelledError())
    this.#signal.addEventListener('abort', onAbort)
    return Promise.race([work, cancelled.promise]).finally(() => this.#signal.removeEventListener('abort', onAbort))
  }

  async #files(): Promise<QuestionFiles> {
    const { id, fileNames = [] } = this.#task.request
    if (fileNames.length === 0) return WITHOUT_FILES
    const { connect, pdfs, settings } = this.#options
    const files = await this.#counted([], 'the files could not be read; answering without them', async () =>
      loadFiles(await connect(), id),
    )
    const { textChars } = settings.attachments
    return readFiles(files, {
      fileNames,
      textChars,
      seesImages: seesImages(settings.model),
      pdfs,
      signal: this.#signal,
    })
  }

  async #prompt(
    history: readonly HistoryMessage[],
    { persona }: Briefing,
    files: QuestionFiles,
  ): Promise<{ readonly window: PromptWindow; readonly notes: readonly string[] }> {
    const { loadTokenCounter, settings } = this.#options
    const { contextTokens } = settings
    const systemPrompt = withPersona(settings.systemPrompt, persona)
    const message = questionText(this.#task.request.message, files)
    const parts = { systemPrompt, history, message, files, budgetTokens: contextTokens }
    const { window, shortened, omitted } = await buildQuestionPrompt(parts, loadTokenCounter)
    const unused = [...files.unused, ...omitted.map((name) => ({ name, reason: NO_ROOM }))]
    const notes = fileNotes(unused, [...new Set([...files.shortened, ...shortened])])
    if (window.fits && window.trimmedMessages > 0) {
      this.#log.info(
        { trimmedMessages: window.trimmedMessages, contextTokens },
        'older messages did not fit the prompt',
      )
    }
    return { window, notes }
  }

  async #generate(
    { messages }: Extract<PromptWindow, { fits: true }>,
    { model: name, persona, reasoning: wanted }: ToldBriefing,
  ): Promise<Generated> {
    const { model, clock, settings } = this.#options
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
    const result = await this.#counted('failed', 'the turn was not stored; the answer goes out without', async () => {
      const database = await this.#options.connect()
      return database.saveTurn(turn)
    })
    if (result === 'stale') {
      this.#log.warn({}, 'the turn was not stored: the request has ended or a newer attempt exists')
    }
    return result !== 'failed'
  }

  async #counted<T, F>(otherwise: F, problem: string, call: () => Promise<T>): Promise<T | F> {
    try {
      const result = await call()
      this.#database.ok++
      return result
    } catch (error) {
      this.#database.failed++
      this.#log.error({ error: errorMessage(error) }, problem)
      return otherwise
    }
  }

  #tell(event: AssistantEvent): void {
    this.#task.port.postMessage(event)
  }

  #failed(failure: Failure): AssistantOutcome {
    return { type: 'failed', failure, database: this.#database }
  }

  #withoutAnswer(): AssistantOutcome {
    return { type: 'cancelled', database: this.#database }
  }
}

/** Left out when there are none. */
function filesOf({ files }: AnswerReply): Partial<Pick<AnswerReply, 'files'>> {
  return files.length === 0 ? {} : { files }
}

function withdrawnNote({ toldOf, model, modelFrom }: ToldBriefing): string {
  const used = modelFrom === 'usual' ? 'the usual model' : `\`${model}\``
  return `The model \`${toldOf}\` that was chosen for this conversation is not offered any more; ${used} answered. /model shows what there is.`
}

/** A question that consists of files of which none can be used. */
function isNothing(message: string, { texts, images, unused }: QuestionFiles): boolean {
  return message.trim() === '' && unused.length > 0 && texts.length + images.length === 0
}

function unusable(notes: readonly string[]): Failure {
  return {
    code: 'FILES_UNUSABLE',
    message: `There is no text in your message, and its files cannot be used. ${notes.join(' ')} It was not answered.`,
  }
}

function tooLong(neededTokens: number, contextTokens: number): Failure {
  return {
    code: 'MODEL_CONTEXT_TOO_LONG',
    message: `Your message is too long for the model: about ${neededTokens} tokens, and ${contextTokens} fit. It was not answered; please send a shorter one.`,
  }
}

function asFailure(error: unknown): Failure {
  if (error instanceof ModelError) {
    const { code, message, detail, retryable, retryAfterMs } = error
    return { code, message, detail, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }
  const message = 'Something unexpected broke while your question was worked on. It was not answered; please ask again.'
  const detail = error instanceof ParleyError ? `${error.code}: ${error.message}` : errorMessage(error)
  return { code: 'MODEL_FAILED', message, detail }
}
