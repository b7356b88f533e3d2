import { once } from 'node:events'
import { DefaultRestOptions, Events } from 'discord.js'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '#actors/clock.ts'
import { silentLog } from '#actors/log.ts'
import { DiscordConnection } from '#discord/discord-connection.ts'
import { newDiscord } from '#support/discord-room.ts'

it('the connection keeps nobody in memory who has used a command', async () => {
  const server = await newDiscord()
  const guildId = await server.addGuild('lab')
  const channelId = await server.addGuildChannel(guildId, 'general')
  const { token, apiUrl } = server
  const { makeRequest } = DefaultRestOptions
  const onGivenUp = () => undefined
  const connection = new DiscordConnection({
    token,
    apiUrl,
    makeRequest,
    clock: systemClock,
    log: silentLog,
    onGivenUp,
  })
  onTestFinished(async () => {
    await connection.end()
  })
  await connection.start()
  const { client } = connection
  for (const username of ['ada', 'bob']) {
    const userId = await server.addUser({ username })
    const [[interaction]] = await Promise.all([
      once(client, Events.InteractionCreate),
      server.runCommand({ userId, name: 'ask', unregistered: true, channelId }),
    ])
    expect(interaction).toMatchObject({ user: { id: userId }, guildId })
  }
  const members = client.guilds.cache.map((guild) => guild.members.cache.size)
  expect([client.users.cache.size, members, client.channels.cache.size]).toEqual([0, [0], 0])
})
