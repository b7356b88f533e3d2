import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { answerReply } from '#domain/answer-reply.ts'
import { answerNotes } from '#domain/notices.ts'
import { CONSOLE_ID } from '#domain/request.ts'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import type { AssistantEvent } from '#protocol/assistant.ts'
import { AssistantWorld, NOTHING_STORED, type Prompted } from '#support/assistant-world.ts'
import { serverFailure } from '#support/openai/script.ts'
import { RecordedRun } from '#support/recorded-run.ts'
import { SYSTEM_PROMPT } from '#support/thread-data.ts'

const SYSTEM: Prompted = { role: 'system', content: SYSTEM_PROMPT }

let world: AssistantWorld
let pool: PiscinaPool
/** Without a history, and without a model server. */
let amnesiac: PiscinaPool

beforeAll(async () => {
  world = await AssistantWorld.start()
  // An interval without an end: what is told is the first piece at once, and all the rest at the end.
  pool = await world.openPool({ model: { maxRetries: 1 }, thread: { deltaIntervalMs: 600_000 } })
  amnesiac = await world.openPool({ model: { apiKey: null, baseUrl: null }, pool: { historyLimit: 0 } })
})

afterEach(() => world.server.reset())

afterAll(() => world.close())

/** The messages that a reader of the events has on screen at the end. */
function shownParts(events: readonly AssistantEvent[]): string[] {
  const deltas = events.filter((event) => event.type === 'delta')
  return [...deltas.flatMap(({ finished }) => finished), deltas.at(-1)?.tail ?? '']
}

