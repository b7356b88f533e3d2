import { describe, expect, it } from 'vitest'
import { customId, readCustomId } from '#discord/commands/command.ts'
import { conversationServer } from '#discord/commands/conversation-place.ts'
import { readTarget } from '#discord/commands/target-message.ts'

describe('the conversation of a place', () => {
  it.each([
    ['a server', { guildId: '7', channelId: '8', context: 0 }, '7'],
    ['the direct messages with the bot', { guildId: null, channelId: '8', context: 1 }, '0'],
    ['a group, where others read along', { guildId: null, channelId: '8', context: 2 }, '8'],
    ['an old client that does not say where', { guildId: null, channelId: '8', context: null }, '0'],
  ])('is one of its own: %s', (_, place, serverId) => {
    expect(conversationServer(place)).toBe(serverId)
  })
})

describe('the message a command is used on', () => {
  it('is read as discord.js hands it on, and as Discord sends it', () => {
    const author = { username: 'ada', displayName: 'Ada' }
    expect(readTarget({ content: 'why?', author })).toEqual({ author: 'Ada', text: 'why?' })
    const raw = { username: 'ada', global_name: 'Countess' }
    expect(readTarget({ content: 'why?', author: raw })).toEqual({ author: 'Countess', text: 'why?' })
    const nameless = { username: 'ada', global_name: null }
    expect(readTarget({ content: 'why?', author: nameless })).toEqual({ author: 'ada', text: 'why?' })
    expect(readTarget(undefined)).toBeUndefined()
  })
})

describe('what a button stands for', () => {
  it('is found again in its custom id', () => {
    expect(readCustomId(customId('history', 'before', '12'))).toEqual({ command: 'history', words: ['before', '12'] })
    expect(readCustomId('other')).toEqual({ command: 'other', words: [] })
  })
})
