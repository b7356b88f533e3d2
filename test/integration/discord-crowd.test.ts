import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#actors/clock.ts'
import type { DiscordOptions } from '#discord/discord-options.ts'
import type { RateLimits } from '#support/discord/options.ts'
import { newDiscord, startRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'

const MESSAGES = '/channels/:channelId/messages'

/** So many people who have all asked; time is real, as Discord's limits are. */
async function crowd(count: number, limits: Partial<RateLimits>, options: Partial<DiscordOptions>) {
  const server = await newDiscord({ limits })
  const room = await startRoom(server, { clock: systemClock, editIntervalMs: 250, ...options })
  const asked = []
  for (let index = 0; index < count; index++) {
    const userId = await server.addUser({ username: `person-${index}` })
    await server.openDm(userId)
    await server.sendDm(userId, 'why?')
    asked.push(await room.queue.next())
  }
  const all = (text: string) =>
    server.waitFor({ type: 'message', authorIsBot: true, contentIncludes: text, count }, WAIT_MS)
  onTestFinished(() => room.gateway.stop(0))
  return { server, asked, all, ...room }
}

it('a crowd gets an answer in one call each once the limit is reached, and Discord refuses none', async () => {
  const COUNT = 60
  const LIMIT = 40
  const limits = { global: { limit: LIMIT, windowMs: 1_000 } }
  const { server, asked, all, gateway } = await crowd(COUNT, limits, { callsPerSecond: LIMIT })
  for (const request of asked) request.start()
  await server.waitFor({ type: 'calls', method: 'POST', route: MESSAGES, count: 10 }, WAIT_MS)
  for (const request of asked) request.complete('because')
  await all('because')
  const { granted, overtaken, waiting, calls } = gateway.statistics()
  // Some places are kept free for answers, so less than the limit was spent on placeholders.
  expect(granted.placeholder).toBeLessThan(LIMIT)
  expect(granted).toMatchObject({ answer: COUNT, notice: 0, preview: 0 })
  expect(overtaken.placeholder).toBe(COUNT - granted.placeholder)
  expect(waiting).toEqual({ answer: 0, notice: 0, placeholder: 0, reading: 0, preview: 0 })
  expect(await server.counts()).toMatchObject({ rateLimited: 0, calls: calls })
})

it('answers grow as long as there is room, and what grew too fast is left out', async () => {
  const { server, asked, all, gateway } = await crowd(5, {}, {})
  for (const request of asked) request.start().write('one')
  await all('one')
  for (const request of asked) request.write('one two').write('one two three').write('one two three four')
  await all('four')
  for (const request of asked) request.complete('one two three four five')
  await all('five')
  const { overtaken, dropped } = gateway.statistics()
  expect([overtaken.preview, dropped.preview]).toEqual([0, 0])
  const { rateLimited, byRoute } = await server.counts()
  expect([rateLimited, byRoute[`PATCH ${MESSAGES}/:messageId`]?.calls]).toEqual([0, 10])
})

it('everybody gets an answer once, also when Discord takes less than it says', async () => {
  const COUNT = 15
  const { server, asked, all, gateway } = await crowd(COUNT, { global: { limit: 10, windowMs: 1_000 } }, {})
  for (const request of asked) request.start().complete('because')
  await all('because')
  expect(gateway.statistics().rateLimited).toBeGreaterThan(0)
  const { byRoute, byStatus } = await server.counts()
  const refused = byRoute[`POST ${MESSAGES}`]?.rateLimited ?? 0
  expect([byRoute[`POST ${MESSAGES}`]?.calls, byStatus['429']]).toEqual([COUNT + refused, refused])
})

it('somebody who is refused again and again reads it once', async () => {
  const { server, userId, queue, see, shown, gateway, log } = await startWithUser()
  const refuse = async (text: string) => {
    const refused = log.next('a message was refused')
    await server.sendDm(userId, text)
    const asked = await queue.next()
    asked.refuse({ code: 'QUEUE_FULL', message: 'The queue is full.' })
    await refused
  }
  await refuse('one')
  await refuse('two')
  await see('The queue is full')
  expect([gateway.statistics().hiddenRefusals, await shown()]).toEqual([1, ['⚠️ The queue is full.\n-# QUEUE_FULL']])
})
