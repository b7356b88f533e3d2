import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AssistantOutcome } from '#protocol/assistant.ts'
import { startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

const MAIN = fileURLToPath(new URL('../support/assistant-main-thread.ts', import.meta.url))
const KEY = 'test-key-1234'

const runFile = promisify(execFile)

interface Line {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

function linesOf<T>(text: string): T[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line))
}

describe('the log of an assistant thread', () => {
  it('says what was left out and what was not stored, and holds neither key nor words of a conversation', async () => {
    const server = await startOpenAiServer()
    onTestFinished(() => server.close())
    await server.setDefault({ type: 'answer', text: `Of course. ${'It stays PRIVATE. '.repeat(8)}` })
    await server.script(
      { type: 'answer', text: `Of course. ${'It stays PRIVATE. '.repeat(8)}` },
      { type: 'error', status: 401, code: 'invalid_api_key', message: `Incorrect API key: ${KEY}. You said PRIVATE` },
    )
    const messages = ['PRIVATE one', 'PRIVATE two', 'PRIVATE three', 'PRIVATE late', 'PRIVATE last']
    const path = join(temporaryFolder(), 'parley.db')
    const { stdout, stderr } = await runFile(process.execPath, [MAIN, path, server.baseUrl, KEY, ...messages])

    const outcomes = linesOf<AssistantOutcome>(stdout)
    expect(outcomes).toMatchObject([
      { type: 'answered', stored: true },
      { type: 'failed', failure: { code: 'MODEL_KEY_REFUSED' } },
      { type: 'answered', stored: true, trimmedMessages: 0 },
      // A newer attempt stood in its way, not the database.
      { type: 'answered', stored: true, trimmedMessages: 2 },
      { type: 'answered', stored: false, database: { ok: 0, failed: 3 } },
    ])
    expect(stderr).not.toMatch(new RegExp(`PRIVATE|${KEY}`))
    const common = { name: 'assistant', attempt: 1 }
    expect(linesOf<Line>(stderr)).toMatchObject([
      {
        ...common,
        requestId: 'request 3',
        level: 30,
        msg: 'older messages did not fit the prompt',
        trimmedMessages: 2,
      },
      { ...common, requestId: 'request 3', level: 40, msg: expect.stringContaining('the turn was not stored') },
      { ...common, requestId: 'request 4', level: 50, msg: expect.stringContaining('history could not be read') },
      { ...common, requestId: 'request 4', level: 50, msg: expect.stringContaining('what was chosen could not be') },
      { ...common, requestId: 'request 4', level: 50, msg: expect.stringContaining('the turn was not stored') },
    ])
  })
})
