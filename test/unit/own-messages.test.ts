import { describe, expect, it } from 'vitest'
import { findOwnMessages } from '#discord/own-messages.ts'

const BOT = '900'

function message(id: string, fields: object = {}) {
  return { id, content: `content ${id}`, author: { id: BOT }, ...fields }
}

/** The ids of what is found for question 10, with a star when it is certain. */
function found(messages: ReturnType<typeof message>[], knownIds: string[] = []) {
  const own = findOwnMessages(messages, { id: '10', botId: BOT, knownIds })
  return own.map(({ messageId, isOurs }) => `${messageId}${isOurs ? '*' : ''}`)
}

describe('what answers a question', () => {
  it.each([
    ['a reply to it', message('11', { message_reference: { message_id: '10' } })],
    ['what its interaction made', message('11', { interaction_metadata: { id: '10' } })],
  ])('is %s', (_, answer) => {
    expect(found([answer])).toEqual(['11*'])
  })

  it('is what replies to a message that does, and what is known to', () => {
    const first = message('11', { interaction_metadata: { id: '10' } })
    const second = message('12', { message_reference: { message_id: '11' } })
    const known = message('13')
    const afterKnown = message('14', { message_reference: { message_id: '13' } })
    expect(found([first, second, known, afterKnown], ['13'])).toEqual(['11*', '12*', '13*', '14*'])
  })

  it('may be what refers to nothing', () => {
    expect(found([message('11'), message('12', { message_reference: null })])).toEqual(['11', '12'])
  })

  it.each([
    ['somebody else wrote', message('11', { author: { id: '3' }, message_reference: { message_id: '10' } })],
    ['replies to another question', message('11', { message_reference: { message_id: '9' } })],
    ['another interaction made', message('11', { interaction_metadata: { id: '9' } })],
    ['cannot be read', message('11', { content: 5 })],
  ])('is not what %s', (_, other) => {
    expect(found([other])).toEqual([])
  })

  it('knows what belongs to an interaction, which alone may change it', () => {
    const messages = [message('11', { interaction_metadata: { id: '10' } }), message('12')]
    const own = findOwnMessages(messages, { id: '10', botId: BOT, knownIds: [] })
    expect(own.map(({ ofInteraction }) => ofInteraction)).toEqual([true, false])
  })
})
