import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DiscordServerHandle } from '#support/discord/start-discord-server.ts'
import {
  ANSWERED,
  connected,
  onDiscord,
  PATIENCE_MS,
  type Place,
  startServers,
  stop,
} from '#support/parley-on-discord.ts'
import { storedRows } from '#support/stored-rows.ts'

describe('Parley on Discord', () => {
  it('answers a direct message, and a second process goes on with the conversation', async () => {
    const place = await startServers()
    const { discord, model } = place
    const userId = await discord.addUser({ username: 'ada' })
    const channelId = await discord.openDm(userId)
    const answered = (contentIncludes: string) =>
      discord.waitFor(
        { type: 'message', channelId, authorIsBot: true, contentIncludes, control: ANSWERED },
        PATIENCE_MS,
      )

    const first = await connected(place)
    await discord.sendDm(userId, 'the sky is green')
    await answered('echo: the sky is green (2 messages)')
    await stop(first)

    const second = await connected(place, { folder: first.folder })
    await discord.sendDm(userId, 'what did I say?')
    await answered('echo: what did I say? (4 messages)')
    await stop(second)

    const [, last] = await model.requests()
    expect(last?.body.messages?.map(({ content }) => content).slice(1)).toEqual([
      'the sky is green',
      'echo: the sky is green (2 messages)',
      'what did I say?',
    ])
    expect(await finalTexts(discord, channelId)).toEqual([
      'echo: the sky is green (2 messages)',
      'echo: what did I say? (4 messages)',
    ])
    const output = first.stdout.text + first.stderr.text + second.stdout.text + second.stderr.text
    expect(output).not.toContain(discord.token)
  })

  it('stops on a signal although Discord has not let it in yet', async () => {
    const place = await startServers()
    await place.discord.failNext({ route: '/gateway/bot', status: 'hang' })
    const parley = onDiscord(place)
    await place.discord.waitFor({ type: 'calls', route: '/gateway/bot', phase: 'arrived' }, PATIENCE_MS)
    parley.signal('SIGTERM')
    await parley.logged('stopped')
    await place.discord.releaseHeld()
    expect(await parley.exited).toEqual({ code: 0, signal: null })
    expect(existsSync(`${parley.databasePath}-wal`)).toBe(false)
  })

  it('says why and ends with its own exit code when the token is wrong', async () => {
    const place = await startServers({ token: 'the-right-token' })
    const parley = onDiscord(place, { env: { DISCORD_TOKEN: 'the-wrong-token' } })
    expect(await parley.exited).toEqual({ code: 4, signal: null })
    expect(parley.notices).toMatch(/^Discord refused the bot token\. .*DISCORD_TOKEN\.\n$/)
    expect(parley.stdout.text).toBe('')
    expect(parley.stderr.text).not.toContain('the-wrong-token')
  })
})

const USERS = 200
const MAX_QUEUE_SIZE = 50
const SLOTS = 2 * 16
const ACCEPTED = SLOTS + MAX_QUEUE_SIZE
/** More than one thread takes, so that with these at work both threads are known to be up. */
const EARLY_USERS = 17
/** What the model answers to those it was made to wait with. */
const HELD_ANSWER = 'This took a while.'

