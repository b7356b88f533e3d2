import { describe, expect, it } from 'vitest'
import { PRESS_REPLIES, WITHOUT_FILES } from '#discord/press-replies.ts'
import type { NewRequest } from '#protocol/queue.ts'
import { startWithButtons } from '#support/discord-buttons.ts'
import { newDiscord, newRoom, REFUSAL_INTERVAL_MS, startWithUser } from '#support/discord-room.ts'
import { activeFacts } from '#support/scripted-queue.ts'

const PNG = Buffer.from('89504e470d0a1a0a00', 'hex')
const TEXT = { filename: 'a.ts', content: 'const a = 1' }
const PICTURE = { filename: 'cat.png', content: PNG, contentType: 'image/png' }
const ARCHIVE = { filename: 'b.zip', content: Buffer.from([0x50, 0x4b, 0, 0]) }
const ACTIVE = { code: 'REQUEST_ALREADY_ACTIVE', message: 'Your last question is still being worked on.' } as const

/** The files of a request, as text and in short. */
function filesOf({ files }: NewRequest): string[] {
  const all = files?.type === 'fetched' ? files.files : []
  return all.map((file) =>
    file.kind === 'unused'
      ? `${file.name}: ${file.reason}`
      : `${file.name}: ${file.kind} of ${file.bytes.length} bytes`,
  )
}

describe('a message with files', () => {
  it('reaches the queue with what they hold', async () => {
    const { server, userId, queue } = await startWithUser()
    await server.sendDm(userId, 'what is this?', { files: [TEXT, PICTURE, ARCHIVE] })
    const { request } = await queue.next()
    expect(request.message).toBe('what is this?')
    expect(request).not.toHaveProperty('offered')
    expect(request.files?.names).toEqual(['a.ts', 'cat.png', 'b.zip'])
    expect(filesOf(request)).toEqual([
      'a.ts: text of 11 bytes',
      'cat.png: image of 9 bytes',
      'b.zip: neither a picture nor a text nor a PDF',
    ])
  })

  it('is a question without a word, in a direct message and as a mention', async () => {
    const { server, userId, queue } = await startWithUser()
    await server.sendDm(userId, '', { files: [TEXT] })
    expect(await queue.next()).toMatchObject({ request: { message: '', files: { names: ['a.ts'] } } })
    const channelId = await server.addGuildChannel(await server.addGuild('home'), 'general')
    await server.sendGuildMessage({ channelId, userId, content: '', mentionsBot: true, files: [PICTURE] })
    expect(await queue.next()).toMatchObject({ request: { message: '', files: { names: ['cat.png'] } } })
  })

  it('is refused, with the reasons, when it has no words and nothing of it can be used', async () => {
    const { server, userId, queue, see } = await startWithUser()
    await server.sendDm(userId, '', { files: [ARCHIVE, { ...TEXT, fault: 'missing' }] })
    const { content } = await see('FILES_UNUSABLE')
    expect(content).toContain('Not used: b.zip (neither a picture nor a text nor a PDF). Not used: a.ts (could not be')
    await server.sendDm(userId, 'but why?', { files: [ARCHIVE] })
    expect((await queue.next()).request.message).toBe('but why?')
  })

  it('has so many at most, those of the message it replies to after its own', async () => {
    const { server, userId, queue } = await startWithUser()
    const file = (name: string) => ({ ...TEXT, filename: name })
    const first = await server.sendDm(userId, 'look', { files: ['1', '2', '3'].map(file) })
    await queue.next()
    await server.sendDm(userId, 'and?', { replyTo: first, files: ['4', '5'].map(file) })
    const { request } = await queue.next()
    expect(request.files?.names).toEqual(['4', '5', '1', '2', '3'])
    expect(filesOf(request).at(-1)).toBe('3: more than 4 files in one message')
    expect(await server.downloads()).toHaveLength(7)
  })

  it('is fetched before it is accepted, and what its author writes meanwhile comes after it', async () => {
    const { server, userId, queue, clock } = await startWithUser()
    const bob = await server.addUser({ username: 'bob' })
    await server.sendDm(userId, 'first', { files: [{ ...TEXT, content: 'x'.repeat(9_000), fault: 'hang' }] })
    await server.untilDownloads(1)
    await server.sendDm(userId, 'second')
    await server.sendDm(bob, 'of bob')
    expect((await queue.next()).request.message).toBe('of bob')
    expect(queue.added).toHaveLength(1)
    await clock.advance(10_000)
    const [first, second] = [await queue.next(), await queue.next()]
    expect(filesOf(first.request)).toEqual(['a.ts: could not be downloaded'])
    expect([first, second].map(({ request }) => request.message)).toEqual(['first', 'second'])
  })

  it('is not fetched when its author has a question already', async () => {
    const { server, userId, queue } = await startWithUser()
    queue.actives.set(userId, activeFacts({}))
    await server.sendDm(userId, '', { files: [TEXT] })
    const { request } = await queue.next()
    expect(filesOf(request)).toEqual(['a.ts: not downloaded while another question of yours was worked on'])
    expect(await server.downloads()).toEqual([])
  })

  it('is told that Parley stops when that comes during the download', async () => {
    const { server, userId, queue, gateway, see } = await startWithUser()
    await server.sendDm(userId, '', { files: [{ ...TEXT, content: 'x'.repeat(9_000), fault: 'hang' }] })
    await server.untilDownloads(1)
    gateway.stopIntake()
    await see('Parley is shutting down')
    expect(queue.added).toEqual([])
  })

  it('is read with its files when it came while Parley was away', async () => {
    const server = await newDiscord()
    const userId = await server.addUser({ username: 'ada' })
    const channelId = await server.openDm(userId)
    const { gateway, ledger, queue, clock } = newRoom(server)
    await server.advanceClock(clock.now() - Date.now())
    ledger.channels.push({ channelId, userId, lastMessageId: await server.sendDm(userId, 'before') })
    await server.sendDm(userId, 'look at this', { files: [TEXT] })
    await server.sendDm(userId, 'and this', { files: [PICTURE] })
    await gateway.start()
    const { request } = await queue.next()
    expect(request.message).toBe('look at this\n\nand this')
    expect(filesOf(request)).toEqual(['a.ts: text of 11 bytes', 'cat.png: image of 9 bytes'])
  })
})

