import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ReasoningDisplay } from '#domain/preferences.ts'
import { CONSOLE_ID } from '#domain/request.ts'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import { AssistantWorld } from '#support/assistant-world.ts'
import { RecordedRun } from '#support/recorded-run.ts'

let world: AssistantWorld
let pool: PiscinaPool

beforeAll(async () => {
  world = await AssistantWorld.start()
  pool = await world.openPool({ thread: { deltaIntervalMs: 600_000 } })
})

afterEach(() => world.server.reset())

afterAll(() => world.close())

/** Lets the model think SECRET and answer a user who has chosen how to see that; returns all there is of it then. */
async function answerFor(reasoning: ReasoningDisplay, userId = `who wants it ${reasoning}`) {
  await world.database.api.changePreferences(userId, { reasoning })
  await world.server.script({
    type: 'answer',
    reasoning: 'SECRET one',
    chunks: ['<think> SECRET two</think>', 'The ', 'answer'],
  })
  const request = world.newRequest({ userId })
  const run = new RecordedRun(pool, request)
  const outcome = await run.outcome
  if (outcome.type !== 'answered') throw new Error('expected an answer')
  await world.ask(pool, { userId }).outcome
  return {
    outcome,
    events: run.events,
    history: world.stored(request).messages,
    nextPrompt: JSON.stringify(await world.lastPrompt()),
    undelivered: (await world.database.api.undeliveredOf(userId)).filter(({ requestId }) => requestId === request.id),
  }
}

/** How long it took is not what these tests look at. */
const ANSWER = expect.stringMatching(/^The answer(?:\n-# Thought for \d+ s\.)?$/)
const SPOILER = '-# 🧠 What the model thought\n||SECRET one SECRET two ||'

describe('what the model thought', () => {
  it('leaves the thread neither in a message nor in a file when it is hidden', async () => {
    const { outcome, events, undelivered } = await answerFor('hidden')
    expect(outcome.parts).toEqual([ANSWER])
    expect(JSON.stringify([outcome, events, undelivered])).not.toContain('SECRET')
  })

  it('comes in front of the first word as a message that hides it, and waits in the file with the answer', async () => {
    const { outcome, events, undelivered } = await answerFor('spoiler')
    expect(outcome.parts).toEqual([SPOILER, ANSWER])
    expect(outcome.files).toBeUndefined()
    expect(events.find(({ type }) => type === 'delta')).toMatchObject({ finished: [SPOILER], tail: 'The ' })
    expect(undelivered.map(({ text }) => text)).toEqual([SPOILER, ANSWER])
  })

  it('comes as a file, and waits in the file of the database with the answer', async () => {
    const { outcome, undelivered } = await answerFor('file')
    const text = 'SECRET one SECRET two'
    expect(outcome.parts).toEqual([ANSWER])
    expect(outcome.files).toEqual([{ name: 'thinking.md', text }])
    expect(undelivered).toMatchObject([{ file: null }, { file: 'thinking.md', text }])
  })

  it.each<ReasoningDisplay>(['hidden', 'spoiler', 'file'])(
    'is in no history and in no prompt, shown as %s',
    async (shown) => {
      const { outcome, history, nextPrompt } = await answerFor(shown, `another who wants it ${shown}`)
      expect(outcome.text).toBe('The answer')
      expect(history.at(1)).toEqual({ role: 'assistant', content: 'The answer' })
      expect(nextPrompt).toContain('The answer')
      expect(nextPrompt).not.toContain('SECRET')
    },
  )

  it('stays hidden in the terminal', async () => {
    const { outcome, events } = await answerFor('spoiler', CONSOLE_ID)
    expect(JSON.stringify([outcome, events])).not.toContain('SECRET')
  })
})
