import { GatewayIntentBits } from 'discord.js'
import { describe, expect, it } from 'vitest'
import { newDiscord, newRoom, startRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'

/** A server with a text channel, and a gateway that is connected. */
async function startWithServer() {
  const user = await startWithUser()
  const guildId = await user.server.addGuild('lab')
  const general = await user.server.addGuildChannel(guildId, 'general')
  return { ...user, guildId, general }
}

describe('what reaches the queue', () => {
  it('is a direct message, from a channel the client has never seen', async () => {
    const { ask, userId, channelId } = await startWithUser()
    const { asked, messageId } = await ask('why is the sky blue?')
    expect(asked.request).toEqual({
      userId,
      serverId: '0',
      channelId,
      message: 'why is the sky blue?',
      discordMessageId: messageId,
      interactionToken: null,
    })
  })

  it('is a mention in a server, without the mention', async () => {
    const { server, userId, guildId, general, queue } = await startWithServer()
    const id = await server.sendGuildMessage({ channelId: general, userId, content: 'why?', mentionsBot: true })
    const { request } = await queue.next()
    expect(request).toEqual({
      userId,
      serverId: guildId,
      channelId: general,
      message: 'why?',
      discordMessageId: id,
      interactionToken: null,
    })
  })

  it('is a reply in a server to what the bot wrote', async () => {
    const { server, userId, general, queue, clock } = await startWithServer()
    await server.sendGuildMessage({ channelId: general, userId, content: 'why?', mentionsBot: true })
    const asked = await queue.next()
    asked.start().complete('because')
    const seen = { type: 'message', channelId: general, contentIncludes: 'because' } as const
    const { id } = await clock.passUntil(server.waitFor(seen, WAIT_MS))
    await server.sendGuildMessage({ channelId: general, userId, content: 'and why that?', replyTo: id })
    const { request } = await queue.next()
    expect(request.message).toBe('In reply to this message of yours:\n\n> because\n\nand why that?')
  })

  it('is a reply to somebody else that mentions the bot, with what it replies to', async () => {
    const { server, userId, general, queue } = await startWithServer()
    const bob = await server.addUser({ username: 'bob' })
    const id = await server.sendGuildMessage({ channelId: general, userId: bob, content: 'two\nlines' })
    await server.sendGuildMessage({ channelId: general, userId, content: 'why?', mentionsBot: true, replyTo: id })
    await server.sendGuildMessage({ channelId: general, userId, content: '', mentionsBot: true, replyTo: id })
    const quote = 'In reply to this message by bob:\n\n> two\n> lines'
    expect((await queue.next()).request.message).toBe(`${quote}\n\nwhy?`)
    expect((await queue.next()).request.message).toBe(quote)
  })

  it('is a reply whose other message was deleted, without it', async () => {
    const { server, userId, general, queue } = await startWithServer()
    const id = await server.sendGuildMessage({ channelId: general, userId, content: 'gone' })
    await server.deleteMessage(id)
    await server.sendGuildMessage({ channelId: general, userId, content: 'why?', mentionsBot: true, replyTo: id })
    expect((await queue.next()).request.message).toBe('why?')
  })

  it('is a mention in a thread, and the answer appears there', async () => {
    const { server, userId, general, queue, clock } = await startWithServer()
    const thread = await server.addThread(general, 'questions')
    const id = await server.sendGuildMessage({ channelId: thread, userId, content: 'why?', mentionsBot: true })
    const asked = await queue.next()
    expect(asked.request.channelId).toBe(thread)
    asked.start().complete('because')
    const seen = { type: 'message', channelId: thread, contentIncludes: 'because' } as const
    expect(await clock.passUntil(server.waitFor(seen, WAIT_MS))).toMatchObject({ referenceId: id })
    expect(await server.messages(general)).toEqual([])
  })

  it('is what comes in known channels and threads after a restart, too', async () => {
    const { server, userId, guildId, general, ask, gateway } = await startWithServer()
    const thread = await server.addThread(general, 'questions')
    await ask('before')
    await gateway.stop(0)
    const { queue } = await startRoom(server)
    await server.sendDm(userId, 'after')
    await server.sendGuildMessage({ channelId: thread, userId, content: 'in the thread', mentionsBot: true })
    expect((await queue.next()).request).toMatchObject({ message: 'after', serverId: '0' })
    expect((await queue.next()).request).toMatchObject({ message: 'in the thread', serverId: guildId })
  })

  it('is a message without text, too, so that its author learns about it', async () => {
    const { server, userId, general, queue } = await startWithServer()
    await server.sendGuildMessage({ channelId: general, userId, content: '', mentionsBot: true })
    expect((await queue.next()).request.message).toBe('')
  })

  it('is nothing that a bot, a webhook, the system or nobody in particular said', async () => {
    const { server, userId, general, ask, queue } = await startWithServer()
    const bot = await server.addUser({ username: 'other', bot: true })
    await server.sendDm(bot, 'hello from a bot')
    await server.sendDm(userId, 'a call has ended', { type: 3 })
    const said = { channelId: general, content: 'hello', mentionsBot: true }
    await server.sendGuildMessage({ ...said, userId: bot })
    await server.sendGuildMessage({ ...said, userId, asWebhook: true })
    await server.sendGuildMessage({ ...said, userId, mentionsBot: false })
    await server.sendGuildMessage({ ...said, userId, mentionsBot: false, content: '@everyone hello' })
    await ask('the only question')
    expect(queue.added.map(({ message }) => message)).toEqual(['the only question'])
  })

  it('is nothing that the bot said itself', async () => {
    const { ask, see, queue } = await startWithUser()
    const { asked } = await ask('first')
    asked.start().complete('because')
    await see('because')
    await ask('second')
    expect(queue.added.map(({ message }) => message)).toEqual(['first', 'second'])
  })
})

describe('the connection', () => {
  it('asks for messages in servers and direct ones and for nothing else', async () => {
    const { server } = await startWithUser()
    const [identify] = await server.identifies()
    expect(identify?.intents).toBe(GatewayIntentBits.GuildMessages | GatewayIntentBits.DirectMessages)
  })

  it('takes messages in before it has registered its commands', async () => {
    const server = await newDiscord()
    const userId = await server.addUser({ username: 'ada' })
    await server.failNext({ route: '/applications/:id/commands', method: 'GET', status: 'hang' })
    const { gateway, queue, clock, log } = newRoom(server)
    const slow = log.next('takes its time to register the commands')
    const started = gateway.start()
    await server.waitFor({ type: 'calls', route: '/applications/:id/commands', phase: 'arrived' }, WAIT_MS)
    await server.sendDm(userId, 'why?')
    expect((await queue.next()).request.message).toBe('why?')
    await clock.advance(10_000)
    await started
    expect((await slow).level).toBe('warn')
    const registered = log.next('registered the commands')
    await server.releaseHeld()
    await registered
    expect(await server.commands()).not.toHaveLength(0)
  })
})
