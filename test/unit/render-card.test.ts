import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CardState } from '#discord/card-state.ts'
import { renderCard } from '#discord/render-card.ts'

const FAILURE = { code: 'MODEL_UNREACHABLE', message: 'The model cannot be reached. Please ask again.' } as const
const REFUSAL = { code: 'QUEUE_FULL', message: 'The queue is full. Please send it again.' } as const

function contentsOf(state: CardState): string[] {
  return renderCard(state).map(({ content }) => content)
}

describe('the messages of a card', () => {
  it.each<[string, CardState, string[]]>([
    ['who is next', { phase: 'queued', position: 1, restored: false }, ['⏳ Queued: you are next.']],
    ['a place in line', { phase: 'queued', position: 3, restored: false }, ['⏳ Queued: you are 3rd in line.']],
    [
      'a place in line after a restart',
      { phase: 'queued', position: 3, restored: true },
      ['⏳ Parley was restarted; your question goes on. You are 3rd in line.'],
    ],
    [
      'who is next after a restart',
      { phase: 'queued', position: 1, restored: true },
      ['⏳ Parley was restarted; your question goes on. You are next.'],
    ],
    [
      'a place in line with what lies before it',
      { phase: 'queued', position: 2, restored: false, outlook: { waiting: 7, waitMs: 18_000 } },
      ['⏳ Queued: you are 2nd of 7, about 20 s.'],
    ],
    [
      'who is next, and when',
      { phase: 'queued', position: 1, restored: false, outlook: { waiting: 7, waitMs: 4_000 } },
      ['⏳ Queued: you are next, about 5 s.'],
    ],
    [
      'a place in line before anything was measured',
      { phase: 'queued', position: 2, restored: false, outlook: { waiting: 7, waitMs: null } },
      ['⏳ Queued: you are 2nd of 7.'],
    ],
    [
      'a long line, and how to leave it',
      { phase: 'queued', position: 32, restored: false, outlook: { waiting: 40, waitMs: 240_000, crowded: true } },
      ['⏳ There are 31 before you, about 4 min. Your question is in line; **Cancel** takes it out.'],
    ],
    [
      'a line that is long for its owner',
      { phase: 'queued', position: 2, restored: false, outlook: { waiting: 2, waitMs: null, crowded: true } },
      ['⏳ There is 1 before you. Your question is in line; **Cancel** takes it out.'],
    ],
    [
      'a long line after a restart',
      { phase: 'queued', position: 32, restored: true, outlook: { waiting: 40, waitMs: null, crowded: true } },
      ['⏳ Parley was restarted; your question goes on. You are 32nd of 40.'],
    ],
    [
      'that Parley is paused',
      { phase: 'queued', position: 1, restored: false, outlook: { waiting: 1, waitMs: null, heldUp: 'paused' } },
      ['⏳ Parley is paused at the moment. Your question is kept and goes on by itself.'],
    ],
    [
      'that the model is silent',
      { phase: 'queued', position: 2, restored: true, outlook: { waiting: 9, waitMs: null, heldUp: 'model' } },
      ['⏳ The model does not answer at the moment. Your question waits and goes on by itself.'],
    ],
    ['work that takes long', { phase: 'thinking', seconds: 12 }, ['💭 Thinking… 12 s']],
    ['a second attempt', { phase: 'retrying', nextAttempt: 2, maxAttempts: 3 }, ['🔁 Trying again (2 of 3)…']],
    [
      'that it goes on later',
      { phase: 'suspended' },
      ['⏸️ Parley is being restarted. Your question is kept and goes on by itself in a moment.'],
    ],
    ['work', { phase: 'thinking' }, ['💭 Thinking…']],
    ['an answer that grows', { phase: 'answering', finished: ['one'], tail: 'tw' }, ['one', 'tw']],
    ['an answer between two messages', { phase: 'answering', finished: ['one'], tail: '' }, ['one']],
    ['an answer with nothing to read yet', { phase: 'answering', finished: [], tail: '' }, ['💭 Thinking…']],
    ['an answer', { phase: 'settled', messages: ['one', 'two'] }, ['one', 'two']],
    [
      'a failure',
      { phase: 'failed', written: [], failure: FAILURE },
      ['⚠️ The model cannot be reached. Please ask again.\n-# MODEL_UNREACHABLE'],
    ],
    [
      'a failure in the middle',
      { phase: 'failed', written: ['one', 'tw'], failure: FAILURE },
      ['one', 'tw\n⚠️ The model cannot be reached. Please ask again.\n-# MODEL_UNREACHABLE'],
    ],
    [
      'a refusal',
      { phase: 'refused', refusal: REFUSAL },
      ['⚠️ The queue is full. Please send it again.\n-# QUEUE_FULL'],
    ],
    ['a cancellation', { phase: 'cancelled', written: [], reason: 'user' }, ['🛑 Cancelled. Nothing was kept.']],
  ])('show %s', (_, state, messages) => {
    expect(contentsOf(state)).toEqual(messages)
  })

  it('say what to do when Parley is stopped', () => {
    const [message] = contentsOf({ phase: 'cancelled', written: [], reason: 'shutdown' })
    expect(message).toMatch(/restarted.*not answered.*send it again/)
  })

  it('put a note that does not fit into a message of its own', () => {
    const notice = '\n⚠️ The model cannot be reached. Please ask again.\n-# MODEL_UNREACHABLE'
    const full = 'x'.repeat(2_000 - notice.length)
    const failed = (...written: string[]) => contentsOf({ phase: 'failed', written, failure: FAILURE })
    expect(failed('one', full)).toEqual(['one', `${full}${notice}`])
    expect(failed('one', `${full}x`)).toEqual(['one', `${full}x`, notice.trim()])
  })

  it('are never empty, blank or too long for Discord, and never none', () => {
    const text = fc.string({ minLength: 1, maxLength: 2_000 }).filter((part) => part.trim() !== '')
    const parts = fc.oneof(fc.array(text, { maxLength: 3 }), fc.constant(['x'.repeat(1_990)]))
    const some = fc.oneof(fc.array(text, { minLength: 1, maxLength: 3 }), fc.constant(['x'.repeat(2_000)]))
    const states: fc.Arbitrary<CardState> = fc.oneof(
      fc.record({ phase: fc.constant('queued' as const), position: fc.nat(), restored: fc.boolean() }),
      fc.record({ phase: fc.constant('answering' as const), finished: parts, tail: fc.oneof(text, fc.constant('')) }),
      fc.record({ phase: fc.constant('settled' as const), messages: some }),
      fc.record({ phase: fc.constant('failed' as const), written: parts, failure: fc.constant(FAILURE) }),
      fc.record({
        phase: fc.constant('cancelled' as const),
        written: parts,
        reason: fc.constantFrom('user' as const, 'shutdown' as const),
      }),
    )
    fc.assert(
      fc.property(states, (state) => {
        const messages = contentsOf(state)
        expect(messages.length).toBeGreaterThan(0)
        for (const message of messages) {
          expect(message.trim()).not.toBe('')
          expect(message.length).toBeLessThanOrEqual(2_000)
        }
      }),
    )
  })
})
