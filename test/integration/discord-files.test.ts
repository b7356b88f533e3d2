import { describe, expect, it } from 'vitest'
import type { ReplyFile } from '#domain/reply-file.ts'
import { type Room, startRoom, startWithUser, WAIT_MS } from '#support/discord-room.ts'
import type { ScriptedRequest } from '#support/scripted-queue.ts'

const WHOLE: ReplyFile = { name: 'answer.md', text: '# All of it\n\nwith a gr\u00fcn word' }
const THOUGHTS: ReplyFile = { name: 'thinking.md', text: 'hm' }
const MESSAGES = '/channels/:id/messages'
const ONE_MESSAGE = '/channels/:id/messages/:id'

async function start() {
  const room = await startWithUser()
  const { server, channelId } = room
  /** What the bot's messages carry, message by message. */
  const carried = async () => {
    const messages = (await server.messages(channelId)).filter(({ authorIsBot, deleted }) => authorIsBot && !deleted)
    return messages.map(({ attachments }) => attachments.map(({ filename, text }) => ({ name: filename, text })))
  }
  return { ...room, carried }
}

function complete(asked: ScriptedRequest, files: readonly ReplyFile[], ...parts: string[]) {
  const facts = { stopReason: 'end', trimmedMessages: 0, stored: true, attempt: 1 } as const
  asked.tell({ type: 'completed', answer: parts.join(' '), parts, files, ...facts })
}

async function delivered({ clock, ledger }: Pick<Room, 'clock' | 'ledger'>): Promise<void> {
  await clock.passUntil(ledger.until((store) => store.delivered.length > 0))
}

describe('a file that belongs to an answer', () => {
  it('comes with the last of its messages', async () => {
    const room = await start()
    const { asked } = await room.ask()
    complete(asked.start(), [WHOLE, THOUGHTS], 'one', 'two')
    await delivered(room)
    expect(await room.carried()).toEqual([[], [WHOLE, THOUGHTS]])
  })

  it('comes with an edit when the message was there already, once, whatever becomes of the call', async () => {
    const room = await start()
    const { asked } = await room.ask()
    asked.start().write('tw', 'one')
    await room.see('tw')
    await room.server.failNext({ method: 'PATCH', route: ONE_MESSAGE, status: 'dropAfter', count: 2 })
    complete(asked, [WHOLE], 'one', 'two')
    await delivered(room)
    expect(await room.carried()).toEqual([[], [WHOLE]])
    const edits = (await room.server.log()).filter(
      ({ method, route }) => method === 'PATCH' && route.includes('messages'),
    )
    expect(edits.length).toBeGreaterThan(1)
  })

  it('comes once when the call that posts it is lost after it arrived', async () => {
    const room = await start()
    const { asked } = await room.ask()
    await room.server.failNext({ method: 'POST', route: MESSAGES, status: 'dropAfter' })
    complete(asked.start(), [WHOLE], 'one')
    await delivered(room)
    expect(await room.carried()).toEqual([[WHOLE]])
  })

  it('is left out, and that is said, where the bot may not send files', async () => {
    const mayNot = { status: 403, code: 50_013 }
    for (const wasThere of [true, false]) {
      const room = await start()
      const { asked } = await room.ask()
      if (wasThere) {
        asked.start().write('tw')
        await room.see('tw')
        await room.server.failNext({ method: 'PATCH', route: ONE_MESSAGE, ...mayNot })
        complete(asked, [WHOLE], 'two')
      } else {
        await room.server.failNext({ method: 'POST', route: MESSAGES, ...mayNot })
        complete(asked.start(), [WHOLE], 'two')
      }
      await delivered(room)
      expect(await room.shown()).toEqual(['two\n-# Files may not be sent here; /history has all of the answer.'])
      expect(await room.carried()).toEqual([[]])
    }
  })

  it('is in the answer to a command, and in what follows it where the bot may not write', async () => {
    for (const parts of [['one'], ['one', 'two']]) {
      const room = await start()
      const { server, userId, channelId, queue } = room
      await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
      const asked = await queue.next()
      await server.refuseDm(channelId)
      const path = `/channels/${channelId}/messages`
      await server.failNext({ method: 'POST', path, status: 403, code: 50_001, count: 5 })
      complete(asked.start(), [WHOLE], ...parts)
      await delivered(room)
      expect((await room.carried()).at(-1)).toEqual([WHOLE])
    }
  })
})

describe('a file that an earlier process did not deliver', () => {
  /** A process that was killed when `calls` calls for the end had been made; the next one delivers it. */
  async function killedAfter(calls: number) {
    const room = await start()
    const { server, channelId, clock, gateway } = room
    const { asked } = await room.ask()
    asked.start().write('tw', 'one')
    const { id } = await room.see('tw')
    if (calls > 0) {
      complete(asked, [WHOLE], 'one', 'two', 'three')
      const made = server.waitFor(
        { type: 'message', channelId, contentIncludes: calls === 1 ? 'two' : 'three' },
        WAIT_MS,
      )
      await clock.passUntil(made)
    }
    const stopped = gateway.stop(0)
    await clock.advance(0)
    await stopped
    const next = await startRoom(server)
    const reply = { request: asked.stored(), statusMessageId: id, status: 'COMPLETED' } as const
    next.gateway.deliver({ ...reply, messages: ['one', 'two', 'three'], files: [WHOLE] })
    await delivered(next)
    return room
  }

  it.each([0, 1, 2])('is there once, whether or not %i of the calls for it were made', async (calls) => {
    const room = await killedAfter(calls)
    expect(await room.shown()).toEqual(['one', 'two', 'three'])
    expect(await room.carried()).toEqual([[], [], [WHOLE]])
  })
})
