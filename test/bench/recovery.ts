/**
 * How long Parley takes from its start until the first request that an earlier process left is with the model, over a
 * file with so many conversations; and, as the baseline, over a file that holds nothing else. `npm run bench:recovery`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabaseApi, type LocalDatabaseApi } from '#database/database-api.ts'
import { openDatabase } from '#database/open-database.ts'
import { startDiscordServer } from '#support/discord/start-discord-server.ts'
import { startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

const CONVERSATIONS = 10_000
const TURNS_EACH = 3
/** As many as wait and work at the most with the settings as they are, on two cores. */
const WAITING = 50
const AT_WORK = 16
const RUNS = 5
const BATCH = 500
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
try {
  const full = await makeFile('full.db', CONVERSATIONS)
  const empty = await makeFile('empty.db', 0)
  const times = { full: [] as number[], empty: [] as number[] }
  // One after the other, so that what else the machine does meanwhile touches both.
  for (let run = 0; run < RUNS; run++) {
    times.empty.push(await recoveryMs(empty))
    times.full.push(await recoveryMs(full))
  }
  say(0, times.empty)
  say(CONVERSATIONS, times.full)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function say(conversations: number, timesMs: readonly number[]): void {
  const sorted = timesMs.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]
  process.stdout.write(`${conversations} conversations: ${median} ms (all runs: ${sorted.join(', ')} ms)\n`)
}

/** Eighteen digits, as Discord's are. */
function userIdOf(number: number): string {
  return `1${String(number).padStart(17, '0')}`
}

/** A file as a Parley leaves it that is killed in the middle of its work. */
async function makeFile(name: string, conversations: number): Promise<string> {
  const path = join(folder, name)
  const database = openDatabase(path)
  database.connection.pragma('synchronous = OFF')
  const api = createDatabaseApi(database.connection, () => database.close())
  for (let turn = 0; turn < TURNS_EACH; turn++) {
    for (let from = 0; from < conversations; from += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => userIdOf(from + index))
      await Promise.all(batch.map((userId) => answer(api, userId, `turn-${turn}-${userId}`)))
    }
  }
  for (let index = 0; index < WAITING + AT_WORK; index++) {
    const request = requestOf(`left-${index}`, { userId: userIdOf(CONVERSATIONS + index) })
    await api.acceptRequest(request)
    if (index < AT_WORK) await api.startRequest(request.id, 1, Date.now())
  }
  await api.close()
  return path
}

async function answer(api: LocalDatabaseApi, userId: string, id: string): Promise<void> {
  const request = requestOf(id, { userId, message: `a question of ordinary length, ${id}` })
  await api.acceptRequest(request)
  await api.startRequest(id, 1, Date.now())
  await api.saveTurn(turnOf(request, { answer: 'An answer of a few sentences. '.repeat(12) }))
}

async function recoveryMs(file: string): Promise<number> {
  const [discord, model] = await Promise.all([
    startDiscordServer({ limits: 'off' }),
    startOpenAiServer({ apiKey: null }),
  ])
  const path = join(folder, 'run.db')
  cpSync(file, path)
  const startedAt = performance.now()
  const parley = spawn(process.execPath, [MAIN], {
    stdio: 'ignore',
    env: {
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.apiUrl,
      OPENAI_BASE_URL: model.baseUrl,
      OPENAI_MODEL: 'test-model',
      PARLEY_DATABASE: path,
    },
  })
  try {
    await model.waitForRequests(1)
    return Math.round(performance.now() - startedAt)
  } finally {
    parley.kill('SIGKILL')
    await once(parley, 'close')
    await Promise.all([discord.close(), model.close()])
    for (const suffix of ['', '-wal', '-shm', '.lock']) rmSync(path + suffix, { force: true })
  }
}