describe('an answered request', () => {
  it('is told in pieces, then whole, and is in the file with both its messages', async () => {
    await world.server.script({ type: 'answer', text: 'Hello, dear world, how are you?' })
    const request = world.newRequest({ message: 'Say hello' })
    await world.database.api.acceptRequest(request)
    await world.database.api.startRequest(request.id, 1, Date.now())
    const run = new RecordedRun(pool, request)
    expect(await run.outcome).toEqual({
      type: 'answered',
      text: 'Hello, dear world, how are you?',
      parts: ['Hello, dear world, how are you?'],
      model: 'test-model',
      stopReason: 'end',
      usage: { promptTokens: 6, completionTokens: 6 },
      trimmedMessages: 0,
      stored: true,
      database: { ok: 3, failed: 0 },
    })
    expect(run.order).toEqual(['delta', 'delta', 'answered'])
    expect(run.events).toMatchObject([{ text: 'Hello,' }, { text: ' dear world, how are you?' }])
    expect(world.stored(request)).toEqual({
      status: 'COMPLETED',
      messages: [
        { role: 'user', content: 'Say hello' },
        { role: 'assistant', content: 'Hello, dear world, how are you?' },
      ],
    })
  })

  it('is generated anew without the answer it replaces', async () => {
    await world.server.script({ type: 'answer', text: 'because' }, { type: 'answer', text: 'for a better reason' })
    const first = world.newRequest({ userId: 'again', message: 'why?' })
    await new RecordedRun(pool, first).outcome
    const second = world.newRequest({ userId: 'again', message: 'why?', replaces: first.id })
    await new RecordedRun(pool, second).outcome
    expect(await world.lastPrompt()).toEqual([SYSTEM, { role: 'user', content: 'why?' }])
    expect(world.stored(first).messages).toEqual([])
    expect(world.stored(second).messages.at(1)?.content).toBe('for a better reason')
  })

  it('says so when the answer reached the token limit', async () => {
    await world.server.script({ type: 'answer', text: 'To be contin', finishReason: 'length' })
    const request = world.newRequest()
    const parts = ['To be contin\n-# The answer reached its length limit and stops here.']
    const outcome = await new RecordedRun(pool, request).outcome
    expect(outcome).toMatchObject({ type: 'answered', text: 'To be contin', stopReason: 'length', parts })
    expect(world.toDeliver(request)).toEqual(parts)
    expect(world.stored(request).messages.at(1)?.content).toBe('To be contin')
  })

  it('waits in the file to be delivered, message by message, unless it is for the terminal', async () => {
    const text = 'A paragraph.\n\n'.repeat(300).trim()
    await world.server.script({ type: 'answer', text }, { type: 'answer', text })
    const [onDiscord, inTerminal] = [world.newRequest(), world.newRequest({ userId: CONSOLE_ID })]
    const outcome = await new RecordedRun(pool, onDiscord).outcome
    const parts = outcome.type === 'answered' ? outcome.parts : []
    expect(parts.length).toBeGreaterThan(2)
    expect(world.toDeliver(onDiscord)).toEqual(parts)
    expect(await new RecordedRun(pool, inTerminal).outcome).toMatchObject({ text, parts, stored: true })
    expect(world.toDeliver(inTerminal)).toEqual([])
  })

  it('may take a second call to the model, which is told', async () => {
    await world.server.script(serverFailure(503))
    const run = world.ask(pool)
    expect(await run.outcome).toMatchObject({ type: 'answered', stored: true })
    expect(run.events[0]).toEqual({ type: 'modelRetry', call: 2 })
    const [first, second] = await world.prompts()
    expect(second).toEqual(first)
  })

  it('is part of the next prompt of its conversation', async () => {
    await world.server.script({ type: 'answer', text: 'Nice to meet you, Ann.' })
    await world.ask(pool, { userId: 'ann', message: 'I am Ann.' }).outcome
    await world.ask(pool, { userId: 'ann', message: 'Who am I?' }).outcome
    expect(await world.lastPrompt()).toEqual([
      SYSTEM,
      { role: 'user', content: 'I am Ann.' },
      { role: 'assistant', content: 'Nice to meet you, Ann.' },
      { role: 'user', content: 'Who am I?' },
    ])
  })

  it('is kept whole, however long, and shown in parts that Discord takes', async () => {
    const paragraph = `${'A sentence of some words. '.repeat(20)}\n\n`
    const code = `\`\`\`ts\n${'const answer = 42\n'.repeat(150)}\`\`\`\n\n`
    const text = `${(paragraph + code).repeat(4)}The end.`
    expect(text.length).toBeGreaterThan(10_000)
    await world.server.script({ type: 'answer', text })
    const request = world.newRequest({ message: 'Tell me all' })
    const run = new RecordedRun(pool, request)
    const outcome = await run.outcome
    expect(outcome).toMatchObject({ type: 'answered', text, stored: true })
    expect(world.stored(request).messages.at(1)).toEqual({ role: 'assistant', content: text })
    const parts = outcome.type === 'answered' ? outcome.parts : []
    expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(2000)
    expect(run.text).toBe(text)
    expect(shownParts(run.events)).toEqual(parts)
    await world.ask(pool, { userId: request.userId, message: 'And now?' }).outcome
    expect((await world.lastPrompt()).at(2)?.content).toBe(text)
  })

  it('is cut at as many messages as it may take on Discord, and waits in the file as a file, too', async () => {
    const text = 'A paragraph.\n\n'.repeat(600).trim()
    await world.server.script({ type: 'answer', text }, { type: 'answer', text })
    const short = await world.openPool({ thread: { maxMessages: 2, deltaIntervalMs: 600_000 } })
    const request = world.newRequest()
    const run = new RecordedRun(short, request)
    const outcome = await run.outcome
    const reply = answerReply(text, { stopReason: 'end', trimmedMessages: 0 }, 2)
    expect(reply.messages).toHaveLength(2)
    expect(outcome).toMatchObject({ type: 'answered', text, parts: reply.messages, files: reply.files })
    expect(world.toDeliver(request)).toEqual(reply.messages)
    expect(await world.database.api.undeliveredOf(request.userId)).toContainEqual({
      requestId: request.id,
      file: 'answer.md',
      text,
    })
    expect(shownParts(run.events).slice(0, 2)).toEqual([
      reply.messages[0],
      expect.stringMatching(/will come as a file\.$/),
    ])
    expect(world.stored(request).messages.at(1)?.content).toBe(text)
    const inTerminal = await new RecordedRun(short, world.newRequest({ userId: CONSOLE_ID })).outcome
    expect(inTerminal.type === 'answered' ? [inTerminal.parts.length > 2, inTerminal.files] : []).toEqual([
      true,
      undefined,
    ])
  })

  it('keeps the reasoning to itself, wherever the model puts it', async () => {
    const chunks = ['<thi', 'nk>SECRET plan', ' two</th', 'ink>', '\n\nThe ', 'answer']
    await world.server.script({ type: 'answer', reasoning: 'SECRET plan one', chunks })
    const request = world.newRequest()
    const run = new RecordedRun(pool, request)
    const outcome = await run.outcome
    const parts = [expect.stringMatching(/^The answer(?:\n-# Thought for \d+ s\.)?$/)]
    expect(outcome).toMatchObject({ type: 'answered', text: 'The answer', parts })
    expect(run.order[0]).toBe('reasoning')
    expect(run.order.filter((type) => type === 'reasoning')).toHaveLength(1)
    expect(world.stored(request).messages.at(1)).toEqual({ role: 'assistant', content: 'The answer' })
    expect(JSON.stringify([run.events, outcome])).not.toContain('SECRET')
  })

  it('of an attempt that a newer one has followed changes nothing, and need not be stored by anybody else', async () => {
    const request = world.newRequest()
    await world.database.api.acceptRequest(request)
    await world.database.api.startRequest(request.id, 2, Date.now())
    const late = new RecordedRun(pool, request, 1)
    expect(await late.outcome).toMatchObject({ type: 'answered', stored: true, database: { ok: 3, failed: 0 } })
    expect(world.stored(request)).toEqual({ status: 'PROCESSING', messages: [] })
    expect(world.toDeliver(request)).toEqual([])
    const current = new RecordedRun(pool, request, 2)
    expect(await current.outcome).toMatchObject({ type: 'answered', stored: true })
    const messages = [{ role: 'user' }, { role: 'assistant' }]
    expect(world.stored(request)).toMatchObject({ status: 'COMPLETED', messages })
    expect(await world.lastPrompt()).toHaveLength(2)
  })
})

describe('conversations side by side', () => {
  const lines = fc.uniqueArray(
    fc.record({
      userId: fc.constantFrom('ann', 'bob', 'cem'),
      serverId: fc.constantFrom('0', '111', '222'),
      messages: fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
    }),
    { selector: ({ userId, serverId }) => `${userId} ${serverId}`, minLength: 2, maxLength: 9 },
  )

  it('never mix, although they wait for each other in one thread', async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(lines, async (conversations) => {
        round += 1
        await world.server.reset()
        const talks = conversations.map((line) => talk({ ...line, userId: `${line.userId} ${round}` }))
        const expected = (await Promise.all(talks)).flat()
        const seen = (await world.prompts()).map((prompt) => JSON.stringify(prompt))
        expect(seen.sort()).toEqual(expected.map((prompt) => JSON.stringify(prompt)).sort())
      }),
      { numRuns: 12 },
    )
  })

  /** Says one message after the other; returns the prompts that the model must have seen. */
  async function talk(line: { userId: string; serverId: string; messages: string[] }): Promise<Prompted[][]> {
    const { userId, serverId, messages } = line
    const said = [SYSTEM]
    const prompts: Prompted[][] = []
    for (const message of messages) {
      said.push({ role: 'user', content: message })
      prompts.push([...said])
      const text = `echo: ${message} (${said.length} messages)`
      expect(await world.ask(pool, { userId, serverId, message }).outcome).toMatchObject({ text, stored: true })
      said.push({ role: 'assistant', content: text })
    }
    return prompts
  }
})

describe('the history', () => {
  it('is as long as it may be, and starts with a question', async () => {
    const forgetful = await world.openPool({ pool: { historyLimit: 3 } })
    for (const message of ['one', 'two', 'three', 'four']) {
      await world.ask(forgetful, { userId: 'forgetful', message }).outcome
    }
    // The third message back is an answer that has lost its question.
    expect((await world.prompts()).at(3)).toEqual([
      SYSTEM,
      { role: 'user', content: 'three' },
      { role: 'assistant', content: 'echo: three (4 messages)' },
      { role: 'user', content: 'four' },
    ])
  })

  it('is not read at all when none is wanted', async () => {
    expect(await world.ask(amnesiac, { userId: 'amnesiac', message: 'My name is Ann.' }).outcome).toMatchObject({
      stored: true,
      // What its user has chosen is read all the same.
      database: { ok: 2, failed: 0 },
    })
    const outcome = await world.ask(amnesiac, { userId: 'amnesiac', message: 'What is my name?' }).outcome
    expect(outcome).toMatchObject({ type: 'answered', text: expect.not.stringContaining('Ann') })
  })
})

describe('with neither key nor address', () => {
  it('the offline model answers, and no server is asked', async () => {
    const request = world.newRequest({ message: 'Hello' })
    const outcome = await new RecordedRun(amnesiac, request).outcome
    expect(outcome).toMatchObject({ type: 'answered', model: 'offline', usage: null, stored: true })
    expect(world.stored(request)).toMatchObject({ status: 'COMPLETED' })
    expect(await world.prompts()).toEqual([])
  })
})

describe('the token budget', () => {
  const CONTEXT_TOKENS = 200
  let tight: PiscinaPool

  beforeAll(async () => {
    tight = await world.openPool({ thread: { contextTokens: CONTEXT_TOKENS } })
  })

  function tokens(prompt: readonly Prompted[]): number {
    return prompt.reduce((sum, { content }) => sum + countTokens(content) + 4, 0)
  }

  it('leaves out the oldest turns, whole, and only those that do not fit; tells how many messages', async () => {
    const said: Prompted[] = []
    const trimmed: number[] = []
    for (const length of [5, 30, 12, 40, 3, 25, 60, 8]) {
      const question: Prompted = { role: 'user', content: `Question ${'many words '.repeat(length)}` }
      const answer: Prompted = { role: 'assistant', content: `Answer ${'in short '.repeat(70 - length)}.` }
      await world.server.script({ type: 'answer', text: answer.content })
      const outcome = await world.ask(tight, { userId: 'tight', message: question.content }).outcome
      if (outcome.type !== 'answered') throw new Error('expected an answer')
      const { trimmedMessages, parts } = outcome
      const notes = answerNotes({ stopReason: 'end', trimmedMessages }).map((note) => `\n-# ${note}`)
      expect(parts).toEqual([answer.content + notes.join('')])
      const prompt = await world.lastPrompt()
      expect(prompt).toEqual([SYSTEM, ...said.slice(trimmedMessages), question])
      expect(prompt[1]?.role).toBe('user')
      expect(tokens(prompt)).toBeLessThanOrEqual(CONTEXT_TOKENS)
      const oneMore = said.slice(Math.max(0, trimmedMessages - 2))
      if (trimmedMessages > 0) expect(tokens([SYSTEM, ...oneMore, question])).toBeGreaterThan(CONTEXT_TOKENS)
      trimmed.push(trimmedMessages)
      said.push(question, answer)
    }
    expect(trimmed[0]).toBe(0)
    expect(Math.max(...trimmed)).toBeGreaterThan(4)
  })

  it('refuses a message that is too long on its own, without a word to the model', async () => {
    const request = world.newRequest({ message: 'word '.repeat(CONTEXT_TOKENS) })
    expect(await new RecordedRun(tight, request).outcome).toEqual({
      type: 'failed',
      failure: {
        code: 'MODEL_CONTEXT_TOO_LONG',
        message: expect.stringContaining(`and ${CONTEXT_TOKENS} fit`),
      },
      database: { ok: 2, failed: 0 },
    })
    expect(await world.prompts()).toEqual([])
    expect(world.stored(request)).toEqual(NOTHING_STORED)
  })

  it('takes a message of many bytes and few tokens', async () => {
    const message = 'internationalization '.repeat(40)
    expect(Buffer.byteLength(message)).toBeGreaterThan(CONTEXT_TOKENS)
    expect(await world.ask(tight, { message }).outcome).toMatchObject({ type: 'answered', trimmedMessages: 0 })
  })
})
