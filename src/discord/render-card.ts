import { CANCELLED, failureNotice, HELD_UP, withNote, withSmallPrint } from '#domain/notices.ts'
import { inWords } from '#domain/wait-estimate.ts'
import { buttonRows, type CardAction, type CardMessage } from './card-buttons.ts'
import type { CardState } from './card-state.ts'
import { ordinal } from './ordinal.ts'

/** The messages a card consists of; the last one has the buttons, and carries the files. `requestId` is undefined for one that did not become a request. */
export function renderCard(state: CardState, requestId?: string, note?: string): readonly CardMessage[] {
  const plain = renderContents(state, requestId)
  const contents = note === undefined || isGrowing(state) ? plain : withSmallPrint(plain, note)
  const messageId = state.phase === 'refused' ? state.offer?.messageId : undefined
  const subjectId = state.phase === 'refused' ? state.offer?.requestId : requestId
  const rows =
    subjectId === undefined
      ? []
      : buttonRows(actionsOf(state), { requestId: subjectId, ...(messageId !== undefined && { messageId }) })
  const last = { components: rows, ...filesOf(state) }
  // As Discord will have them: what is there is recognized by its words.
  const trimmed = contents.map((content) => content.trim())
  return trimmed.map((content, index) => ({ content, ...(index === contents.length - 1 ? last : { components: [] }) }))
}

function filesOf(state: CardState): Pick<CardMessage, 'files'> {
  return state.phase === 'settled' && state.files ? { files: state.files } : {}
}

/** What somebody can do about a card as it is. */
function actionsOf(state: CardState): readonly CardAction[] {
  switch (state.phase) {
    case 'queued':
    case 'thinking':
    case 'retrying':
      return ['cancel']
    case 'answering':
      return state.tail === '' && state.finished.length === 0 ? ['cancel'] : ['stop', 'cancel']
    case 'settled':
      return state.actions ?? []
    case 'failed':
    case 'cancelled':
      return ['retry']
    case 'suspended':
      return []
    case 'refused':
      return state.offer ? ['replace', 'append'] : []
    default:
      return state satisfies never
  }
}

/** The texts of a card, each within Discord's limit and none of them empty. */
function renderContents(state: CardState, requestId: string | undefined): readonly string[] {
  switch (state.phase) {
    case 'queued':
      return [queued(state)]
    case 'thinking':
      return [state.seconds === undefined ? THINKING : `${THINKING} ${state.seconds} s`]
    case 'retrying':
      return [`🔁 Trying again (${state.nextAttempt} of ${state.maxAttempts})…`]
    case 'answering':
      return answering(state.finished, state.tail)
    case 'settled':
      return state.messages
    case 'failed':
      return withNote(state.written, failureNotice(state.failure, requestId))
    case 'cancelled':
      return withNote(state.written, CANCELLED[state.reason])
    case 'suspended':
      return [SUSPENDED]
    case 'refused':
      return [refused(state)]
    default:
      return state satisfies never
  }
}

/** Tells whether a message says only that something is to come. */
export function isPlaceholder(content: string): boolean {
  return /^(⏳|💭|🔁|⏸️) /u.test(content)
}

const THINKING = '💭 Thinking…'

const SUSPENDED = '⏸️ Parley is being restarted. Your question is kept and goes on by itself in a moment.'

/** A message that was not taken in can still become part of the question that waits. */
function refused({ refusal: { code, message }, offer }: Extract<CardState, { phase: 'refused' }>): string {
  return failureNotice({
    code,
    message: offer ? `${message} As that one still waits, you can also change it now.` : message,
  })
}

function isGrowing(state: CardState): boolean {
  return state.phase === 'answering' && (state.tail !== '' || state.finished.length > 0)
}

/** Until there is something to read, the placeholder stays. */
function answering(finished: readonly string[], tail: string): readonly string[] {
  if (tail !== '') return [...finished, tail]
  return finished.length === 0 ? [THINKING] : finished
}

function queued({ position, restored, outlook }: Extract<CardState, { phase: 'queued' }>): string {
  const wait = outlook?.waitMs == null ? '' : `, ${inWords(outlook.waitMs)}`
  // One that is being changed or has to wait for its next try has no place of its own for a moment.
  const line = outlook && outlook.waiting >= position ? `of ${outlook.waiting}` : 'in line'
  const place = `${position <= 1 ? 'you are next' : `you are ${ordinal(position)} ${line}`}${wait}.`
  if (outlook?.heldUp) return `⏳ ${HELD_UP[outlook.heldUp]}`
  if (outlook?.crowded && !restored) {
    const before = position === 2 ? 'There is 1' : `There are ${position - 1}`
    return `⏳ ${before} before you${wait}. Your question is in line; **Cancel** takes it out.`
  }
  if (!restored) return `⏳ Queued: ${place}`
  return `⏳ Parley was restarted; your question goes on. Y${place.slice(1)}`
}
