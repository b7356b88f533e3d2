import { describe, expect, it } from 'vitest'
import { afterEvent, type CardState, isFinal } from '#discord/card-state.ts'
import type { RequestEvent } from '#protocol/queue.ts'

const OF = { requestId: 'a', attempt: 1 } as const
const FAILURE = { code: 'MODEL_TIMED_OUT', message: 'It took too long.' } as const

function completed(fields: Partial<Extract<RequestEvent, { type: 'completed' }>> = {}): RequestEvent {
  const nothingToNote = { stopReason: 'end', trimmedMessages: 0, stored: true } as const
  return { type: 'completed', answer: 'one two', parts: ['one', 'two'], ...nothingToNote, ...OF, ...fields }
}

function delta(tail: string, ...finished: string[]): RequestEvent {
  return { type: 'delta', text: tail, tail, finished, ...OF }
}

/** The state after a life so far. */
function stateAfter(...events: RequestEvent[]): CardState | undefined {
  return events.reduce<CardState | undefined>(afterEvent, undefined)
}

describe('the state of a card', () => {
  it('is a place in line, first without and after a lost thread with a word about the retry', () => {
    const first = stateAfter({ type: 'queued', position: 3, requestId: 'a', attempt: 0 })
    expect(first).toEqual({ phase: 'queued', position: 3, retried: false })
    const again = afterEvent(first, { type: 'queued', position: 1, ...OF })
    expect(again).toEqual({ phase: 'queued', position: 1, retried: true })
  })

  it('is thinking from the start to the first text', () => {
    expect(stateAfter({ type: 'started', ...OF })).toEqual({ phase: 'thinking' })
    expect(stateAfter({ type: 'started', ...OF }, { type: 'thinking', ...OF })).toEqual({ phase: 'thinking' })
    expect(stateAfter({ type: 'thinking', ...OF })).toEqual({ phase: 'thinking' })
  })

  it('keeps what has been written when the model goes on thinking', () => {
    expect(stateAfter(delta('one'), { type: 'thinking', ...OF })).toEqual(stateAfter(delta('one')))
  })

  it('gathers the messages that are full and has the tail as it is now', () => {
    const state = stateAfter(delta('on'), delta('tw', 'one'), delta('three', 'two'))
    expect(state).toEqual({ phase: 'answering', finished: ['one', 'two'], tail: 'three' })
  })

  it('starts anew when the answer does', () => {
    const state = stateAfter(delta('on', 'zero'), { type: 'started', requestId: 'a', attempt: 2 }, delta('again'))
    expect(state).toEqual({ phase: 'answering', finished: [], tail: 'again' })
  })

  it('is the answer at last, whatever was seen before', () => {
    expect(stateAfter(delta('on'), completed())).toEqual({ phase: 'answered', parts: ['one', 'two'], notes: [] })
  })

  it.each([
    ['that it stops early', { stopReason: 'length' as const }, 'The answer reached its length limit and stops here.'],
    ['what was left out', { trimmedMessages: 1 }, 'The oldest message of our conversation no longer fit'],
    ['how much was left out', { trimmedMessages: 4 }, 'The oldest 4 messages of our conversation no longer fit'],
    ['that it will not be remembered', { stored: false }, 'could not be saved, so it will not be remembered'],
  ])('notes below an answer %s', (_, fields, note) => {
    expect(stateAfter(completed(fields))).toMatchObject({ notes: [expect.stringContaining(note)] })
  })

  it('notes all there is to note', () => {
    const state = stateAfter(completed({ stopReason: 'length', trimmedMessages: 2, stored: false }))
    expect(state).toMatchObject({ notes: [expect.any(String), expect.any(String), expect.any(String)] })
  })

  it('keeps what was written before a failure or a cancellation', () => {
    const written = [delta('tw', 'one')]
    const failed = stateAfter(...written, { type: 'failed', failure: FAILURE, ...OF })
    expect(failed).toEqual({ phase: 'failed', written: ['one', 'tw'], failure: FAILURE })
    const cancelled = stateAfter(...written, { type: 'cancelled', reason: 'shutdown', ...OF })
    expect(cancelled).toEqual({ phase: 'cancelled', written: ['one', 'tw'], reason: 'shutdown' })
  })

  it('has nothing to keep when nothing was written', () => {
    const failed = { type: 'failed', failure: FAILURE, ...OF } as const
    for (const before of [[], [{ type: 'started', ...OF } as const], [delta('')]]) {
      expect(stateAfter(...before, failed)).toEqual({ phase: 'failed', written: [], failure: FAILURE })
    }
  })

  it('is final when nothing more will come', () => {
    const refusal = { code: 'QUEUE_FULL', message: 'Full.' } as const
    const final: CardState[] = [
      { phase: 'answered', parts: ['one'], notes: [] },
      { phase: 'failed', written: [], failure: FAILURE },
      { phase: 'cancelled', written: [], reason: 'user' },
      { phase: 'refused', refusal },
    ]
    const open: CardState[] = [
      { phase: 'queued', position: 1, retried: false },
      { phase: 'thinking' },
      { phase: 'answering', finished: [], tail: 'one' },
    ]
    expect(final.map(isFinal)).toEqual([true, true, true, true])
    expect(open.map(isFinal)).toEqual([false, false, false])
  })
})
