import { describe, expect, it } from 'vitest'
import type { SettingChange } from '#domain/server-settings.ts'
import { OPEN_TO_ALL } from '#support/access-rules.ts'
import { labelsOf, startWithCommands } from '#support/command-room.ts'
import { WAIT_MS } from '#support/discord-room.ts'

/** A server with a member who may manage it, unless told otherwise. */
async function start({ manages = true, ...options }: Options = {}) {
  const room = await startWithCommands(options)
  const { server, userId, database, queue, clock } = room
  const guild = await server.addGuild('lab')
  const general = await server.addGuildChannel(guild, 'general')
  const other = await server.addGuildChannel(guild, 'other')
  const role = await server.giveRole(guild, userId)
  if (manages) await server.addManager(guild, userId)
  const settings = (words: string, values: Record<string, string> = {}, more: Parameters<typeof room.run>[3] = {}) =>
    room.run(`settings ${words}`, values, general, more)
  const stored = async () => (await database.api.serverSettings(guild)).settings
  const change = (wanted: SettingChange) =>
    database.api.changeServerSettings({ serverId: guild, userId: 'admin', at: 1, change: wanted })
  const mention = (channelId: string) =>
    server.sendGuildMessage({ channelId, userId, content: 'why?', mentionsBot: true })
  let refusals = 0
  /** Resolves with the next refusal, of which none is in another channel. */
  const refusedIn = async (channelId: string) => {
    const count = ++refusals
    const criteria = { type: 'message', channelId, authorIsBot: true, contentIncludes: 'ACCESS_DENIED', count } as const
    const { content } = await clock.passUntil(server.waitFor(criteria, WAIT_MS))
    // The same person is told the same again after that time only.
    await clock.advance(5_000)
    return content
  }
  /** Resolves when the queue has a question that was asked there. */
  const askedIn = async (channelId: string) => {
    await mention(channelId)
    expect((await queue.next()).request.channelId).toBe(channelId)
  }
  return { ...room, guild, general, other, role, settings, stored, change, mention, refusedIn, askedIn }
}

type Options = { readonly manages?: boolean } & Parameters<typeof startWithCommands>[0]

const list = (setting: 'channels' | 'roles', add: string): SettingChange => ({
  type: 'list',
  setting,
  add,
  remove: undefined,
})

describe('/settings of somebody who may manage the server', () => {
  it('sets a persona, a model, channels and roles, and shows them to its user alone', async () => {
    const { settings, stored, general, role } = await start()
    await settings('persona', { text: 'You are a judge.' })
    await settings('model', { name: 'large' })
    await settings('channels', { add: general })
    const reply = await settings('roles', { add: role })
    expect(reply.ephemeral).toBe(true)
    expect(reply.content).toBe(
      [
        'Changed; it holds from the next question on.',
        '**Persona:** You are a judge.',
        '**Model:** `large`',
        `**Channels:** <#${general}>`,
        `**Roles that may ask:** <@&${role}>`,
      ].join('\n'),
    )
    const expected = { persona: 'You are a judge.', model: 'large', channels: [general], roles: [role] }
    expect(await stored()).toEqual(expected)
    expect((await settings('channels', { remove: general })).content).toContain('**Channels:** all')
    expect((await settings('channels', { remove: general })).content).toContain('like that already')
    expect(await stored()).toEqual({ ...expected, channels: [] })
  })

  it('shows who changed what and when, the last ten times', async () => {
    const { settings, userId, clock } = await start()
    expect((await settings('show')).revisions.at(-1)?.embeds).toEqual([])
    for (let count = 1; count <= 11; count++) {
      await settings('persona', { text: `persona ${count} ${'*'.repeat(900)}` })
      await clock.advance(1_000)
    }
    const shown = await settings('show')
    expect(shown.content.length).toBeLessThanOrEqual(2_000)
    const [embed] = shown.revisions.at(-1)?.embeds ?? []
    const { description }: { readonly description?: unknown } = embed ?? {}
    const lines = String(description).split('\n')
    expect(lines).toHaveLength(10)
    expect(lines[0]).toMatch(new RegExp(`^<t:\\d+:R> <@${userId}> · persona: “persona 10 .*” → “persona 11 .*”$`))
    expect(lines[9]).toMatch(/“persona 1 .*” → “persona 2 /)
  })

  it('fits into a message with all that can be set', async () => {
    const { settings, change } = await start()
    for (let index = 0; index < 25; index++) {
      await change(list('channels', `12345678901234567${index}`))
      await change(list('roles', `12345678901234567${index}`))
    }
    await change({ type: 'set', setting: 'persona', value: '*'.repeat(1_000) })
    expect((await settings('show')).content.length).toBeLessThanOrEqual(2_000)
    expect((await settings('roles', { add: '123456789012345699' }, { unregistered: true })).content).toBe(
      'A server can name 25 at most. Nothing was changed; remove one first.',
    )
  })

  it('resets one of them, or all, once that was confirmed', async () => {
    const { settings, press, stored, role } = await start()
    await settings('persona', { text: 'You are a judge.' })
    await settings('model', { name: 'large' })
    await settings('roles', { add: role })
    const asked = await settings('reset', { what: 'persona' })
    expect(labelsOf(asked.components)).toEqual(['Reset', 'Keep'])
    expect(await press(asked, 'Keep')).toMatchObject({ content: 'Nothing was changed.', components: [] })
    await press(await settings('reset', { what: 'persona' }), 'Reset')
    expect(await stored()).toEqual({ persona: null, model: 'large', channels: [], roles: [role] })
    await press(await settings('reset', { what: 'everything' }), 'Reset')
    expect(await stored()).toEqual({ persona: null, model: null, channels: [], roles: [] })
  })

  it.each<[string, string, Record<string, string>]>([
    ['no persona', 'persona', { text: ' \u0007 ' }],
    ['a model that is not offered', 'model', { name: 'gone' }],
    ['no channel', 'channels', {}],
    ['nothing to reset', 'reset', { what: 'gone' }],
  ])('says what is wrong with %s, and changes nothing', async (_, words, values) => {
    const { settings, stored } = await start()
    const reply = await settings(words, values, { unregistered: true })
    expect(reply.content).toContain('Nothing was changed')
    expect(await stored()).toEqual({ persona: null, model: null, channels: [], roles: [] })
  })

  it('does not take the role of everybody, which nobody carries', async () => {
    const { settings, stored, guild } = await start()
    expect((await settings('roles', { add: guild })).content).toContain('Everybody may ask')
    expect(await stored()).toMatchObject({ roles: [] })
  })
})

