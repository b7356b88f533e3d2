/**
 * How many questions a second go the whole way, without Discord and without a model that takes time: taken in, stored,
 * dispatched to a thread, answered from the conversation, stored with it, told to who asked, marked as delivered. Beside
 * it, in turn, the same rows as SQLite alone writes them: with a commit for each write, as a plain bot does, and with 64
 * questions to a commit, which no queue over this file can beat. `npm run bench:queue`.
 */
import '#src/v8-flags.ts'
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '#actors/clock.ts'
import { silentLog } from '#actors/log.ts'
import { loadSettings } from '#config/load-settings.ts'
import { startDatabase } from '#database/database-actor.ts'
import { openDatabase } from '#database/open-database.ts'
import { RequestRecords } from '#database/request-records.ts'
import { uuidV7 } from '#domain/uuid.ts'
import { ConversationQueue } from '#queue/conversation-queue.ts'
import { startAssistantPool } from '#support/assistant-pool.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

const { BENCH_QUESTIONS = '4000', BENCH_ROUNDS = '5' } = process.env
const QUESTIONS = Number(BENCH_QUESTIONS)
const ROUNDS = Number(BENCH_ROUNDS)
const PEOPLE = 500
const PLACES = 128
const AT_ONCE = 256
/** A commit for each write is slow enough to be measured with fewer. */
const FEWER = 8

type Work = (questions: number) => unknown

const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
const parley = await startParley()
const alone = openAlone()
try {
  const rates = { parley: [] as number[], eachWrite: [] as number[], grouped: [] as number[] }
  // Until the code is compiled and the conversations are as long as the prompt's window.
  await parley.answer(QUESTIONS * 3, AT_ONCE)
  const delays: ReturnType<typeof monitorEventLoopDelay>[] = []
  // One after the other, so that what else the machine does meanwhile touches all.
  for (let round = 0; round < ROUNDS; round += 1) {
    rates.eachWrite.push(await rate(QUESTIONS / FEWER, (questions) => alone.write(questions, 1)))
    rates.grouped.push(await rate(QUESTIONS, (questions) => alone.write(questions, 64)))
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delays.push(delay)
    delay.enable()
    rates.parley.push(await rate(QUESTIONS, (questions) => parley.answer(questions, AT_ONCE)))
    delay.disable()
  }
  const single = await parley.answer(QUESTIONS / 4, 1)
  say('SQLite alone, a commit for each write', rates.eachWrite)
  say('SQLite alone, 64 questions to a commit', rates.grouped)
  say(`Parley, ${AT_ONCE} people at the same time`, rates.parley)
  const [p99, most] = [
    Math.max(...delays.map((delay) => delay.percentile(99))),
    Math.max(...delays.map(({ max }) => max)),
  ]
  const ms = (value: number) => `${(value / 1e6).toFixed(1)} ms`
  process.stdout.write(
    `its main loop’s delay in the worst of these rounds: p99 ${ms(p99)}, most ${ms(most)}\n` +
      `one question at a time: half of them took up to ${ms(single.percentile(50))}, 99 of 100 up to ${ms(single.percentile(99))}\n`,
  )
} finally {
  alone.close()
  await parley.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function startParley() {
  const onGivenUp = (error: Error) => {
    throw error
  }
  const settings = loadSettings({ env: { PARLEY_MAX_QUEUE_SIZE: '100000' } })
  const { breakThreshold, breakPauseMs } = settings.model
  const common = { log: silentLog, errorRecoveryDelayMs: 5_000, onGivenUp }
  const database = await startDatabase({
    path: join(folder, 'parley.db'),
    callTimeoutMs: 60_000,
    logLevel: 'silent',
    logPretty: false,
    ...common,
  })
  const pool = await startAssistantPool({
    databaseThread: database.threadCell,
    model: { apiKey: null },
    thread: { deltaIntervalMs: 1_000 },
    pool: { size: 1, concurrency: PLACES, maxHeapMiB: 512 },
  })
  const queue = new ConversationQueue({
    settings: { ...settings.queue, whenUnavailable: 'refuse', breakThreshold, breakPauseMs, adaptConcurrency: true },
    store: database.api,
    pool,
    clock: systemClock,
    log: silentLog,
    newId: () => uuidV7(Date.now(), randomFillSync(new Uint8Array(16))),
  })
  let asked = 0

  async function ask(userId: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    asked += 1
    const request = { userId, serverId: '0', channelId: userId, message: 'what did I say first?' }
    const added = await queue.addRequest(
      { ...request, discordMessageId: `${asked}`, interactionToken: null },
      (event) => {
        if (event.type === 'completed') resolve(event.requestId)
        else if (event.type === 'failed' || event.type === 'cancelled')
          reject(new Error(`expected an answer, got ${event.type}`))
      },
    )
    if (!added.accepted) throw new Error(`expected room, got ${added.refusal.code}`)
    await database.api.markDelivered(await promise, ['answer'])
  }

  /** Asks for so many people at the same time, each as soon as the one before has its answer; how long each took, in ns. */
  async function answer(questions: number, atOnce: number) {
    const times = createHistogram()
    let next = 0
    const one = async () => {
      while (next < questions) {
        const person = next++ % PEOPLE
        const startedAt = performance.now()
        await ask(`person-${person}`)
        times.record(Math.round((performance.now() - startedAt) * 1e6))
      }
    }
    await Promise.all(Array.from({ length: atOnce }, one))
    return times
  }

  async function stop(): Promise<void> {
    await queue.stop(0)
    await pool.stop()
    await database.stop()
  }

  return { answer, stop }
}

/** Writes what Parley writes for a question, and reads the conversation, in this thread. */
function openAlone() {
  const database = openDatabase(join(folder, 'alone.db'))
  const { connection } = database
  const records = new RequestRecords(connection, Date.now)
  const history = connection.prepare(
    'SELECT role, content FROM messages WHERE user_id = ? AND server_id = ? ORDER BY id DESC LIMIT 20',
  )
  const immediate = (work: () => void) => connection.transaction(work).immediate()
  let written = 0

  function steps(): (() => void)[] {
    written += 1
    const request = requestOf(`request-${written}`, { userId: `person-${written % PEOPLE}` })
    return [
      () => records.accept(request),
      () => records.start(request.id, 1, Date.now(), written),
      () => {
        history.all(request.userId, request.serverId)
        records.saveTurn(turnOf(request, { messages: [`answer ${written}`] }))
      },
      () => records.markDelivered(request.id, ['answer']),
    ]
  }

  function write(questions: number, toACommit: number): void {
    for (let done = 0; done < questions; done += toACommit) {
      const all = Array.from({ length: toACommit }, steps).flat()
      if (toACommit === 1) for (const step of all) immediate(step)
      else
        immediate(() => {
          for (const step of all) step()
        })
    }
  }

  return { write, close: () => database.close() }
}

async function rate(questions: number, work: Work): Promise<number> {
  const startedAt = performance.now()
  await work(questions)
  return (questions * 1_000) / (performance.now() - startedAt)
}

function say(what: string, rates: readonly number[]): void {
  const sorted = rates.toSorted((a, b) => a - b)
  const [least, median, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((value) =>
    Math.round(value ?? 0),
  )
  process.stdout.write(`${what}: ${median} questions a second (${least} to ${most} in ${rates.length} rounds)\n`)
}
