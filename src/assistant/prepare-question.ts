import type { Log } from '#actors/log.ts'
import { fileNotes } from '#domain/attachments.ts'
import { type Briefing, decideBriefing, NO_CHOICES } from '#domain/briefing.ts'
import type { HistoryMessage } from '#domain/conversation.ts'
import type { Failure } from '#domain/failure.ts'
import { withPersona } from '#domain/persona.ts'
import { NO_PREFERENCES, type ReasoningDisplay } from '#domain/preferences.ts'
import type { PromptWindow } from '#domain/prompt-window.ts'
import { seesImages } from '#domain/vision.ts'
import type { AssistantTask } from '#protocol/assistant.ts'
import type { AssistantThreadData } from '#protocol/assistant-thread.ts'
import type { ChoicesOfConversation } from '#protocol/server-records.ts'
import type { ConversationStore } from './conversation-store.ts'
import { cancelledError } from './model-client.ts'
import type { PdfReader } from './pdf-reader.ts'
import { loadFiles, NO_ROOM, type QuestionFiles, questionText, readFiles, WITHOUT_FILES } from './question-files.ts'
import { buildQuestionPrompt } from './question-prompt.ts'
import type { TokenCounter } from './token-counter.ts'

export interface QuestionOptions {
  readonly loadTokenCounter: () => Promise<TokenCounter>
  /** Reads the PDFs that come with questions. */
  readonly pdfs: Pick<PdfReader, 'read'>
  readonly settings: Pick<AssistantThreadData, 'models' | 'systemPrompt' | 'contextTokens' | 'attachments' | 'model'>
}

/** One execution's question, and what there is to prepare it with. */
interface Preparation extends QuestionOptions {
  readonly task: AssistantTask
  readonly store: ConversationStore
  readonly signal: AbortSignal
  readonly log: Log
}

/** What applies to a request, and the withdrawn model its answer tells of. */
export interface ToldBriefing extends Briefing {
  readonly toldOf: string | null
  readonly reasoning: ReasoningDisplay
}

/** What the model is asked, and what the answer has to remark on. */
export interface PreparedQuestion extends Extract<PromptWindow, { fits: true }> {
  readonly briefing: ToldBriefing
  readonly remarks: readonly string[]
}

const NOTHING_CHOSEN: ChoicesOfConversation = { ...NO_CHOICES, reasoning: NO_PREFERENCES.reasoning, toldOf: [] }

/** Gathers what the model is asked, or says why it cannot be asked. Rejects when the signal ends it. */
export async function prepareQuestion(
  preparation: Preparation,
): Promise<PreparedQuestion | { readonly failure: Failure }> {
  const { task, settings, signal } = preparation
  const recalled = Promise.all([readHistory(preparation), readBriefing(preparation), readOwnFiles(preparation)])
  const [history, briefing, files] = await unlessCancelled(recalled, signal)
  const { window, notes } = await buildPrompt(preparation, history, briefing, files)
  if (isNothing(task.request.message, files)) return { failure: unusable(notes) }
  if (!window.fits) return { failure: tooLong(window.neededTokens, settings.contextTokens) }
  const remarks = briefing.toldOf === null ? notes : [...notes, withdrawnNote(briefing)]
  return { ...window, briefing, remarks }
}

/** Without the database the conversation starts afresh; the question is still answered. */
async function readHistory({ task, store }: Preparation): Promise<HistoryMessage[]> {
  const { request, historyLimit } = task
  if (historyLimit === 0) return []
  const { userId, serverId, replaces } = request
  return store.ask([], 'history could not be read; answering without it', (api) =>
    api.history({ userId, serverId }, historyLimit, replaces),
  )
}

/** Without the database nobody has chosen anything. */
async function readBriefing({ task, store, settings }: Preparation): Promise<ToldBriefing> {
  const { userId, serverId } = task.request
  const choices = await store.ask(NOTHING_CHOSEN, 'what was chosen could not be read; answering as usual', (api) =>
    api.choices({ userId, serverId }),
  )
  const briefing = decideBriefing(settings.models, choices)
  const { withdrawn } = briefing
  const toldOf = withdrawn === null || choices.toldOf.includes(withdrawn) ? null : withdrawn
  return { ...briefing, reasoning: choices.reasoning, toldOf }
}

async function readOwnFiles({ task, store, settings, pdfs, signal }: Preparation): Promise<QuestionFiles> {
  const { id, fileNames = [] } = task.request
  if (fileNames.length === 0) return WITHOUT_FILES
  const files = await store.ask([], 'the files could not be read; answering without them', (api) => loadFiles(api, id))
  const { textChars } = settings.attachments
  return readFiles(files, { fileNames, textChars, seesImages: seesImages(settings.model), pdfs, signal })
}

/** A cancel does not wait for the database: a thread that is late to answer it counts as wedged. */
function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const cancelled = Promise.withResolvers<never>()
  const onAbort = () => cancelled.reject(cancelledError())
  signal.addEventListener('abort', onAbort)
  return Promise.race([work, cancelled.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

async function buildPrompt(
  { task, settings, loadTokenCounter, log }: Preparation,
  history: readonly HistoryMessage[],
  { persona }: Briefing,
  files: QuestionFiles,
): Promise<{ readonly window: PromptWindow; readonly notes: readonly string[] }> {
  const { contextTokens } = settings
  const systemPrompt = withPersona(settings.systemPrompt, persona)
  const message = questionText(task.request.message, files)
  const parts = { systemPrompt, history, message, files, budgetTokens: contextTokens }
  const { window, shortened, omitted } = await buildQuestionPrompt(parts, loadTokenCounter)
  const unused = [...files.unused, ...omitted.map((name) => ({ name, reason: NO_ROOM }))]
  const notes = fileNotes(unused, [...new Set([...files.shortened, ...shortened])])
  if (window.fits && window.trimmedMessages > 0) {
    log.info({ trimmedMessages: window.trimmedMessages, contextTokens }, 'older messages did not fit the prompt')
  }
  return { window, notes }
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