describe('200 people who write at once', { timeout: 60_000 }, () => {
  it('each get one answer or one refusal that says why, and the statistics add up', async () => {
    // As documented, Discord's limits would stretch this over a minute; what is counted here is Parley.
    const place = await startServers({ limits: 'off' })
    const { discord, model } = place
    await model.setDefault({ type: 'held', text: HELD_ANSWER })
    const parley = await connected(place, {
      env: {
        PARLEY_POOL_SIZE: '2',
        PARLEY_POOL_CONCURRENCY: '16',
        PARLEY_MAX_QUEUE_SIZE: String(MAX_QUEUE_SIZE),
        PARLEY_EDIT_INTERVAL: '250ms',
      },
    })
    await answerSome(EARLY_USERS, place)

    const people = await Promise.all(Array.from({ length: USERS }, (_, n) => addPerson(discord, `user-${n}`)))
    await Promise.all(people.map(({ userId, question }) => discord.sendDm(userId, question)))
    await model.waitForRequests(EARLY_USERS + SLOTS)
    const refused = { type: 'message', authorIsBot: true, contentIncludes: 'QUEUE_FULL' } as const
    await discord.waitFor({ ...refused, count: USERS - ACCEPTED }, PATIENCE_MS)
    expect(await model.stats()).toMatchObject({ requests: EARLY_USERS + SLOTS, open: SLOTS })
    await model.setDefault({ type: 'echo' })
    await model.release()
    // With the button that only an answer to its end has.
    const contentMatches = `^${HELD_ANSWER}\nRegenerate$|^echo: |QUEUE_FULL`
    await discord.waitFor({ type: 'settled', channels: EARLY_USERS + USERS, contentMatches }, PATIENCE_MS)
    await stop(parley)

    const ends = await Promise.all(people.map((person) => endOf(discord, person)))
    expect(ends.filter((end) => end === 'refused')).toHaveLength(USERS - ACCEPTED)
    expect(ends.filter((end) => end === 'held answer')).toHaveLength(SLOTS)
    expect(ends.filter((end) => end === 'own answer')).toHaveLength(MAX_QUEUE_SIZE)
    const answered = EARLY_USERS + ACCEPTED
    expect(await model.stats()).toMatchObject({ requests: answered, mostOpen: SLOTS, aborted: 0 })
    expect(await parley.logged('stopped')).toMatchObject({
      totalProcessed: answered,
      totalFailed: 0,
      totalCancelled: 0,
      totalRetried: 0,
      rejected: { QUEUE_FULL: USERS - ACCEPTED, QUEUE_BUSY: 0, REQUEST_ALREADY_ACTIVE: 0, REQUEST_DUPLICATE: 0 },
      database: { failed: 0 },
      lateEvents: 0,
    })
    const { requests, messages } = storedRows(parley.databasePath)
    expect(requests.map(({ status }) => status)).toEqual(Array(answered).fill('COMPLETED'))
    expect(messages).toHaveLength(2 * answered)
  })
})

interface Person {
  readonly userId: string
  readonly channelId: string
  readonly question: string
}

async function addPerson(discord: DiscordServerHandle, username: string): Promise<Person> {
  const userId = await discord.addUser({ username })
  return { userId, channelId: await discord.openDm(userId), question: `question of ${username}` }
}

/** So many people are answered before the others come. */
async function answerSome(count: number, { discord, model }: Place): Promise<void> {
  const people = await Promise.all(Array.from({ length: count }, (_, n) => addPerson(discord, `early-${n}`)))
  await Promise.all(people.map(({ userId, question }) => discord.sendDm(userId, question)))
  await model.waitForRequests(count)
  await model.release()
  await discord.waitFor({ type: 'settled', channels: count, contentIncludes: HELD_ANSWER }, PATIENCE_MS)
}

/** What a person has got; whatever is not exactly one message of a known kind is given as it is. */
async function endOf(discord: DiscordServerHandle, { channelId, question }: Person): Promise<string> {
  const texts = await finalTexts(discord, channelId)
  const [text = ''] = texts
  if (texts.length !== 1) return JSON.stringify(texts)
  if (text === HELD_ANSWER) return 'held answer'
  if (text === `echo: ${question} (2 messages)`) return 'own answer'
  return text.includes('The queue is full: 50 questions are waiting.') ? 'refused' : text
}

/** What the bot's messages in a channel say in the end. */
async function finalTexts(discord: DiscordServerHandle, channelId: string): Promise<string[]> {
  const messages = await discord.messages(channelId)
  return messages.filter(({ authorIsBot, deleted }) => authorIsBot && !deleted).map(({ content }) => content)
}
