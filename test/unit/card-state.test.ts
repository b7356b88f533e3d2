import { describe, expect, it } from 'vitest'
import { afterEvent, type CardState, isEnd, isFinal, urgencyOf } from '#discord/card-state.ts'
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
  it('is a place in line, in an earlier process or in this one', () => {
    for (const restored of [false, true]) {
      const state = stateAfter({ type: 'queued', position: 3, restored, requestId: 'a', attempt: 0 })
      expect(state).toEqual({ phase: 'queued', position: 3, restored })
    }
  })

  it('is another attempt until that has brought something to read', () => {
    const retrying = { type: 'retrying', nextAttempt: 2, maxAttempts: 3, ...OF } as const
    const again = { phase: 'retrying', nextAttempt: 2, maxAttempts: 3 }
    const state = stateAfter(delta('on', 'zero'), retrying)
    expect(state).toEqual(again)
    const begun = [{ type: 'started', ...OF } as const, { type: 'thinking', ...OF } as const, delta('')]
    expect(begun.reduce<CardState | undefined>(afterEvent, state)).toEqual(again)
    const written = stateAfter(retrying, ...begun, delta('one'))
    expect(written).toEqual({ phase: 'answering', finished: [], tail: 'one' })
  })

  it('takes away what was written when the request goes on in the next process', () => {
    expect(stateAfter(delta('on'), { type: 'suspended', ...OF })).toEqual({ phase: 'suspended' })
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
    expect(stateAfter(delta('on'), completed())).toEqual({
      phase: 'settled',
      messages: ['one', 'two'],
      actions: ['regenerate'],
    })
  })

  it('says below an answer when it will not be remembered, and nothing that the answer says already', () => {
    const facts = { stopReason: 'length', trimmedMessages: 4 } as const
    const actions = ['continue', 'regenerate']
    expect(stateAfter(completed(facts))).toEqual({ phase: 'settled', messages: ['one', 'two'], actions })
    const messages = ['one', expect.stringMatching(/^two\n-# This answer could not be saved/)]
    expect(stateAfter(completed({ ...facts, stored: false }))).toEqual({ phase: 'settled', messages })
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

  it('is final when nothing more will come, and an end when its user must come to see it', () => {
    const refusal = { code: 'QUEUE_FULL', message: 'Full.' } as const
    const ends: CardState[] = [
      { phase: 'settled', messages: ['one'] },
      { phase: 'failed', written: [], failure: FAILURE },
      { phase: 'cancelled', written: [], reason: 'user' },
    ]
    const others: CardState[] = [{ phase: 'suspended' }, { phase: 'refused', refusal }]
    const open: CardState[] = [
      { phase: 'queued', position: 1, restored: false },
      { phase: 'thinking' },
      { phase: 'retrying', nextAttempt: 2, maxAttempts: 3 },
      { phase: 'answering', finished: [], tail: 'one' },
    ]
    expect([...ends, ...others].filter((state) => !isFinal(state))).toEqual([])
    expect(ends.filter((state) => !isEnd(state))).toEqual([])
    expect([...others, ...open].filter(isEnd)).toEqual([])
    expect(open.filter(isFinal)).toEqual([])
  })

  it('is a notice when it says why a message was refused, whatever is offered below', () => {
    const refusal = { code: 'REQUEST_ALREADY_ACTIVE', message: 'Busy.' } as const
    const offer = { requestId: '1', messageId: '2' }
    expect(urgencyOf({ phase: 'refused', refusal }, false)).toBe('notice')
    expect(urgencyOf({ phase: 'refused', refusal, offer }, false)).toBe('notice')
  })
})
