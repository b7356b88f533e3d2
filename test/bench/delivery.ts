/**
 * How many final answers a second reach people while Discord takes 50 calls a second in all: Parley, and as the baseline a
 * plain bot that posts a placeholder and edits it once, under more new questions than that can serve; then whether
 * answers are seen to grow when there is room. `npm run bench:delivery`, `BENCH_SECONDS=60` unless told.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { REST, Routes } from 'discord.js'
import { startDiscordServer } from '#support/discord/start-discord-server.ts'
import {
  addPeople,
  answerOf,
  askAtRate,
  END_MARK,
  endedAt,
  LoadedParley,
  type Person,
  repliesTo,
  wasStreamed,
} from '#support/load.ts'

const { BENCH_SECONDS = '60' } = process.env
const SECONDS = Number(BENCH_SECONDS)
const CROWD_PER_SECOND = 60
const FEW_PER_SECOND = 5
const FEW_SECONDS = 20
const WORDS = 10
const WORD_DELAY_MS = 50
const FEW_WORDS = 40
const FEW_WORD_DELAY_MS = 75
const ROOM = { PARLEY_MAX_QUEUE_SIZE: '100000', PARLEY_POOL_CONCURRENCY: '256' }

await crowdOnPlainBot()
await crowdOnParley()
await fewOnParley()

async function crowdOnPlainBot(): Promise<void> {
  const discord = await startDiscordServer({ limits: 'documented' })
  const rest = new REST({ api: discord.apiUrl }).setToken(discord.token)
  const people = await addPeople(discord, CROWD_PER_SECOND * SECONDS)
  const startedAt = Date.now()
  const answer = async ({ channelId }: Person) => {
    const body = { content: '💭 Thinking…' }
    const posted = await rest.post(Routes.channelMessages(channelId), { body })
    await pause(WORDS * WORD_DELAY_MS)
    // Discord's answer to a post is the message.
    const { id } = posted as { readonly id: string }
    await rest.patch(Routes.channelMessage(channelId, id), { body: { content: END_MARK } })
  }
  // What is still open when the server closes is not counted.
  await askAtRate(people, CROWD_PER_SECOND, (person) => answer(person).catch(() => undefined))
  await pauseUntil(startedAt + SECONDS * 1_000)
  const times = (await repliesTo(discord, people)).map(endedAt)
  say('plain bot', startedAt, times, (await discord.counts()).rateLimited)
  process.stdout.write(`  calls: ${JSON.stringify((await discord.counts()).byRoute)}\n`)
  await discord.close()
}

async function crowdOnParley(): Promise<void> {
  const parley = await LoadedParley.start(answerOf(WORDS, WORD_DELAY_MS), ROOM)
  const { discord } = parley
  const people = await addPeople(discord, CROWD_PER_SECOND * SECONDS)
  await parley.loopDelay()
  const startedAt = Date.now()
  await askAtRate(people, CROWD_PER_SECOND, ({ userId }) => discord.sendDm(userId, 'why?'))
  await pauseUntil(startedAt + SECONDS * 1_000)
  const { p99 } = await parley.loopDelay()
  const { rateLimited, byRoute } = await discord.counts()
  const times = (await repliesTo(discord, people)).map(endedAt)
  say('Parley', startedAt, times, rateLimited)
  process.stdout.write(`  calls: ${JSON.stringify(byRoute)}; main loop p99 ${p99.toFixed(1)} ms\n`)
  await parley.end()
}

async function fewOnParley(): Promise<void> {
  const parley = await LoadedParley.start(answerOf(FEW_WORDS, FEW_WORD_DELAY_MS), ROOM)
  const { discord } = parley
  const people = await addPeople(discord, FEW_PER_SECOND * FEW_SECONDS)
  await askAtRate(people, FEW_PER_SECOND, ({ userId }) => discord.sendDm(userId, 'why?'))
  const end = { type: 'message', authorIsBot: true, contentIncludes: END_MARK, count: people.length } as const
  await discord.waitFor(end, 60_000)
  const streamed = (await repliesTo(discord, people)).filter(wasStreamed).length
  const { rateLimited } = await discord.counts()
  process.stdout.write(
    `${FEW_PER_SECOND} questions a second: ${streamed} of ${people.length} answers were seen to grow, ${rateLimited} × 429\n`,
  )
  await parley.end()
}

function say(who: string, startedAt: number, times: readonly (number | undefined)[], rateLimited: number): void {
  const until = startedAt + SECONDS * 1_000
  const inTime = times.filter((at) => at !== undefined && at <= until).length
  const rate = (inTime / SECONDS).toFixed(1)
  process.stdout.write(
    `${who}, ${CROWD_PER_SECOND} questions a second for ${SECONDS} s: ${rate} final answers a second, ${rateLimited} × 429\n`,
  )
}

function pauseUntil(instant: number): Promise<void> {
  return pause(Math.max(0, instant - Date.now()))
}
