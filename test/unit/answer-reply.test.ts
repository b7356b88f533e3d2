import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerReply } from '#domain/answer-reply.ts'
import { answerMessages, MESSAGE_LIMIT, NOT_REMEMBERED, withSmallPrint } from '#domain/notices.ts'
import { splitMessage, splitWithSeams } from '#domain/split-message.ts'

const PLAIN = { stopReason: 'end', trimmedMessages: 0 } as const
const NOTE = '-# The answer goes on: all of it is in answer.md.'

const block = fc.oneof(
  fc.integer({ min: 1, max: 120 }).map((words) => 'lorem ipsum dolor '.repeat(words)),
  fc.integer({ min: 1, max: 150 }).map((lines) => `\`\`\`ts\n${'const answer = 42\n'.repeat(lines)}\`\`\``),
  fc.integer({ min: 1, max: 60 }).map((items) => '- an item 😀 with a [link](https://example.com/a)\n'.repeat(items)),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.integer({ min: 100, max: 3_000 }).map((length) => 'x'.repeat(length)),
)
const answer = fc.array(block, { minLength: 1, maxLength: 9 }).map((blocks) => blocks.join('\n\n'))
const facts = fc.record({
  stopReason: fc.constantFrom('end' as const, 'length' as const, 'filtered' as const, 'stopped' as const),
  trimmedMessages: fc.nat(9),
})

describe('an answer as messages', () => {
  it('is the same as ever when it needs no more of them than it may take', () => {
    const text = 'A paragraph.\n\n'.repeat(300)
    const parts = splitMessage(text)
    expect(parts.length).toBe(3)
    expect(answerReply(text, PLAIN, 3)).toEqual({ messages: parts, files: [] })
    expect(answerReply(text, PLAIN)).toEqual({ messages: parts, files: [] })
  })

  it('is cut at as many as it may take, with a note, and all of it is in a file', () => {
    const text = 'A paragraph.\n\n'.repeat(300)
    const { messages, files } = answerReply(text, PLAIN, 2)
    expect(messages).toHaveLength(2)
    expect(messages[0]).toBe(splitMessage(text)[0])
    expect(messages[1]).toMatch(
      /^A paragraph\.\n[\s\S]*A paragraph\.\n-# The answer goes on: all of it is in answer\.md\.$/,
    )
    expect(files).toEqual([{ name: 'answer.md', text }])
  })

  it('is cut, too, when only a note is one too many', () => {
    const text = 'x'.repeat(MESSAGE_LIMIT - 5)
    expect(answerReply(text, PLAIN, 1).files).toEqual([])
    const cut = answerReply(text, { stopReason: 'length', trimmedMessages: 0 }, 1)
    expect(cut.messages).toHaveLength(1)
    expect(cut.files).toEqual([{ name: 'answer.md', text }])
  })

  it('never takes too many or too long ones, loses nothing, and keeps code closed', () => {
    fc.assert(
      fc.property(answer, facts, fc.integer({ min: 1, max: 4 }), (text, noted, maxMessages) => {
        const { messages, files } = answerReply(text, noted, maxMessages)
        expect(messages.length).toBeLessThanOrEqual(Math.max(1, maxMessages))
        for (const message of withSmallPrint(messages, NOT_REMEMBERED)) {
          expect(message.length).toBeLessThanOrEqual(MESSAGE_LIMIT)
        }
        if (files.length === 0) {
          expect(messages).toEqual(answerMessages(splitMessage(text), noted))
          return
        }
        expect(files).toEqual([{ name: 'answer.md', text }])
        expect(messages.slice(0, -1)).toEqual(splitMessage(text).slice(0, maxMessages - 1))
        // Where it cannot be remembered after all, that fits below.
        expect(withSmallPrint(messages, NOT_REMEMBERED)).toHaveLength(messages.length)
        const [shown = '', notes] = messages.at(-1)?.split(`\n${NOTE}`) ?? []
        expect(notes).toBeDefined()
        // No code block is left open, and without its last line what is shown is the beginning of the part.
        expect(splitWithSeams(shown).at(-1)?.seam.closed).toBe('')
        expect(splitMessage(text)[maxMessages - 1]).toContain(shown.replace(/\n`{3,}$/, ''))
      }),
      { numRuns: 200 },
    )
  })
})
