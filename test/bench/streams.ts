/**
 * How free the main thread stays while a thousand answers are written at once: the delay of its event loop, whether
 * heartbeats come in time, and whether Discord refuses anything. `npm run bench:streams`.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { addPeople, answerOf, askAtRate, IdleProcess, LoadedParley } from '#support/load.ts'
import type { LoopDelay } from '#support/loop-delay.ts'

const { BENCH_PEOPLE = '1000', BENCH_SECONDS = '20' } = process.env
const PEOPLE = Number(BENCH_PEOPLE)
const SECONDS = Number(BENCH_SECONDS)
const TOKENS_PER_SECOND = 10
/** They do not all begin in the same moment. */
const ASKED_PER_SECOND = 200
const HEARTBEAT_MS = 2_000
const ROOM = { PARLEY_MAX_QUEUE_SIZE: '100000', PARLEY_POOL_CONCURRENCY: '1024' }

const begins = Math.ceil(PEOPLE / ASKED_PER_SECOND)
const words = (SECONDS + begins) * TOKENS_PER_SECOND
const parley = await LoadedParley.start(answerOf(words, 1_000 / TOKENS_PER_SECOND), ROOM, {
  heartbeatIntervalMs: HEARTBEAT_MS,
})
const { discord, model } = parley
const people = await addPeople(discord, PEOPLE)
await askAtRate(people, ASKED_PER_SECOND, ({ userId }) => discord.sendDm(userId, 'why?'))
await model.waitForRequests(PEOPLE)
const idle = new IdleProcess()
await Promise.all([parley.loopDelay(), idle.loopDelay()])
const before = (await discord.counts()).calls
const from = Date.now()
await pause(SECONDS * 1_000)
const [delay, idleDelay] = await Promise.all([parley.loopDelay(), idle.loopDelay()])
const seconds = (Date.now() - from) / 1_000
const { mostOpen } = await model.stats()
const { calls, rateLimited } = await discord.counts()
const beats = (await discord.heartbeats()).map(({ at }) => at).filter((at) => at >= from - HEARTBEAT_MS)
const longestMs = Math.max(...beats.slice(1).map((at, index) => at - (beats[index] ?? at)))
process.stdout.write(
  [
    `${mostOpen} streams at once for ${seconds.toFixed(0)} s`,
    `main loop delay: ${describe(delay)}`,
    `of a process that does nothing, at the same time: ${describe(idleDelay)}`,
    `${(delay.cpuMs / seconds / 1_000).toFixed(2)} cores, ${delay.rssMiB.toFixed(0)} MiB`,
    `${((calls - before) / seconds).toFixed(1)} calls a second, ${rateLimited} × 429`,
    `heartbeats due every ${HEARTBEAT_MS} ms: ${beats.length}, the longest pause ${longestMs} ms`,
    '',
  ].join('\n'),
)
await Promise.all([parley.end(), idle.end()])

function describe({ p50, p99, max }: LoopDelay): string {
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(1)} ms`
}
