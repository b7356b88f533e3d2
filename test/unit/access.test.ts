import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AccessRules, type Asker, concernsChannels, decideAccess } from '#domain/access.ts'
import { NO_IDS, OPEN_TO_ALL } from '#support/access-rules.ts'

const id = fc.constantFrom('1', '2', '3')
const ids = fc.uniqueArray(id, { maxLength: 2 })
const lists = fc.record({ users: ids, roles: ids, servers: ids, channels: ids })
const rules: fc.Arbitrary<AccessRules> = fc.record({
  owners: ids,
  directMessages: fc.constantFrom('anyone', 'sharedServer', 'allowed'),
  allow: lists,
  deny: lists,
})
const asker: fc.Arbitrary<Asker> = fc.record({
  userId: id,
  serverId: fc.option(id),
  roleIds: ids,
  channelIds: fc.uniqueArray(id, { minLength: 1, maxLength: 2 }),
})

const inServer: Asker = { userId: '1', serverId: '5', roleIds: ['7'], channelIds: ['9'] }
const direct: Asker = { userId: '1', serverId: null, roleIds: [], channelIds: ['9'] }

describe('whoever may ask', () => {
  it('is everybody everywhere without any rule', () => {
    fc.assert(fc.property(asker, (who) => decideAccess(OPEN_TO_ALL, who) === 'granted'))
  })

  it('is an owner, whatever the rules', () => {
    fc.assert(
      fc.property(rules, asker, (given, who) => {
        expect(decideAccess({ ...given, owners: [who.userId] }, who)).toBe('granted')
      }),
    )
  })

  it('is nobody who is denied, or in a place that is, whatever is allowed', () => {
    fc.assert(
      fc.property(rules, asker, (given, who) => {
        const { deny } = given
        const place = who.serverId !== null && deny.servers.includes(who.serverId)
        const denied =
          deny.users.includes(who.userId) ||
          place ||
          who.roleIds.some((role) => deny.roles.includes(role)) ||
          who.channelIds.some((channel) => deny.channels.includes(channel))
        fc.pre(denied && !given.owners.includes(who.userId))
        expect(decideAccess(given, who)).not.toBe('granted')
        expect(decideAccess(given, who)).not.toBe('sharesServer')
      }),
    )
  })

  it('is never more people when one more is denied', () => {
    fc.assert(
      fc.property(
        rules,
        asker,
        id,
        fc.constantFrom('users', 'roles', 'servers', 'channels'),
        (given, who, more, list) => {
          const stricter = { ...given, deny: { ...given.deny, [list]: [...given.deny[list], more] } }
          if (decideAccess(given, who) !== 'granted') expect(decideAccess(stricter, who)).not.toBe('granted')
        },
      ),
    )
  })

  it('must be on a list once there is one', () => {
    fc.assert(
      fc.property(rules, asker, (given, who) => {
        const { allow, owners } = given
        fc.pre(allow.users.length + allow.roles.length > 0 && !owners.includes(who.userId))
        const listed = allow.users.includes(who.userId) || who.roleIds.some((role) => allow.roles.includes(role))
        if (!listed) expect(['person', 'place']).toContain(decideAccess(given, who))
      }),
    )
  })

  it.each<[string, Partial<AccessRules>, Asker, string]>([
    ['a denied person', { deny: { ...NO_IDS, users: ['1'] } }, inServer, 'person'],
    ['a person with a denied role', { deny: { ...NO_IDS, roles: ['7'] } }, inServer, 'person'],
    ['a denied server', { deny: { ...NO_IDS, servers: ['5'] } }, inServer, 'place'],
    ['a denied channel', { deny: { ...NO_IDS, channels: ['9'] } }, inServer, 'place'],
    ['a person on the list', { allow: { ...NO_IDS, users: ['1'] } }, inServer, 'granted'],
    ['a person with a role on the list', { allow: { ...NO_IDS, users: ['2'], roles: ['7'] } }, inServer, 'granted'],
    ['another server', { allow: { ...NO_IDS, servers: ['6'] } }, inServer, 'place'],
    ['another channel', { allow: { ...NO_IDS, servers: ['5'], channels: ['8'] } }, inServer, 'place'],
    [
      'a thread of the channel',
      { allow: { ...NO_IDS, channels: ['9'] } },
      { ...inServer, channelIds: ['10', '9'] },
      'granted',
    ],
    ['servers, when it is a direct message', { allow: { ...NO_IDS, servers: ['6'] } }, direct, 'granted'],
    ['a stranger by direct message', { directMessages: 'allowed' }, direct, 'direct'],
    [
      'a person of the list by direct message',
      { directMessages: 'allowed', allow: { ...NO_IDS, users: ['1'] } },
      direct,
      'granted',
    ],
    ['somebody else by direct message', { allow: { ...NO_IDS, users: ['2'] } }, direct, 'person'],
    ['a stranger who may share a server', { directMessages: 'sharedServer' }, direct, 'sharesServer'],
  ])('%s', (_, given, who, decision) => {
    expect(decideAccess({ ...OPEN_TO_ALL, ...given }, who)).toBe(decision)
  })

  it('depends on channels only when some are named', () => {
    expect(concernsChannels(OPEN_TO_ALL)).toBe(false)
    expect(concernsChannels({ ...OPEN_TO_ALL, deny: { ...NO_IDS, channels: ['1'] } })).toBe(true)
    expect(concernsChannels({ ...OPEN_TO_ALL, allow: { ...NO_IDS, channels: ['1'] } })).toBe(true)
  })
})
