import { describe, expect, it } from 'vitest'
import { NO_PREFERENCES } from '#domain/preferences.ts'
import { labelsOf, startWithCommands } from '#support/command-room.ts'

/** A user who can run every command, in direct messages and in a server. */
async function start(...options: Parameters<typeof startWithCommands>) {
  const room = await startWithCommands(...options)
  const guild = await room.server.addGuild('lab')
  const general = await room.server.addGuildChannel(guild, 'general')
  const chosen = () => room.database.api.preferences(room.userId)
  const setServer = (setting: 'persona' | 'model', value: string) =>
    room.database.api.changeServerSettings({
      serverId: guild,
      userId: 'admin',
      at: 1,
      change: { type: 'set', setting, value },
    })
  return { ...room, guild, general, chosen, setServer }
}

describe.each(['direct messages', 'a server'])('in %s', (place) => {
  it('/persona sets, shows and resets how Parley talks to its user, who alone sees it', async () => {
    const { run, general, channelId, chosen } = await start()
    const where = place === 'a server' ? general : channelId
    expect((await run('persona show', {}, where)).content).toBe(
      'You have set no persona: Parley talks to you as usual.',
    )
    const set = await run('persona set', { text: ' You are a *bard*. ' }, where)
    expect(set).toMatchObject({ ephemeral: true, content: expect.stringMatching(/\n> You are a \\\*bard\\\*\.$/) })
    expect(await chosen()).toEqual({ ...NO_PREFERENCES, persona: 'You are a *bard*.' })
    expect((await run('persona show', {}, where)).content).toBe(set.content)
    expect((await run('persona reset', {}, where)).content).toContain('no persona')
    expect(await chosen()).toEqual(NO_PREFERENCES)
  })

  it('/model shows what there is, takes what is offered, and goes back to the usual one', async () => {
    const { run, press, general, channelId, chosen } = await start()
    const where = place === 'a server' ? general : channelId
    const shown = await run('model', {}, where)
    expect(shown).toMatchObject({ ephemeral: true, components: [] })
    expect(shown.content).toContain('You can choose from `small` (the usual one), `large`.')
    const set = await run('model', { name: 'large' }, where)
    expect(set.content).toContain('answered by `large`')
    expect(await chosen()).toMatchObject({ model: 'large' })
    expect(labelsOf(set.components)).toEqual(['Use the usual one'])
    expect(await press(set, 'Use the usual one')).toMatchObject({
      content: expect.stringContaining('answered by `small`'),
      components: [],
    })
    expect(await chosen()).toEqual(NO_PREFERENCES)
  })

  it('/reasoning sets and shows how the user sees what a model thinks', async () => {
    const { run, general, channelId, chosen } = await start()
    const where = place === 'a server' ? general : channelId
    expect((await run('reasoning', {}, where)).content).toContain('is not shown to you')
    for (const show of ['spoiler', 'file', 'hidden']) {
      const set = await run('reasoning', { show }, where)
      expect(await chosen()).toMatchObject({ reasoning: show })
      expect(await run('reasoning', {}, where)).toMatchObject({ ephemeral: true, content: set.content })
    }
  })
})

describe('a choice', () => {
  it('of a persona with nothing in it is refused', async () => {
    const { run, chosen } = await start()
    expect((await run('persona set', { text: ' \u0007 ' })).content).toContain('Nothing was changed')
    expect(await chosen()).toEqual(NO_PREFERENCES)
  })

  it('of a model that is not offered is refused, as from an outdated client', async () => {
    const { run, channelId, chosen } = await start()
    const reply = await run('model', { name: 'gone' }, channelId, { unregistered: true })
    expect(reply.content).toBe(
      'That model is not offered. Nothing was changed; you can choose from `small` (the usual one), `large`.',
    )
    expect(await chosen()).toEqual(NO_PREFERENCES)
  })

  it('that a server stands before is kept, and it is said that it holds elsewhere only', async () => {
    const { run, general, chosen, setServer } = await start()
    await setServer('persona', 'You are a judge.')
    await setServer('model', 'small')
    expect((await run('persona set', { text: 'a bard' }, general)).content).toContain('its own persona holds')
    const model = await run('model', { name: 'large' }, general)
    expect(model.content).toContain('answered by `small`, from the next one on, because this server has set it')
    expect(await chosen()).toMatchObject({ persona: 'a bard', model: 'large' })
    expect((await run('model')).content).toContain('answered by `large`')
  })

  it('from many models with long names fits into a reply', async () => {
    const offered = Array.from({ length: 25 }, (_, index) => `model-${index}-`.padEnd(100, 'x'))
    const { run } = await start({ models: { usual: 'model-0', offered } })
    const { content } = await run('model')
    expect(content).toMatch(/`model-0-x+`, .*`model-13-x+` and 11 more\.$/)
  })

  it('that is not offered any more is shown as that', async () => {
    const { run, database, userId } = await start()
    await database.api.changePreferences(userId, { model: 'old' })
    expect((await run('model')).content).toMatch(/answered by `small`.*\nYou have chosen `old`, which is not offered/)
  })

  it('is among what its user takes along, and goes with everything else', async () => {
    const { run, press, userId, chosen, database, guild } = await start()
    await run('persona set', { text: 'a bard' })
    await database.api.changeServerSettings({
      serverId: guild,
      userId,
      at: 5,
      change: { type: 'set', setting: 'model', value: 'large' },
    })
    const [file] = (await run('export')).revisions.at(-1)?.attachments ?? []
    expect(JSON.parse(file?.text ?? '')).toMatchObject({
      preferences: { persona: 'a bard' },
      serverSettingChanges: [{ serverId: guild, userId, at: 5, what: 'model', before: null, after: 'large' }],
    })
    expect((await run('privacy')).content).toContain('who changed what')
    const asked = await run('forget', { what: 'everything' })
    expect(asked.content).toMatch(/what you have chosen.* stay noted with your id/s)
    await press(asked, 'Delete')
    expect(await chosen()).toEqual(NO_PREFERENCES)
    expect((await run('help')).content).toContain('What a server has set with `/settings` holds there for everybody')
  })
})
