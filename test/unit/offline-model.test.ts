import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '#actors/clock.ts'
import { createModelClient } from '#assistant/create-model-client.ts'
import type { ModelEvent } from '#assistant/model-client.ts'
import { offlineAnswer } from '#assistant/offline-answer.ts'
import { OfflineModel } from '#assistant/offline-model.ts'
import { nameGivenIn } from '#assistant/offline-names.ts'
import { OpenAiModelClient } from '#assistant/openai-model-client.ts'
import type { PromptMessage } from '#domain/prompt-window.ts'

const NOW = Date.UTC(2026, 2, 3, 14, 5)
const clock: Clock = { ...systemClock, now: () => NOW }
const OPTIONS = { usualModel: 'small', clock }
const CALL = { model: 'small', persona: null }
const ALIVE = new AbortController().signal

/** A conversation of user messages, each but the last with an answer. */
function conversation(...said: string[]): PromptMessage[] {
  const turns = said.flatMap((content): PromptMessage[] => [
    { role: 'user', content },
    { role: 'assistant', content: `answer to ${content}` },
  ])
  return [{ role: 'system', content: 'You are Parley. My name is Parley.' }, ...turns.slice(0, -1)]
}

const answerTo = (...said: string[]): string => offlineAnswer(conversation(...said), new Date(NOW))

