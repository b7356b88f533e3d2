import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HistoryMessage, Role } from '#domain/conversation.ts'
import { buildPromptWindow, type PromptMessage, type PromptParts } from '#domain/prompt-window.ts'

/** What a message costs beside its text. */
const OVERHEAD = 4

const countTokens = (text: string): number => text.length

function historyOf(...messages: readonly [Role, string][]): HistoryMessage[] {
  return messages.map(([role, content], index) => ({ role, content, timestamp: index }))
}

function costOf(messages: readonly { readonly content: string }[]): number {
  return messages.reduce((sum, { content }) => sum + countTokens(content) + OVERHEAD, 0)
}

const HISTORY = historyOf(['user', 'one'], ['assistant', 'eins'], ['user', 'two'], ['assistant', 'zwei'])

function windowOf(parts: Partial<PromptParts>) {
  return buildPromptWindow({
    systemPrompt: 'be kind',
    history: HISTORY,
    message: 'three',
    budgetTokens: 1000,
    countTokens,
    ...parts,
  })
}

const parts: fc.Arbitrary<PromptParts> = fc.record({
  systemPrompt: fc.string({ maxLength: 10 }),
  // Any sequence of roles, though the database keeps whole turns.
  history: fc
    .array(fc.tuple(fc.constantFrom<Role[]>('user', 'assistant'), fc.string({ maxLength: 20 })), { maxLength: 12 })
    .map((messages) => historyOf(...messages)),
  message: fc.string({ maxLength: 20 }),
  budgetTokens: fc.nat(200),
  countTokens: fc.constant(countTokens),
})

/** Every way to cut the history that leaves a question at its front, the longest first. */
function cutsOf(history: readonly HistoryMessage[]): HistoryMessage[][] {
  const starts = [...history.keys()].filter((index) => history[index]?.role === 'user')
  return [...starts.map((start) => history.slice(start)), []]
}

describe('the prompt window', () => {
  it('is the system prompt, the whole history and the message when all of it fits', () => {
    expect(windowOf({})).toEqual({
      fits: true,
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'eins' },
        { role: 'user', content: 'two' },
        { role: 'assistant', content: 'zwei' },
        { role: 'user', content: 'three' },
      ],
      trimmedMessages: 0,
    })
  })

  it('leaves out whole turns, the oldest first', () => {
    const withoutFirstTurn = costOf([{ content: 'be kind' }, ...HISTORY.slice(2), { content: 'three' }])
    expect(windowOf({ budgetTokens: withoutFirstTurn })).toMatchObject({ fits: true, trimmedMessages: 2 })
    expect(windowOf({ budgetTokens: withoutFirstTurn - 1 })).toMatchObject({ fits: true, trimmedMessages: 4 })
  })

  it('says how much is needed when system prompt and message alone are too much', () => {
    const needed = costOf([{ content: 'be kind' }, { content: 'three' }])
    expect(windowOf({ budgetTokens: needed - 1 })).toEqual({ fits: false, neededTokens: needed })
    expect(windowOf({ budgetTokens: needed })).toMatchObject({ fits: true, trimmedMessages: 4 })
  })

  it('has no system message when there is no system prompt', () => {
    expect(windowOf({ systemPrompt: '', history: [] })).toMatchObject({
      messages: [{ role: 'user', content: 'three' }],
    })
  })

  it('is never over budget, and fits unless its fixed parts do not', () => {
    fc.assert(
      fc.property(parts, (each) => {
        const window = buildPromptWindow(each)
        const fixed = costOf([
          ...(each.systemPrompt === '' ? [] : [{ content: each.systemPrompt }]),
          { content: each.message },
        ])
        expect(window.fits).toBe(fixed <= each.budgetTokens)
        if (window.fits) expect(costOf(window.messages)).toBeLessThanOrEqual(each.budgetTokens)
        else expect(window.neededTokens).toBe(fixed)
      }),
    )
  })

  it('keeps the longest newest part of the history that fits and starts with a question', () => {
    fc.assert(
      fc.property(parts, (each) => {
        const window = buildPromptWindow(each)
        if (!window.fits) return
        const system: PromptMessage[] = each.systemPrompt === '' ? [] : [{ role: 'system', content: each.systemPrompt }]
        const message: PromptMessage = { role: 'user', content: each.message }
        const left = each.budgetTokens - costOf([...system, message])
        const kept = cutsOf(each.history).find((cut) => costOf(cut) <= left) ?? []
        const history = kept.map(({ role, content }) => ({ role, content }))
        expect(window.messages).toEqual([...system, ...history, message])
        expect(window.trimmedMessages).toBe(each.history.length - kept.length)
      }),
    )
  })
})
