import type { Failure } from '#domain/failure.ts'
import { failureNotice, NOT_REMEMBERED, saysThatItWasCut, withSmallPrint } from '#domain/notices.ts'
import type { ReplyFile } from '#domain/reply-file.ts'
import type { RequestStatus } from '#domain/request.ts'
import type { Urgency } from '#protocol/delivery.ts'
import type { CancelReason, GateRefusal, Refusal, RequestEvent, WaitOutlook } from '#protocol/queue.ts'
import type { CardAction } from './card-buttons.ts'

/** What the messages that answer one question have to show. */
export type CardState =
  /** `restored`: the question was asked of an earlier process. */
  | {
      readonly phase: 'queued'
      readonly position: number
      readonly restored: boolean
      readonly outlook?: WaitOutlook
    }
  /** `seconds`: since when, once that is worth saying. */
  | { readonly phase: 'thinking'; readonly seconds?: number }
  | { readonly phase: 'retrying'; readonly nextAttempt: number; readonly maxAttempts: number }
  | { readonly phase: 'answering'; readonly finished: readonly string[]; readonly tail: string }
  /** The answer, or whatever end an earlier process stored, as messages. */
  | {
      readonly phase: 'settled'
      readonly messages: readonly string[]
      /** Come with the last of the messages. */
      readonly files?: readonly ReplyFile[]
      readonly actions?: readonly EndAction[]
    }
  /** What was written before the failure stays visible. */
  | { readonly phase: 'failed'; readonly written: readonly string[]; readonly failure: Failure }
  | { readonly phase: 'cancelled'; readonly written: readonly string[]; readonly reason: CancelReason }
  /** The request goes on in the next process. */
  | { readonly phase: 'suspended' }
  /** The message did not become a request. */
  | { readonly phase: 'refused'; readonly refusal: Refusal | GateRefusal; readonly offer?: Offer }

/** What can be done with a request that has ended. */
type EndAction = Extract<CardAction, 'retry' | 'continue' | 'regenerate'>

/** A message that was refused because its user's request waits; that one can still be changed. */
export interface Offer {
  readonly requestId: string
  readonly messageId: string
}

type Phase = CardState['phase']

const ENDS: readonly Phase[] = ['settled', 'failed', 'cancelled']

const FINAL: readonly Phase[] = [...ENDS, 'suspended', 'refused']

/** True once nothing more will come in this process. */
export function isFinal(state: CardState): boolean {
  // An offer is withdrawn when its request begins.
  return FINAL.includes(state.phase) && !(state.phase === 'refused' && state.offer)
}

/** True for the end of a request, which its user must come to see. */
export function isEnd({ phase }: CardState): boolean {
  return ENDS.includes(phase)
}

/** How much it matters that a state is seen; once anything is, what is not the end is a change of it only. */
export function urgencyOf(state: CardState, hasShown: boolean): Urgency {
  if (isEnd(state)) return 'answer'
  if (FINAL.includes(state.phase)) return 'notice'
  return hasShown ? 'preview' : 'placeholder'
}

/** What a card shows after an event of its request; `state` is undefined before the first. */
export function afterEvent(state: CardState | undefined, event: RequestEvent): CardState {
  switch (event.type) {
    case 'queued':
      return { phase: 'queued', position: event.position, restored: event.restored }
    case 'heldUp':
      return { phase: 'queued', position: 1, restored: false }
    case 'started':
      // That it is another attempt stays visible until it has brought something.
      return state?.phase === 'retrying' ? state : { phase: 'thinking' }
    case 'thinking':
      return state ?? { phase: 'thinking' }
    case 'delta':
      return afterDelta(state, event)
    case 'retrying':
      return { phase: 'retrying', nextAttempt: event.nextAttempt, maxAttempts: event.maxAttempts }
    case 'completed':
      return answered(event)
    case 'failed':
      return { phase: 'failed', written: writtenIn(state), failure: event.failure }
    case 'cancelled':
      return { phase: 'cancelled', written: writtenIn(state), reason: event.reason }
    case 'suspended':
      return { phase: 'suspended' }
    default:
      return event satisfies never
  }
}

/** What is not in the history can be neither continued nor replaced. */
function answered({ parts, files, stored, stopReason }: Extract<RequestEvent, { type: 'completed' }>): CardState {
  const carried = files && { files }
  if (!stored) return { phase: 'settled', messages: withSmallPrint(parts, NOT_REMEMBERED), ...carried }
  return { phase: 'settled', messages: parts, ...carried, actions: answerActions(stopReason === 'length') }
}

/** What a card shows of an end that an earlier process stored as messages. */
export function storedEnd(status: RequestStatus, messages: readonly string[], files?: readonly ReplyFile[]): CardState {
  const carried = files && { files }
  if (status !== 'COMPLETED') return { phase: 'settled', messages, ...carried, actions: ['retry'] }
  return { phase: 'settled', messages, ...carried, actions: answerActions(saysThatItWasCut(messages)) }
}

/** What a card shows instead when Discord does not take the messages that show an end. */
export function refusedEnd(state: CardState, requestId?: string): CardState {
  const notice = failureNotice({ code: 'DELIVERY_FAILED', message: NOT_TAKEN }, requestId)
  const actions = state.phase === 'settled' ? state.actions : (['retry'] as const)
  return { phase: 'settled', messages: [notice], ...(actions && { actions }) }
}

const NOT_TAKEN = 'Discord did not take what was to be shown here. What was answered is kept: `/history` shows it.'

function answerActions(wasCut: boolean): readonly EndAction[] {
  return wasCut ? ['continue', 'regenerate'] : ['regenerate']
}

function afterDelta(state: CardState | undefined, event: Extract<RequestEvent, { type: 'delta' }>): CardState {
  const { finished, tail } = event
  if (state?.phase === 'retrying' && finished.length === 0 && tail === '') return state
  const before = state?.phase === 'answering' ? state.finished : []
  return { phase: 'answering', finished: [...before, ...finished], tail }
}

function writtenIn(state: CardState | undefined): readonly string[] {
  if (state?.phase !== 'answering') return []
  return state.tail === '' ? state.finished : [...state.finished, state.tail]
}
