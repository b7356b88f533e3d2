import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideServerAccess } from '#domain/access.ts'
import {
  changeServerSettings,
  differences,
  MOST_LISTED,
  NO_SERVER_SETTINGS,
  SERVER_SETTINGS,
  type ServerSettings,
  type SettingChange,
} from '#domain/server-settings.ts'

const id = fc.constantFrom('1', '2', '3')
const ids = fc.uniqueArray(id)
const settings: fc.Arbitrary<ServerSettings> = fc.record({
  persona: fc.option(fc.constantFrom('bard', 'pirate')),
  model: fc.option(fc.constantFrom('small', 'large')),
  channels: ids,
  roles: ids,
})
const change: fc.Arbitrary<SettingChange> = fc.oneof(
  fc.record({
    type: fc.constant('set' as const),
    setting: fc.constantFrom('persona' as const, 'model' as const),
    value: fc.constantFrom('bard', 'small'),
  }),
  fc.record({
    type: fc.constant('list' as const),
    setting: fc.constantFrom('channels' as const, 'roles' as const),
    add: fc.option(id, { nil: undefined }),
    remove: fc.option(id, { nil: undefined }),
  }),
  fc.record({ type: fc.constant('reset' as const), settings: fc.subarray([...SERVER_SETTINGS]) }),
)

describe('a change of the settings of a server', () => {
  it('touches only what it names, and does nothing the second time', () => {
    fc.assert(
      fc.property(settings, change, (before, wanted) => {
        const after = changeServerSettings(before, wanted)
        const named: readonly string[] = wanted.type === 'reset' ? wanted.settings : [wanted.setting]
        expect(after).toBeDefined()
        if (!after) return
        for (const { what } of differences(before, after)) expect(named).toContain(what)
        expect(differences(after, changeServerSettings(after, wanted) ?? before)).toEqual([])
      }),
    )
  })

  it('tells each setting that is another one as it was and as it is', () => {
    const after: ServerSettings = { persona: 'bard', model: null, channels: ['1', '2'], roles: [] }
    expect(differences(NO_SERVER_SETTINGS, after)).toEqual([
      { what: 'persona', before: null, after: 'bard' },
      { what: 'channels', before: null, after: '1, 2' },
    ])
    expect(differences(after, NO_SERVER_SETTINGS)).toContainEqual({ what: 'persona', before: 'bard', after: null })
  })

  it('makes no list too long', () => {
    const full = { ...NO_SERVER_SETTINGS, channels: Array.from({ length: MOST_LISTED }, (_, index) => `c${index}`) }
    const add = (name: string) =>
      changeServerSettings(full, { type: 'list', setting: 'channels', add: name, remove: undefined })
    expect(add('more')).toBeUndefined()
    expect(add('c1')).toEqual(full)
  })
})

describe('what a server says about who may ask', () => {
  const asker = { userId: '1', serverId: '5', roleIds: ['7'], channelIds: ['9', '8'] }

  it('is nothing without settings, and nothing to the owners of the bot', () => {
    fc.assert(
      fc.property(settings, ids, ids, (given, roleIds, channelIds) => {
        const who = { ...asker, roleIds, channelIds }
        expect(decideServerAccess(NO_SERVER_SETTINGS, [], who)).toBe('granted')
        expect(decideServerAccess(given, ['1'], who)).toBe('granted')
      }),
    )
  })

  it('is that both the channel and a role have to be on its lists, where there are lists', () => {
    fc.assert(
      fc.property(settings, ids, ids, (given, roleIds, channelIds) => {
        const decision = decideServerAccess(given, [], { ...asker, roleIds, channelIds })
        const hasChannel = given.channels.length === 0 || channelIds.some((one) => given.channels.includes(one))
        const hasRole = given.roles.length === 0 || roleIds.some((one) => given.roles.includes(one))
        expect(decision).toBe(hasChannel ? (hasRole ? 'granted' : 'serverRole') : 'serverChannel')
      }),
    )
  })
})
