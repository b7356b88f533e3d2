import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buttonRows, buttonsIn, type CardAction, readButtons, readPress } from '#discord/card-buttons.ts'

const action = fc.constantFrom<CardAction>('cancel', 'stop', 'retry', 'continue', 'regenerate', 'replace', 'append')
const subject = fc.record(
  { requestId: fc.uuid(), messageId: fc.stringMatching(/^[0-9]{17,20}$/) },
  { requiredKeys: ['requestId'] },
)

describe('a button', () => {
  it('has an id that Discord takes and that tells all there is to know', () => {
    fc.assert(
      fc.property(action, subject, (one, of) => {
        const [row] = buttonRows([one], of)
        const customId = row?.components[0]?.custom_id ?? ''
        expect(customId.length).toBeLessThanOrEqual(100)
        expect(readPress(customId)).toEqual({ action: one, ...of })
      }),
    )
  })

  it.each(['', 'card', 'card:cancel', 'card:explode:1', 'other:cancel:1'])(
    'of others, such as "%s", is none of a card',
    (id) => {
      expect(readPress(id)).toBeUndefined()
    },
  )

  it('is recognized on Discord', () => {
    const rows = buttonRows(['stop', 'cancel'], { requestId: 'r1' })
    expect(readButtons(rows)).toBe(buttonsIn(rows))
    expect(readButtons(rows)).toBe('card:stop:r1 card:cancel:r1')
    for (const nothing of [undefined, [], [{ type: 1 }], [{ type: 1, components: [{ type: 2, url: 'x' }] }], 5]) {
      expect(readButtons(nothing)).toBe('')
    }
  })
})
