/**
 * What becomes of a crowd in front of a model server that answers 429 to more than a few calls at the same time: with the
 * adaptive limit, and as the baseline with as many calls as there are places in the pool. `npm run bench:overload`.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { addPeople, answerOf, endedAt, LoadedParley, repliesTo } from '#support/load.ts'

const { BENCH_PEOPLE = '200', BENCH_SECONDS = '90' } = process.env
const PEOPLE = Number(BENCH_PEOPLE)
const MOST_SECONDS = Number(BENCH_SECONDS)
const AT_ONCE = 8
const PLACES = 64
const WORDS = 10
const WORD_DELAY_MS = 50

process.stdout.write(
  `${PEOPLE} questions at once, ${PLACES} places, a server that takes ${AT_ONCE} calls at the same time: ` +
    `${((PEOPLE * WORDS * WORD_DELAY_MS) / AT_ONCE / 1_000).toFixed(1)} s at best\n`,
)
for (const concurrency of ['fixed', 'adaptive']) await crowd(concurrency)

async function crowd(concurrency: string): Promise<void> {
  const room = {
    PARLEY_MAX_QUEUE_SIZE: '100000',
    PARLEY_POOL_CONCURRENCY: String(PLACES),
    PARLEY_MODEL_CONCURRENCY: concurrency,
    LOG_LEVEL: 'silent',
  }
  const script = answerOf(WORDS, WORD_DELAY_MS)
  const parley = await LoadedParley.start(script, room, { limits: 'off' }, { mostAtOnce: AT_ONCE })
  const { discord, model } = parley
  const people = await addPeople(discord, PEOPLE)
  const startedAt = Date.now()
  await Promise.all(people.map(({ userId }) => discord.sendDm(userId, 'why?')))
  let ends: (number | undefined)[] = []
  let failed = 0
  while (ends.length + failed < PEOPLE && Date.now() - startedAt < MOST_SECONDS * 1_000) {
    await pause(500)
    const replies = await repliesTo(discord, people)
    ends = replies.map(endedAt).filter((at) => at !== undefined)
    failed = replies.filter(({ content }) => content.includes('MODEL_RATE_LIMITED')).length
  }
  const last = Math.max(startedAt, ...ends.map((at) => at ?? 0))
  const seconds = (last - startedAt) / 1_000
  const { requests, refused } = await model.stats()
  process.stdout.write(
    `${concurrency}: ${ends.length} answered in ${seconds.toFixed(1)} s, ${(ends.length / seconds).toFixed(1)} a second; ` +
      `${failed} failed; ${refused} of ${requests} calls refused\n`,
  )
  await parley.end()
}
