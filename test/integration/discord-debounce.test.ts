import { expect, it } from 'vitest'
import { startWithCommands } from '#support/command-room.ts'
import { startWithButtons } from '#support/discord-buttons.ts'
import { REFUSAL_INTERVAL_MS, type startWithUser } from '#support/discord-room.ts'

const DEBOUNCE_MS = 3_000
const DAY_MS = 86_400_000

/** A user whose messages within three seconds of each other are one question. */
async function startDebounced() {
  return withWriting(await startWithButtons({}, { debounceMs: DEBOUNCE_MS }))
}

/** The same, with commands; a day, as time passes while they are answered. */
async function startWithLongDebounce() {
  return withWriting(await startWithCommands({ debounceMs: DAY_MS }))
}

function withWriting<R extends Awaited<ReturnType<typeof startWithUser>>>(room: R) {
  /** Writes a direct message; resolves once Parley waits for more. */
  const write = async (text: string) => {
    const heard = room.clock.nextTimer()
    const messageId = await room.server.sendDm(room.userId, text)
    await heard
    return messageId
  }
  return { ...room, write }
}

it('messages in quick succession are one question, and the answer replies to the last of them', async () => {
  const { write, clock, queue, see } = await startDebounced()
  await write('why')
  await clock.advance(DEBOUNCE_MS - 1)
  const last = await write('is the sky blue?')
  await clock.advance(DEBOUNCE_MS)
  const asked = await queue.next()
  expect(asked.request).toMatchObject({ message: 'why\n\nis the sky blue?', discordMessageId: last })
  asked.start().complete('because')
  expect(await see('because')).toMatchObject({ referenceId: last })
  expect(queue.added).toHaveLength(1)
})

it('a command does not wait for more', async () => {
  const { server, userId, queue, clock, see } = await startDebounced()
  await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
  const asked = await queue.next()
  expect([asked.request.message, clock.pending]).toEqual(['why?', 0])
  asked.start().complete('because')
  await see('because')
})

it('several messages that were refused are not offered to be added: only the last of them would be', async () => {
  const { write, clock, queue, see, isActive, buttons } = await startDebounced()
  await write('why?')
  await clock.advance(DEBOUNCE_MS)
  const first = await queue.next()
  first.accept(2)
  await see('2nd in line')
  isActive(first, { waiting: true })
  await write('and how?')
  await write('and when?')
  await clock.advance(DEBOUNCE_MS)
  const joined = await queue.next()
  expect(joined.request).toMatchObject({ message: 'and how?\n\nand when?' })
  joined.refuse({ code: 'REQUEST_ALREADY_ACTIVE', message: 'Not these.' })
  expect(await buttons('Not these.')).toEqual([])
  await clock.advance(REFUSAL_INTERVAL_MS)
  await write('and where?')
  await clock.advance(DEBOUNCE_MS)
  ;(await queue.next()).refuse({ code: 'REQUEST_ALREADY_ACTIVE', message: 'Not this.' })
  expect(await buttons('Not this.')).toEqual(['replace', 'append'])
})

it('what waits for more is taken back by a cancel, and not asked later either', async () => {
  const { write, run, clock, queue, ledger, channelId, userId } = await startWithLongDebounce()
  await write('why')
  const lastMessageId = await write('is the sky blue?')
  expect((await run('cancel')).content).toContain('Your question is cancelled')
  expect(clock.pending).toBe(0)
  await ledger.until(({ read }) => read.length > 0)
  expect(ledger.read).toEqual([{ channelId, userId, lastMessageId }])
  expect((await run('cancel')).content).toContain('You have no question')
  expect(queue.added).toEqual([])
})

it.each([
  ['everything', 0],
  ['conversation', 1],
])('what waits for more is forgotten with where it belongs: %s', async (what, left) => {
  const { write, run, press, server, clock, queue, userId } = await startWithLongDebounce()
  const guildId = await server.addGuild('home')
  const there = await server.addGuildChannel(guildId, 'general')
  await write('why?')
  const heard = clock.nextTimer()
  await server.sendGuildMessage({ channelId: there, userId, content: 'and here?', mentionsBot: true })
  await heard
  expect((await press(await run('forget', { what }), 'Delete')).content).toContain('Forgotten')
  await clock.advance(DAY_MS)
  expect(queue.added.map(({ message }) => message)).toEqual(['and here?'].slice(0, left))
})

it('who wrote just before a stop is told that the message was not taken in', async () => {
  const { write, gateway, ledger, see, queue, channelId, userId } = await startDebounced()
  await write('why')
  const lastMessageId = await write('is the sky blue?')
  // So a process that dies here has them read by the next one.
  expect(ledger.read).toEqual([])
  gateway.stopIntake()
  await see('QUEUE_STOPPING')
  await ledger.until(({ read }) => read.length > 0)
  expect(ledger.read).toEqual([{ channelId, userId, lastMessageId }])
  expect(queue.added).toEqual([])
})