describe('a command with files', () => {
  it('asks about the one that was attached', async () => {
    const { server, userId, queue } = await startWithUser()
    await server.runCommand({
      userId,
      name: 'ask',
      options: { message: 'what is this?' },
      files: { attachment: PICTURE },
    })
    const { request } = await queue.next()
    expect(request.message).toBe('what is this?')
    expect(filesOf(request)).toEqual(['cat.png: image of 9 bytes'])
  })

  it('asks about those of a message, with or without words in it', async () => {
    const { server, userId, queue } = await startWithUser()
    const channelId = await server.addGuildChannel(await server.addGuild('home'), 'general')
    const bob = await server.addUser({ username: 'bob' })
    for (const content of ['look', '']) {
      const messageId = await server.sendGuildMessage({ channelId, userId: bob, content, files: [TEXT] })
      await server.runMessageCommand({ userId, messageId, name: 'Ask about this' })
      const { request } = await queue.next()
      expect(request.message).toContain(content)
      expect(request.message === '').toBe(content === '')
      expect(filesOf(request)).toEqual(['a.ts: text of 11 bytes'])
    }
  })
})

describe('a button below a question with files', () => {
  it('asks again with the same files', async () => {
    const { ask, queue, press, isStored, see } = await startWithButtons()
    const { asked } = await ask()
    asked
      .start()
      .tell({ type: 'failed', failure: { code: 'MODEL_FAILED', message: 'No.', retryable: true }, attempt: 1 })
    await see('No.')
    const request = { ...asked.stored(), message: '', fileNames: ['a.ts'] }
    isStored(asked, 'FAILED', { request })
    await press('No.', 'retry')
    const again = await queue.next()
    expect(again.request.files).toEqual({ type: 'copied', names: ['a.ts'], fromRequestId: asked.id })
  })

  it('adds the words of a second message, and says that its files were not', async () => {
    const { server, userId, queue, ask, see, press, isActive, whisper, clock } = await startWithButtons()
    const first = (await ask('why?')).asked
    first.accept(2)
    await see('2nd in line')
    isActive(first, { waiting: true })
    await server.sendDm(userId, 'and this', { files: [TEXT] })
    ;(await queue.next()).refuse(ACTIVE)
    await press('still being worked on', 'append')
    await see(WITHOUT_FILES)
    expect(queue.commands.at(-1)).toMatch(/^append .* and this$/)
    await clock.advance(REFUSAL_INTERVAL_MS)
    await server.sendDm(userId, '', { files: [TEXT] })
    ;(await queue.next()).refuse({ ...ACTIVE, message: 'Not yet.' })
    await press('Not yet.', 'append')
    await whisper(PRESS_REPLIES.onlyFiles)
  })
})
