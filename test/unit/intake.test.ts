import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IncomingMessage, joinRequests, readMessage } from '#discord/intake.ts'
import { readMessageEvent } from '#discord/message-event.ts'
import { readReadyEvent } from '#discord/ready-event.ts'

const BOT = '900'

function incoming(fields: Partial<IncomingMessage> = {}): IncomingMessage {
  return {
    id: '1',
    channelId: '2',
    guildId: null,
    content: 'why?',
    authorId: '3',
    authorIsBot: false,
    roleIds: [],
    isSystem: false,
    mentionsBot: false,
    ...fields,
  }
}

describe('what becomes a request', () => {
  it('is any direct message, in the conversation of its author', () => {
    expect(readMessage(incoming(), BOT)).toEqual({
      userId: '3',
      serverId: '0',
      channelId: '2',
      message: 'why?',
      discordMessageId: '1',
      interactionToken: null,
    })
  })

  it('is a mention in a server, in the conversation with that server', () => {
    const request = readMessage(incoming({ guildId: '4', mentionsBot: true, content: `<@${BOT}> why?` }), BOT)
    expect(request).toMatchObject({ serverId: '4', userId: '3', message: 'why?' })
  })

  it.each([
    ['a server message without a mention', { guildId: '4' }],
    ['a message of another bot', { authorIsBot: true }],
    ['a mention by another bot', { authorIsBot: true, guildId: '4', mentionsBot: true }],
    ['a message of the bot itself', { authorId: BOT }],
    ['a system message', { isSystem: true }],
  ])('is not %s', (_, fields) => {
    expect(readMessage(incoming(fields), BOT)).toBeUndefined()
  })

  it.each([
    [`<@${BOT}> why?`, 'why?'],
    [`<@!${BOT}> why?`, 'why?'],
    [`why, <@${BOT}>?`, 'why, ?'],
    [`<@${BOT}>`, ''],
    [`<@${BOT}><@${BOT}>  `, ''],
    ['<@9001> and <@90> why?', '<@9001> and <@90> why?'],
    ['  why?\n', 'why?'],
  ])('%j without the mention is %j', (content, message) => {
    expect(readMessage(incoming({ content }), BOT)?.message).toBe(message)
  })

  it('keeps everything between the mentions', () => {
    const words = fc.stringMatching(/^[a-z<>@!]{1,20}$/).filter((word) => !word.includes(BOT))
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), (texts) => {
        const content = texts.join(` <@${BOT}> `)
        expect(readMessage(incoming({ content }), BOT)?.message).toBe(texts.join('  '))
      }),
    )
  })
})

describe('what somebody wrote while nobody listened', () => {
  const requests = (...contents: string[]) =>
    contents.flatMap((content, index) => readMessage(incoming({ id: String(index + 1), content }), BOT) ?? [])

  it('is one request, as if it had been written in the newest message', () => {
    const [, , newest] = requests('why?', 'and how?', 'please')
    expect(joinRequests(requests('why?', 'and how?', 'please'), 4_000)).toEqual({
      ...newest,
      message: 'why?\n\nand how?\n\nplease',
      isJoined: true,
    })
  })

  it('has no gaps where there was no text', () => {
    expect(joinRequests(requests('', 'why?', ''), 4_000)).toMatchObject({ message: 'why?', discordMessageId: '3' })
    expect(joinRequests(requests(''), 4_000)).toMatchObject({ message: '' })
  })

  it('begins with what was written first, which can be the name of a server, whatever that replies to', () => {
    const [first, second] = requests('[Lab] why?', 'please')
    const quoted = { author: 'bob', text: 'it is so' }
    const joined = first && second && joinRequests([{ ...first, quoted }, second], 4_000)
    expect(joined).toMatchObject({ message: '[Lab] why?\n\nplease', quoted })
  })

  it('is no request when there was nothing', () => {
    expect(joinRequests([], 4_000)).toBeUndefined()
  })
})

describe('reading READY', () => {
  it('takes who the bot is', () => {
    const ready = { v: 10, user: { id: BOT, username: 'parley' }, application: { id: '901', flags: 0 } }
    expect(readReadyEvent(ready)).toEqual({ botId: BOT, applicationId: '901' })
  })

  it.each([[undefined], [null], [{}], [{ user: null }], [{ user: { id: BOT } }]])(
    'takes %j for something else',
    (payload) => {
      expect(readReadyEvent(payload)).toBeUndefined()
    },
  )
})

describe('reading MESSAGE_CREATE', () => {
  const event = {
    id: '1',
    channel_id: '2',
    type: 0,
    content: 'why?',
    author: { id: '3', username: 'ada' },
    mentions: [{ id: '5' }],
    tts: false,
  }

  it('takes what intake looks at', () => {
    expect(readMessageEvent(event, BOT)).toEqual(incoming())
  })

  it.each([
    ['a reply is what a person writes', { type: 19 }, { isSystem: false }],
    ['a join is not', { type: 7 }, { isSystem: true }],
    ['a server', { guild_id: '4' }, { guildId: '4' }],
    ['a bot', { author: { id: '3', bot: true } }, { authorIsBot: true }],
    ['a webhook, which is no person either', { webhook_id: '6' }, { authorIsBot: true }],
    ['a mention of the bot', { mentions: [{ id: '5' }, { id: BOT }] }, { mentionsBot: true }],
  ])('sees %s', (_, fields, seen) => {
    expect(readMessageEvent({ ...event, ...fields }, BOT)).toEqual(incoming(seen))
  })

  it.each([[undefined], [null], [{}], [{ ...event, author: null }], [{ ...event, content: 5 }]])(
    'takes %j for no message',
    (payload) => {
      expect(readMessageEvent(payload, BOT)).toBeUndefined()
    },
  )
})