describe('the offline model at first contact', () => {
  test.each(['hello', 'Tell me about the moon', '?', 'help'])(
    'says to %j what it is and how to connect a real one',
    (message) => {
      const answer = answerTo(message)
      expect(answer).toContain("Parley's offline stand-in")
      expect(answer).toContain('not a language model')
      for (const name of ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']) expect(answer).toContain(name)
    },
  )

  test('says so for a prompt without any message', () => {
    expect(offlineAnswer([], new Date(NOW))).toContain('not a language model')
    expect(offlineAnswer([{ role: 'system', content: 'x' }], new Date(NOW))).toContain('not a language model')
  })

  test('greets by name', () => {
    expect(answerTo('My name is Ada', 'hi there')).toMatch(/^Hello again, Ada!/)
  })
})

describe('the offline model later in a conversation', () => {
  test('quotes what was said and tells how much it can see', () => {
    const answer = answerTo('hello', 'The moon is   far\naway')
    expect(answer).toContain('“The moon is far away”')
    expect(answer).toContain('2 earlier messages')
    expect(answer).not.toContain('OPENAI_')
    expect(answer).toContain('say "help"')
  })

  test('shortens a long quote', () => {
    const answer = answerTo('hello', 'word '.repeat(500))
    expect(answer).toContain('word…”')
    expect(answer.length).toBeLessThan(400)
  })

  test.each([
    'what did I say first?',
    'What was the first thing I said?',
    'what was my first message',
    'What did I first say?',
    'tell me the first message I sent',
  ])('quotes the first message when asked %j', (question) => {
    const answer = answerTo('Apples are red', 'Pears are green', question)
    expect(answer).toContain('“Apples are red”')
    expect(answer).not.toContain('Pears')
  })

  test.each([
    'what did I say last?',
    'what did I just say?',
    'What was the last thing I said?',
    'what was my last message?',
    'What did I ask before?',
    'what was my previous question',
  ])('quotes the message before the question when asked %j', (question) => {
    const answer = answerTo('Apples are red', 'Pears are green', question)
    expect(answer).toContain('“Pears are green”')
    expect(answer).not.toContain('Apples')
  })

  test('does not take a statement for a question about the first message', () => {
    expect(answerTo('hello', 'This is my first message here')).toContain('“This is my first message here”')
  })

  test('says that there is nothing before the first message', () => {
    expect(answerTo('what did I say first?')).toContain('This is the first message of yours that I can see.')
  })

  test('answers from what is left of a history that was trimmed', () => {
    const messages: PromptMessage[] = [
      { role: 'assistant', content: 'an answer without its question' },
      { role: 'user', content: 'Pears are green' },
      { role: 'assistant', content: 'I see' },
      { role: 'user', content: 'what did I say first?' },
    ]
    expect(offlineAnswer(messages, new Date(NOW))).toContain('“Pears are green”')
  })

  test('counts the messages it can see', () => {
    expect(answerTo('one', 'two', 'how many messages can you see?')).toContain('4 messages, 2 of them yours')
  })

  test('tells date and time', () => {
    expect(answerTo('hi', 'what time is it?')).toMatch(/^It is 14:05 UTC on Tuesday,? 3 March 2026\.$/)
  })

  test.each(['who are you?', 'are you an AI?', 'help'])('explains itself when asked %j', (question) => {
    expect(answerTo('hi', question)).toContain('OPENAI_API_KEY')
  })
})

describe('the name', () => {
  test.each([
    'My name is Ada',
    "hi, I'm Ada.",
    'I am Ada',
    'Please call me Ada',
    'my name is ada',
    'I’m Ada and I like tea',
  ])('is remembered from %j', (message) => {
    expect(answerTo(message)).toContain('Nice to meet you, Ada!')
    expect(answerTo(message, 'Apples are red', "What's my name?")).toBe('You told me that your name is Ada.')
    expect(answerTo(message, 'who am I?')).toContain('Ada')
  })

  test('is the one given last', () => {
    expect(answerTo('My name is Ada', 'call me Grace', 'do you know my name?')).toContain('Grace')
  })

  test('is not known when it was not given', () => {
    expect(answerTo('hello', 'what is my name?')).toContain('you have not told me your name')
  })

  test.each([
    ['My name is Ada Lovelace', 'Ada Lovelace'],
    ['my name is Jean-Luc', 'Jean-Luc'],
    ["my name's O'Brien!", "O'Brien"],
    ['My name is Žofie, nice to meet you', 'Žofie'],
    ['My name is Ada and I like maths', 'Ada'],
    ['my name is ada and i like maths', 'Ada'],
    ['Good morning! I am Ada Lovelace.', 'Ada Lovelace'],
  ])('is taken from %j', (message, name) => {
    expect(nameGivenIn(message)).toBe(name)
  })

  test.each([
    "I'm tired",
    "I'm Tired",
    "I'm BACK",
    'i am hungry',
    "I'm German",
    "I'm Going home",
    'I am not Ada',
    "I'm so glad",
    "don't call me Ada",
    'call me later',
    'Call me tomorrow',
    'my name is not important',
    'my name is hard to spell',
    'my name is @everyone',
    'my name is <@123>',
    'what is my name?',
    `my name is ${'A'.repeat(50)}`,
    'I am 12',
    'my name is',
    '',
  ])('is not taken from %j', (message) => {
    expect(nameGivenIn(message)).toBeUndefined()
  })
})

describe('the stream of the offline model', () => {
  async function stream(
    messages: readonly PromptMessage[],
    signal = new AbortController().signal,
  ): Promise<ModelEvent[]> {
    const events: ModelEvent[] = []
    for await (const event of new OfflineModel({ ...OPTIONS, wordDelayMs: 0 }).stream({ ...CALL, messages, signal })) {
      events.push(event)
    }
    return events
  }

  test('gives the answer word by word and then its end', async () => {
    const events = await stream(conversation('hello'))
    expect(events.length).toBeGreaterThan(20)
    expect(events.map((event) => (event.type === 'text' ? event.text : '')).join('')).toBe(answerTo('hello'))
    expect(events.at(-1)).toEqual({ type: 'end', stopReason: 'end', usage: null })
    expect(events.filter(({ type }) => type === 'end')).toHaveLength(1)
  })

  test('shows the model and the persona it was given, and no mention in them', async () => {
    const call = { model: 'large', persona: 'a @here bard', messages: conversation('hello') }
    let answer = ''
    for await (const event of new OfflineModel({ ...OPTIONS, wordDelayMs: 0 }).stream({ ...call, signal: ALIVE })) {
      if (event.type === 'text') answer += event.text
    }
    expect(answer).toMatch(
      /\(With a real model this would be asked of the model “large” and told in the persona “a @\u200bhere bard”\.\)$/,
    )
  })

  test('ends with an AbortError when it is cancelled between two words', async () => {
    const controller = new AbortController()
    const events = new OfflineModel({ ...OPTIONS, wordDelayMs: 60_000 }).stream({
      ...CALL,
      messages: conversation('hello'),
      signal: controller.signal,
    })
    await events.next()
    const next = events.next()
    controller.abort()
    await expect(next).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('ends with an AbortError when it was cancelled before it began', async () => {
    await expect(stream(conversation('hello'), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('answers any conversation, without a mention', () => {
    const piece = fc.constantFrom(
      '@everyone',
      '@here',
      '<@1>',
      '<@!1>',
      '<@&1>',
      '<#1>',
      '</ask:1>',
      '<:x:1>',
      ' ',
      '\n',
      'my name is ',
      'what did I say first',
      'a',
      '```',
    )
    const content = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string(),
    )
    const message = fc.record({
      role: fc.constantFrom('user' as const, 'assistant' as const, 'system' as const),
      content,
    })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        const answer = offlineAnswer(messages, new Date(NOW))
        expect(answer.trim()).not.toBe('')
        expect(answer).not.toMatch(/@(everyone|here)|<[@#/:][^\u200b]/)
        expect(answer.length).toBeLessThan(2_000)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the model that is configured', () => {
  const settings = {
    apiKey: null,
    baseUrl: null,
    name: 'test-model',
    vision: 'auto' as const,
    maxAnswerTokens: null,
    temperature: null,
    maxRetries: 0,
    firstTokenTimeoutMs: 1,
    silenceTimeoutMs: 1,
    offlineWordDelayMs: 0,
  }

  test.each([
    ['the offline one without key and address', {}, OfflineModel, 'offline'],
    ['the offline one when both are empty', { apiKey: '', baseUrl: '' }, OfflineModel, 'offline'],
    ['a real one with a key', { apiKey: 'key' }, OpenAiModelClient, 'test-model'],
    ['a real one with an address only', { baseUrl: 'http://127.0.0.1:1/v1' }, OpenAiModelClient, 'test-model'],
  ] as const)('is %s', async (_name, given, kind, name) => {
    const client = createModelClient({ ...settings, ...given })
    expect(client).toBeInstanceOf(kind)
    expect(client.nameOf('test-model')).toBe(name)
    await client.close()
  })
})
