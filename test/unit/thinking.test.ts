import { describe, expect, it } from 'vitest'
import { GrowingReply } from '#assistant/growing-reply.ts'
import { Thinking } from '#assistant/thinking.ts'
import type { ReasoningDisplay } from '#domain/preferences.ts'

/** A model that thinks, and a clock that goes as it is told. */
function newThinking(isKept = true) {
  const clock = { ms: 0, now: () => clock.ms }
  return { clock, thinking: new Thinking(clock, isKept) }
}

function newReply(reasoning: ReasoningDisplay, maxMessages = 5) {
  const { thinking, clock } = newThinking(reasoning !== 'hidden')
  return { thinking, clock, reply: new GrowingReply({ thinking, reasoning, maxMessages }) }
}

const PLAIN = { stopReason: 'end', trimmedMessages: 0 } as const

describe('thinking', () => {
  it('takes from its first word to the first of the answer, and what comes in between is added', () => {
    const { thinking, clock } = newThinking()
    clock.ms = 1_000
    thinking.push('first')
    clock.ms = 5_000
    thinking.push(' second')
    clock.ms = 8_400
    thinking.pause()
    thinking.pause()
    clock.ms = 20_000
    thinking.push(' third')
    clock.ms = 25_000
    thinking.pause()
    expect([thinking.seconds, thinking.text]).toEqual([12, 'first second third'])
  })

  it('takes no time and has no words when there was none', () => {
    const { thinking } = newThinking()
    thinking.pause()
    expect([thinking.seconds, thinking.text]).toEqual([0, ''])
  })

  it('is not kept when nobody wants to see it', () => {
    const { thinking, clock } = newThinking(false)
    thinking.push('SECRET')
    clock.ms = 3_000
    thinking.pause()
    expect([thinking.seconds, thinking.text]).toEqual([3, ''])
  })

  it('keeps its end when there is much of it, whole characters only, and says so', () => {
    const { thinking } = newThinking()
    for (let n = 0; n < 300; n++) thinking.push('😀'.repeat(500))
    thinking.push('!')
    const [note, kept = ''] = thinking.text.split('\n')
    expect(note).toBe('[The beginning is left out.]')
    expect(kept).toMatch(/^(?:😀)+!$/u)
    expect(kept.length).toBeLessThanOrEqual(100_000)
    expect(kept.length).toBeGreaterThan(99_990)
  })
})

describe('a reply to which thinking belongs', () => {
  it('says how long it took, from a second on', () => {
    const { reply, thinking, clock } = newReply('hidden')
    thinking.push('hm')
    clock.ms = 12_000
    thinking.pause()
    expect(reply.push('Yes')).toEqual({ finished: [], tail: 'Yes' })
    expect(reply.end('Yes', PLAIN)).toEqual({ messages: ['Yes\n-# Thought for 12 s.'], files: [] })
    thinking.push('hm')
    clock.ms = 125_000
    thinking.pause()
    expect(reply.end('Yes', PLAIN).messages).toEqual(['Yes\n-# Thought for 2 min 5 s.'])
  })

  it('has it in front of its first word, hidden, when that is wanted', () => {
    const { reply, thinking } = newReply('spoiler')
    thinking.push('hm')
    thinking.pause()
    const thought = '-# 🧠 What the model thought\n||hm ||'
    expect(reply.push('\n')).toEqual({ finished: [], tail: '' })
    expect(reply.push('Yes')).toEqual({ finished: [thought], tail: '\nYes' })
    expect(reply.push('!')).toEqual({ finished: [], tail: '\nYes!' })
    expect(reply.end('Yes!', PLAIN)).toEqual({ messages: [thought, 'Yes!'], files: [] })
  })

  it('has it as a file beside the answer when that is wanted', () => {
    const { reply, thinking } = newReply('file', 1)
    thinking.push('hm `|| @everyone')
    thinking.pause()
    const text = 'A paragraph.\n\n'.repeat(200)
    expect(reply.push(text).finished).toHaveLength(1)
    expect(reply.end(text, PLAIN).files).toEqual([
      { name: 'answer.md', text },
      { name: 'thinking.md', text: 'hm `|| @everyone' },
    ])
  })

  it.each<ReasoningDisplay>(['hidden', 'spoiler', 'file'])(
    'is the answer alone when there was none, shown as %s',
    (shown) => {
      const { reply } = newReply(shown)
      expect(reply.push('Yes')).toEqual({ finished: [], tail: 'Yes' })
      expect(reply.end('Yes', PLAIN)).toEqual({ messages: ['Yes'], files: [] })
    },
  )
})
