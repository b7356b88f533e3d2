import { describe, expect, it } from 'vitest'
import type { SettingChange } from '#domain/server-settings.ts'
import { FIRST_ROW } from '#protocol/personal-records.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

function withServer() {
  const database = newDatabase()
  let at = 0
  const change = (wanted: SettingChange, userId = 'ann') =>
    database.api.changeServerSettings({ serverId: '7', userId, at: ++at, change: wanted })
  return { ...database, change }
}

const persona = (value: string): SettingChange => ({ type: 'set', setting: 'persona', value })

describe('the settings of a server', () => {
  it('are kept with a version that only grows, and with who changed what and when', async () => {
    const { api, change } = withServer()
    expect(await api.serverSettings('7')).toMatchObject({ version: 0 })
    await change(persona('a bard'))
    await change({ type: 'list', setting: 'channels', add: '1', remove: undefined }, 'bob')
    const reset = await change({ type: 'reset', settings: ['persona', 'channels', 'roles'] })
    expect(reset).toMatchObject({ type: 'changed', version: 3, settings: { persona: null, channels: [] } })
    expect(await api.serverSettings('7')).toEqual({ version: 3, settings: reset.settings })
    expect(await api.serverAudit('7', 10)).toEqual([
      { userId: 'ann', at: 3, what: 'channels', before: '1', after: null },
      { userId: 'ann', at: 3, what: 'persona', before: 'a bard', after: null },
      { userId: 'bob', at: 2, what: 'channels', before: null, after: '1' },
      { userId: 'ann', at: 1, what: 'persona', before: null, after: 'a bard' },
    ])
    expect(await api.serverAudit('7', 1)).toHaveLength(1)
    expect(await api.serverSettings('8')).toMatchObject({ version: 0 })
  })

  it('that are the same afterwards are not a change, and too long a list is none either', async () => {
    const { api, change } = withServer()
    await change(persona('a bard'))
    expect(await change(persona('a bard'))).toMatchObject({ type: 'unchanged', version: 1 })
    const add = (id: number) => change({ type: 'list', setting: 'roles', add: String(id), remove: undefined })
    for (let id = 1; id <= 25; id++) expect(await add(id)).toMatchObject({ type: 'changed' })
    expect(await add(26)).toMatchObject({ type: 'full', version: 26 })
    expect(await api.serverAudit('7', 100)).toHaveLength(26)
  })

  it('are not changed when what was done cannot be noted', async () => {
    const { api, change, connection } = withServer()
    await change(persona('a bard'))
    connection.exec(`CREATE TRIGGER full BEFORE INSERT ON server_settings_audit BEGIN SELECT RAISE(ABORT, 'full'); END`)
    await expect(change(persona('a pirate'))).rejects.toMatchObject({ code: 'DATABASE_FAILED' })
    expect(await api.serverSettings('7')).toMatchObject({ version: 1, settings: { persona: 'a bard' } })
  })

  it('are the server’s: who is forgotten stays among those who changed them, and can take that along', async () => {
    const { api, change } = withServer()
    await change(persona('a bard'))
    await change(persona('a pirate'), 'bob')
    await api.forget({ userId: 'ann', serverId: null })
    expect(await api.serverSettings('7')).toMatchObject({ settings: { persona: 'a pirate' } })
    const [mine, ...others] = await api.exportSettingChanges('ann', FIRST_ROW, 10)
    expect(mine).toMatchObject({ serverId: '7', userId: 'ann', at: 1, what: 'persona', after: 'a bard' })
    expect(others).toEqual([])
    expect(await api.exportSettingChanges('ann', { serverId: '7', row: mine?.row ?? 0 }, 10)).toEqual([])
  })
})

describe('what was chosen for a conversation', () => {
  it('is its user’s own, and that of its server', async () => {
    const { api, change } = withServer()
    await api.changePreferences('ann', { model: 'large' })
    await change(persona('a bard'))
    const own = { persona: null, model: 'large' }
    const none = { persona: null, model: null }
    const server = { persona: 'a bard', model: null }
    expect(await api.choices({ userId: 'ann', serverId: '7' })).toEqual({
      own,
      server,
      toldOf: [],
      reasoning: 'hidden',
    })
    expect(await api.choices({ userId: 'ann', serverId: '0' })).toEqual({
      own,
      server: none,
      toldOf: [],
      reasoning: 'hidden',
    })
    expect(await api.choices({ userId: 'bob', serverId: '8' })).toEqual({
      own: none,
      server: none,
      toldOf: [],
      reasoning: 'hidden',
    })
  })

  it('and withdrawn is told with an answer that is stored, until its user chooses anew or is forgotten', async () => {
    const { api } = withServer()
    const key = { userId: 'ann', serverId: '0' }
    const tell = (id: string, attempt: number) => api.saveTurn(turnOf(requestOf(id, key), { attempt, toldOf: 'old' }))
    await api.acceptRequest(requestOf('1', key))
    await api.startRequest('1', 2, 1)
    expect(await tell('1', 1)).toBe('stale')
    expect(await api.choices(key)).toMatchObject({ toldOf: [], reasoning: 'hidden' })
    await tell('1', 2)
    await tell('2', 1)
    expect(await api.choices(key)).toMatchObject({ toldOf: ['old'] })
    await api.changePreferences('ann', { persona: 'a bard' })
    expect(await api.choices(key)).toMatchObject({ toldOf: ['old'] })
    await api.changePreferences('ann', { model: 'old' })
    expect(await api.choices(key)).toMatchObject({ toldOf: [], reasoning: 'hidden' })
    await tell('3', 1)
    await api.forget({ userId: 'ann', serverId: null })
    expect(await api.choices(key)).toMatchObject({ toldOf: [], reasoning: 'hidden' })
  })
})
