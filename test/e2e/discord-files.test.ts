import { describe, expect, it, onTestFinished } from 'vitest'
import { type DiscordServerHandle, startDiscordServer } from '#support/discord/start-discord-server.ts'
import { type OpenAiServerHandle, startOpenAiServer } from '#support/openai/start-openai-server.ts'
import { ANSWERED } from '#support/parley-on-discord.ts'
import { type ParleyProcess, startParley } from '#support/parley-process.ts'
import { pdfOf } from '#support/pdf.ts'

/** How long a state of Discord is waited for before the test says what was there instead. */
const PATIENCE_MS = 25_000

const PIXEL = Buffer.from('89504e470d0a1a0a00', 'hex')

interface Place {
  readonly discord: DiscordServerHandle
  readonly model: OpenAiServerHandle
}

async function startServers(): Promise<Place> {
  const [discord, model] = await Promise.all([
    startDiscordServer({ limits: 'off' }),
    startOpenAiServer({ apiKey: null }),
  ])
  onTestFinished(async () => {
    await Promise.all([discord.close(), model.close()])
  })
  return { discord, model }
}

/** A process that has connected, with a model that can see. */
async function connected({ discord, model }: Place, folder?: string): Promise<ParleyProcess> {
  const parley = startParley({
    ...(folder !== undefined && { folder }),
    env: {
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.apiUrl,
      OPENAI_BASE_URL: model.baseUrl,
      OPENAI_MODEL: 'test-model',
      PARLEY_MODEL_VISION: 'always',
      PARLEY_FILE_HOSTS: new URL(discord.apiUrl).origin,
    },
  })
  await parley.logged('connected to Discord')
  return parley
}

describe('a question with files', () => {
  it('is answered from them, also by a process that comes after the one that fetched them was killed', async () => {
    const place = await startServers()
    const { discord, model } = place
    const userId = await discord.addUser({ username: 'ada' })
    const channelId = await discord.openDm(userId)
    await model.script({ type: 'held' })
    const first = await connected(place)
    await discord.sendDm(userId, 'what is this?', {
      files: [
        { filename: 'plan.pdf', content: pdfOf(['The plan']) },
        { filename: 'cat.png', content: PIXEL },
        { filename: 'b.zip', content: Buffer.from([0x50, 0x4b, 0, 0]) },
      ],
    })
    await model.waitForRequests(1)
    await first.kill()
    expect(await discord.downloads()).toHaveLength(3)

    const second = await connected(place, first.folder)
    const seen = {
      type: 'message',
      channelId,
      authorIsBot: true,
      contentIncludes: 'echo: what is this?',
      control: ANSWERED,
    } as const
    const { content } = await discord.waitFor(seen, PATIENCE_MS)
    second.signal('SIGTERM')
    expect(await second.exited).toEqual({ code: 0, signal: null })

    // What Discord's links are worth by then does not matter.
    expect(await discord.downloads()).toHaveLength(3)
    const [before, after] = (await model.requests()).map(({ body }) => body.messages?.at(-1)?.content)
    expect(after).toEqual(before)
    expect(after).toEqual([
      { type: 'text', text: expect.stringContaining('plan.pdf:\n```\nThe plan\n```') },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL.toString('base64')}` } },
    ])
    expect(content).toContain('-# Not used: b.zip (neither a picture nor a text nor a PDF).')
  })
})