describe('/settings of somebody who may not manage the server', () => {
  it('is not shown to them, nor in direct messages', async () => {
    const { settings, run } = await start({ manages: false })
    await expect(settings('show')).rejects.toThrow('is not shown')
    await expect(run('settings show')).rejects.toThrow('No command')
  })

  it('changes nothing and shows nothing, even where the server has opened the command for all', async () => {
    const { settings, stored, run } = await start({ manages: false })
    const open = { openedForAll: true }
    for (const reply of [
      await settings('persona', { text: 'You are a judge.' }, open),
      await settings('show', {}, open),
      await settings('reset', { what: 'everything' }, open),
      await run('settings show', {}, undefined, { unregistered: true }),
    ]) {
      expect(reply.content).toContain('for those who may manage it')
      expect(reply.components).toEqual([])
    }
    expect(await stored()).toMatchObject({ persona: null })
  })

  it('does not work by the button of somebody who may', async () => {
    const { settings, server, general, stored, change, guild, clock } = await start()
    await change({ type: 'set', setting: 'persona', value: 'You are a judge.' })
    const asked = await settings('reset', { what: 'everything' })
    const stranger = await server.addUser({ username: 'eve' })
    await server.addMember(guild, stranger)
    await server.pressButton({ userId: stranger, messageId: asked.id, customId: 'settings:everything' })
    const refused = { type: 'message', channelId: general, contentIncludes: 'for those who may manage it' } as const
    await clock.passUntil(server.waitFor(refused, WAIT_MS))
    expect(await stored()).toMatchObject({ persona: 'You are a judge.' })
  })
})

describe('where a server has said who may ask', () => {
  it('questions are taken in its channels and their threads only, from the moment it is set', async () => {
    const { settings, server, general, other, mention, refusedIn, askedIn, queue } = await start()
    await askedIn(other)
    await settings('channels', { add: general })
    await mention(other)
    expect(await refusedIn(other)).toContain('settings of this server')
    await askedIn(general)
    await askedIn(await server.addThread(general, 'aside'))
    await settings('channels', { remove: general })
    await askedIn(other)
    expect(queue.added).toHaveLength(4)
  })

  it('questions are taken from people with one of its roles only, by command, too', async () => {
    const { settings, server, general, guild, userId, refusedIn, askedIn, mention, role, queue } = await start()
    const stranger = await server.addUser({ username: 'eve' })
    await settings('roles', { add: await server.giveRole(guild, stranger) })
    await mention(general)
    expect(await refusedIn(general)).toContain('certain roles')
    await settings('roles', { add: role })
    await askedIn(general)
    await settings('roles', { remove: role })
    await server.runCommand({ userId, name: 'ask', options: { message: 'why?' }, channelId: general })
    expect(await refusedIn(general)).toContain('certain roles')
    expect(queue.added).toHaveLength(1)
  })

  it('those who run the bot may ask all the same, and so may everybody by direct message', async () => {
    const owners: string[] = []
    const { change, other, userId, askedIn, server, queue } = await start({ access: { ...OPEN_TO_ALL, owners } })
    await change(list('channels', '1'))
    await server.sendDm(userId, 'why?')
    await queue.next()
    owners.push(userId)
    await askedIn(other)
  })

  it('it holds on while the database is away', async () => {
    const { database, other, change, mention, refusedIn, clock, log } = await start()
    await change(list('channels', '1'))
    await mention(other)
    await refusedIn(other)
    await database.api.close()
    // What was known last still holds, also when it would be looked up again.
    await clock.advance(61_000)
    await mention(other)
    await refusedIn(other)
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'the settings of a server could not be read' }),
    )
  })

  it('a server that was not heard of yet is open while the database is away', async () => {
    const { database, other, change, askedIn } = await start()
    await change(list('channels', '1'))
    await database.api.close()
    await askedIn(other)
  })
})
