import { expect, it, onTestFinished } from 'vitest'
import { readButtons } from '#discord/card-buttons.ts'
import { menuOf } from '#support/command-room.ts'
import { startDiscordServer } from '#support/discord/start-discord-server.ts'
import { startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { ANSWERED } from '#support/parley-on-discord.ts'
import { startParley } from '#support/parley-process.ts'
import { storedRows } from '#support/stored-rows.ts'

const PATIENCE_MS = 25_000

it('an answer of an earlier process is written again, and a server has a conversation of its own', async () => {
  const [discord, model] = await Promise.all([startDiscordServer(), startOpenAiServer({ apiKey: null })])
  onTestFinished(async () => {
    await Promise.all([discord.close(), model.close()])
  })
  const connected = async (folder?: string) => {
    const where = { DISCORD_TOKEN: discord.token, DISCORD_API_URL: discord.apiUrl, OPENAI_BASE_URL: model.baseUrl }
    const parley = startParley({ env: { ...where, OPENAI_MODEL: 'test-model' }, ...(folder && { folder }) })
    await parley.logged('connected to Discord')
    return parley
  }
  const userId = await discord.addUser({ username: 'ada' })
  const lab = await discord.addGuild('Lab')
  await discord.addMember(lab, userId)
  const channelId = await discord.openDm(userId)
  const seen = (contentIncludes: string, count = 1) =>
    discord.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes, count }, PATIENCE_MS)
  const answered = (contentIncludes: string) =>
    discord.waitFor({ type: 'message', channelId, authorIsBot: true, contentIncludes, control: ANSWERED }, PATIENCE_MS)

  const first = await connected()
  await discord.sendDm(userId, 'why?')
  const answer = await answered('echo: why? (2 messages)')
  first.signal('SIGTERM')
  await first.exited

  const second = await connected(first.folder)
  const { id: messageId, components } = answer
  await discord.pressButton({ userId, messageId, customId: readButtons(components) })
  await seen('echo: why? (2 messages)', 2)

  await discord.runCommand({ userId, name: 'server' })
  const shown = await seen('Your direct messages belong to')
  const customId = menuOf(shown.components)?.custom_id ?? ''
  await discord.chooseOptions({ userId, messageId: shown.id, customId, values: [lab] })
  await seen('conversation of **Lab**')
  await discord.sendDm(userId, 'and there?')
  await answered('echo: and there? (2 messages)\n-# Conversation of Lab')
  await discord.sendDm(userId, '[lab] and then?')
  await answered('echo: and then? (4 messages)\n-# Conversation of Lab')
  second.signal('SIGTERM')
  expect(await second.exited).toEqual({ code: 0, signal: null })

  const { messages } = storedRows(second.databasePath)
  expect(messages.map(({ content }) => content)).toEqual([
    'why?',
    'echo: why? (2 messages)',
    'and there?',
    'echo: and there? (2 messages)',
    'and then?',
    'echo: and then? (4 messages)',
  ])
})
