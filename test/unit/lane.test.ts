import { describe, expect, it } from 'vitest'
import { isCallback, laneOf, pathOf } from '#discord/lane.ts'

const [CHANNEL, OTHER, MESSAGE, NEXT] = ['1'.repeat(18), '2'.repeat(18), '3'.repeat(18), '4'.repeat(18)]

describe('a lane', () => {
  it.each([
    [
      'edits in a channel',
      'PATCH',
      `/channels/${CHANNEL}/messages/${MESSAGE}`,
      `/channels/${CHANNEL}/messages/${NEXT}`,
    ],
    ['all calls of an interaction', 'POST', '/webhooks/1/token', '/webhooks/1/token/messages/@original'],
  ])('holds %s', (_, method, one, another) => {
    expect(laneOf(method, one)).toEqual(laneOf(method, another))
  })

  it.each([
    ['of two channels', `/channels/${CHANNEL}/messages`, `/channels/${OTHER}/messages`],
    ['on a list and on a message', `/channels/${CHANNEL}/messages`, `/channels/${CHANNEL}/messages/${MESSAGE}`],
    ['of two interactions', '/webhooks/1/token', '/webhooks/1/another'],
  ])('holds no calls %s', (_, one, another) => {
    expect(laneOf('GET', one).key).not.toBe(laneOf('GET', another).key)
  })

  it('separates methods, and knows what the limit of the bot does not count', () => {
    const path = `/channels/${CHANNEL}/messages/${MESSAGE}`
    expect(laneOf('PATCH', path).key).not.toBe(laneOf('DELETE', path).key)
    expect([laneOf('PATCH', path).isExempt, laneOf('PATCH', '/webhooks/1/token').isExempt]).toEqual([false, true])
    expect([isCallback('/interactions/1/token/callback'), isCallback(path)]).toEqual([true, false])
  })

  it('is found from the address of a call, behind a proxy too', () => {
    expect(pathOf('https://discord.com/api/v10/channels/1/messages?limit=5')).toBe('/channels/1/messages')
    expect(pathOf('http://proxy.test:81/v1/discord/api/v10/users/@me')).toBe('/users/@me')
  })
})
