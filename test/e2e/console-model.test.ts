import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '#database/open-database.ts'
import { serverFailure } from '#support/openai/script.ts'
import { type OpenAiServerHandle, startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { type ParleyOptions, type ParleyProcess, runParley, startParley } from '#support/parley-process.ts'
import { storedRows } from '#support/stored-rows.ts'

const API_KEY = 'sk-proj-T3stK3yThatLooksReal0123456789abcdef'
/** The server repeats it in its refusal. */
const WRONG_KEY = 'gsk_T3stK3yOfAnotherHouse0123456789abcdef'
const MODEL = 'gpt-4o-mini'
/** What the server sends of its default text before it falls silent, and the rest. */
const [BEGINNING, REST] = ['One two', ' three four five six.']

let server: OpenAiServerHandle

beforeAll(async () => {
  server = await startOpenAiServer({ apiKey: API_KEY, models: [MODEL] })
})

afterAll(async () => {
  await server.close()
})

afterEach(async () => {
  await server.release()
  await server.reset()
})

function withModel(env: Record<string, string> = {}): ParleyOptions {
  return { env: { OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: API_KEY, OPENAI_MODEL: MODEL, ...env } }
}

/** Asks and waits until the beginning of the answer is on standard output; the model is silent after it. */
async function inMidAnswer(options: ParleyOptions): Promise<ParleyProcess> {
  await server.script({ type: 'silent', afterChunks: 2 })
  const parley = startParley(options)
  parley.say('count to six')
  await parley.stdout.has(BEGINNING)
  return parley
}

describe('Parley with a model', () => {
  it('streams the answer, stores the turn, and shows it to the model of the next process', async () => {
    const first = await inMidAnswer(withModel())
    expect(first.stdout.text).toBe(BEGINNING)
    await server.release()
    first.sayLast()
    expect(await first.exited).toEqual({ code: 0, signal: null })
    expect(first.stdout.text).toBe(`${BEGINNING}${REST}\n`)
    expect(storedRows(first.databasePath)).toMatchObject({
      requests: [{ message: 'count to six', status: 'COMPLETED' }],
      messages: [
        { role: 'user', content: 'count to six', model: null },
        { role: 'assistant', content: `${BEGINNING}${REST}`, model: MODEL },
      ],
    })
    const second = await runParley(['and back'], { ...withModel(), folder: first.folder })
    expect(second.stdout.text).toBe('echo: and back (4 messages)\n')
    const [, last] = await server.requests()
    expect(last?.body.messages).toMatchObject([
      { role: 'system' },
      { role: 'user', content: 'count to six' },
      { role: 'assistant', content: `${BEGINNING}${REST}` },
      { role: 'user', content: 'and back' },
    ])
  })

  it('tells a failure on standard error and answers the next line', async () => {
    await server.script(serverFailure(500))
    const { code, stdout, notices, databasePath } = await runParley(
      ['one', 'two'],
      withModel({ PARLEY_MAX_RETRIES: '0', PARLEY_MAX_ATTEMPTS: '1' }),
    )
    expect(stdout.text).toBe('echo: two (2 messages)\n')
    expect(notices).toMatch(/^[^\n]+ \(MODEL_\w+\)\n$/)
    expect(code).toBe(0)
    expect(storedRows(databasePath).requests).toMatchObject([{ status: 'FAILED' }, { status: 'COMPLETED' }])
  })

  it('tries again by itself when the model fails for a moment, and says so', async () => {
    await server.script(serverFailure(500))
    const { code, stdout, notices, databasePath } = await runParley(
      ['one'],
      withModel({ PARLEY_MAX_RETRIES: '0', PARLEY_RETRY_BACKOFF: '10ms' }),
    )
    expect(stdout.text).toBe('echo: one (2 messages)\n')
    expect(notices).toBe('Trying again (2 of 3).\n')
    expect(code).toBe(0)
    expect(storedRows(databasePath).requests).toMatchObject([{ status: 'COMPLETED' }])
  })

  it('never tells the key, whatever is logged', async () => {
    await server.script(serverFailure(500), { type: 'cut', afterChunks: 1 })
    const env = { LOG_LEVEL: 'trace', PARLEY_MAX_RETRIES: '1' }
    const right = await runParley(['one', 'two'], withModel(env))
    const wrong = await runParley(['three'], withModel({ ...env, OPENAI_API_KEY: WRONG_KEY }))
    expect(right.log.some(({ msg }) => msg === 'the model is called again')).toBe(true)
    expect(wrong.notices).toContain('(MODEL_KEY_REFUSED)')
    const output = [right, wrong].map(({ stdout, stderr }) => stdout.text + stderr.text).join('')
    expect(output).not.toContain(API_KEY)
    expect(output).not.toContain(WRONG_KEY)
  })
})

describe('a signal to stop', () => {
  it('ends the running answer at once and closes the database', async () => {
    const parley = await inMidAnswer(withModel())
    parley.signal('SIGTERM')
    await server.waitForAborted(1)
    expect(await parley.exited).toEqual({ code: 0, signal: null })
    expect(parley.stdout.text).toBe(`${BEGINNING}\n`)
    expect(parley.notices).toBe('Cancelled.\n')
    expect(parley.log.at(-1)).toMatchObject({ msg: 'stopped', totalCancelled: 1 })
    expect(existsSync(`${parley.databasePath}-wal`)).toBe(false)
    expect(storedRows(parley.databasePath)).toEqual({
      requests: [{ message: 'count to six', status: 'CANCELLED', errorCode: 'REQUEST_INTERRUPTED' }],
      messages: [],
    })
    openDatabase(parley.databasePath).close()
  })

  it('lets the running answer end where the owner gives it the time, and takes no further line', async () => {
    const parley = await inMidAnswer(withModel({ PARLEY_SHUTDOWN_GRACE: '1h' }))
    parley.signal('SIGTERM')
    await parley.logged('stopping')
    parley.say('and back')
    await server.release()
    expect(await parley.exited).toEqual({ code: 0, signal: null })
    expect(parley.stdout.text).toBe(`${BEGINNING}${REST}\n`)
    expect(storedRows(parley.databasePath)).toMatchObject({
      requests: [{ status: 'COMPLETED' }],
      messages: [{ role: 'user' }, { role: 'assistant' }],
    })
  })

  it('does not wait once a second one comes, and the next process tells what was left', async () => {
    const parley = await inMidAnswer(withModel({ PARLEY_SHUTDOWN_GRACE: '1h' }))
    parley.signal('SIGINT')
    await parley.logged('stopping')
    parley.signal('SIGTERM')
    expect(await parley.exited).toEqual({ code: 143, signal: null })
    const next = await runParley([], { folder: parley.folder })
    expect(next.log).toContainEqual(expect.objectContaining({ level: 40, ended: 1 }))
    expect(storedRows(parley.databasePath).requests).toMatchObject([
      { status: 'FAILED', errorCode: 'REQUEST_INTERRUPTED' },
    ])
  })

  it('ends a start that is still going on', async () => {
    const parley = startParley()
    await parley.logged('the database is open')
    parley.signal('SIGTERM')
    expect(await parley.exited).toEqual({ code: 0, signal: null })
    expect(existsSync(`${parley.databasePath}-wal`)).toBe(false)
  })
})
