import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answerMessages,
  answerNotes,
  CANCELLED,
  failureNotice,
  MESSAGE_LIMIT,
  NOT_REMEMBERED,
  withNote,
  withSmallPrint,
} from '#domain/notices.ts'

const LENGTH = 'The answer reached its length limit and stops here.'

describe('what there is to note about an answer', () => {
  it.each<['end' | 'length' | 'filtered', number, string[]]>([
    ['filtered', 0, ['A content filter of the model server ended the answer here.']],
    ['end', 0, []],
    ['length', 0, [LENGTH]],
    ['end', 1, ['The oldest message of our conversation no longer fit and was left out.']],
    ['end', 4, ['The oldest 4 messages of our conversation no longer fit and were left out.']],
    ['length', 4, [LENGTH, 'The oldest 4 messages of our conversation no longer fit and were left out.']],
  ])('that ended with %s, and %i messages left out', (stopReason, trimmedMessages, notes) => {
    expect(answerNotes({ stopReason, trimmedMessages })).toEqual(notes)
  })
})

describe('the messages that show an answer', () => {
  it('are its parts when there is nothing to note', () => {
    const parts = ['one', 'two']
    expect(answerMessages(parts, { stopReason: 'end', trimmedMessages: 0 })).toEqual(parts)
  })

  it('end with what there is to note, in small print below the last one', () => {
    expect(answerMessages(['one', 'two'], { stopReason: 'length', trimmedMessages: 2 })).toEqual([
      'one',
      `two\n-# ${LENGTH}\n-# The oldest 2 messages of our conversation no longer fit and were left out.`,
    ])
  })

  it('have a last one more when a note does not fit below', () => {
    const room = MESSAGE_LIMIT - `\n-# ${LENGTH}`.length
    const facts = { stopReason: 'length', trimmedMessages: 0 } as const
    expect(answerMessages(['x'.repeat(room)], facts)).toEqual([`${'x'.repeat(room)}\n-# ${LENGTH}`])
    expect(answerMessages(['x'.repeat(room + 1)], facts)).toEqual(['x'.repeat(room + 1), `-# ${LENGTH}`])
  })

  it('keep every part and every note, within what Discord takes', () => {
    const part = fc.string({ minLength: 1, maxLength: MESSAGE_LIMIT })
    const facts = fc.record({
      stopReason: fc.constantFrom('end' as const, 'length' as const, 'filtered' as const, 'stopped' as const),
      trimmedMessages: fc.nat(9),
    })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), facts, (parts, noted) => {
        const before = [...parts]
        const messages = answerMessages(parts, noted)
        expect(parts).toEqual(before)
        expect(messages.join('\n')).toBe([...parts, ...answerNotes(noted).map((note) => `-# ${note}`)].join('\n'))
        expect(messages.slice(0, parts.length - 1)).toEqual(parts.slice(0, -1))
        for (const message of messages) expect(message.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
      }),
    )
  })
})

describe('a note', () => {
  it('stands alone when there is no message', () => {
    expect(withNote([], 'a note')).toEqual(['a note'])
    expect(withSmallPrint([], NOT_REMEMBERED)).toEqual([`-# ${NOT_REMEMBERED}`])
  })
})

describe('what somebody reads who gets no answer', () => {
  it('says what happened and names the code', () => {
    expect(failureNotice({ message: 'It broke; please ask again.', code: 'MODEL_FAILED' })).toBe(
      '⚠️ It broke; please ask again.\n-# MODEL_FAILED',
    )
    const id = '0199d2a1-7b3c-7def-8123-456789abcdef'
    expect(failureNotice({ message: 'It broke.', code: 'MODEL_FAILED' }, id)).toBe(
      '⚠️ It broke.\n-# MODEL_FAILED · ref 89abcdef',
    )
  })

  it('says whether it counted, and after a restart what to do', () => {
    expect(CANCELLED.user).toMatch(/Cancelled.*Nothing was kept/)
    expect(CANCELLED.shutdown).toMatch(/restarted.*not answered; please send it again/)
  })
})
