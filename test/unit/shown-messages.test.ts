import { describe, expect, it } from 'vitest'
import { ShownMessages } from '#discord/shown-messages.ts'

function ours(messageId: string, content = `content ${messageId}`) {
  return { messageId, content, buttons: '', files: '', isOurs: true }
}

/** Anybody's. */
function loose(messageId: string, content: string) {
  return { messageId, content, buttons: '', files: '', isOurs: false }
}

function text(content: string) {
  return { content, buttons: '', files: '' }
}

describe('what was found of an answer', () => {
  it('is taken over in the order in which it was sent', () => {
    const shown = new ShownMessages()
    shown.adopt([ours('1000'), ours('999')], ['998'], [])
    expect(shown.ids).toEqual(['998', '999', '1000'])
    expect([shown.at(0)?.content, shown.at(1)?.content]).toEqual(['', 'content 999'])
    expect(shown.posted).toBe(3)
  })

  it('is not taken over twice', () => {
    const shown = new ShownMessages()
    shown.add('1', text('one'))
    shown.adopt([ours('1'), ours('2')], ['1', '2'], [])
    expect(shown.ids).toEqual(['1', '2'])
    const editedAt = Number.NEGATIVE_INFINITY
    expect(shown.at(0)).toEqual({ messageId: '1', content: 'one', buttons: '', files: '', editedAt })
  })

  it('is, of what refers to nothing, only what says what is to be seen, and that once', () => {
    const shown = new ShownMessages()
    shown.adopt([loose('1', 'one'), loose('2', 'other'), loose('3', 'one'), loose('4', 'two')], [], ['one', 'two'])
    expect(shown.ids).toEqual(['1', '4'])
  })

  it('leaves to others what is there already', () => {
    const shown = new ShownMessages()
    shown.adopt([loose('1', 'one'), ours('2', 'one')], [], ['one'])
    expect(shown.ids).toEqual(['2'])
  })

  it('uses a nonce for each message that was ever sent, also for one that is there already', () => {
    const shown = new ShownMessages()
    shown.add('1', text('one'))
    shown.add('1', text('one'))
    expect([shown.ids, shown.posted]).toEqual([['1'], 2])
  })

  it('begins with one message, said once', () => {
    const shown = new ShownMessages()
    expect(shown.takeFirst()).toBeUndefined()
    shown.adopt([ours('2')], [], [])
    expect([shown.takeFirst(), shown.takeFirst()]).toEqual(['2', undefined])
  })
})
