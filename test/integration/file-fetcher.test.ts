import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type FetchLimits, FileFetcher } from '#discord/file-fetcher.ts'
import { readOfferedFiles } from '#discord/offered-file.ts'
import type { SentFile } from '#support/discord/file-store.ts'
import { newDiscord } from '#support/discord-room.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const NOT_DOWNLOADED = 'could not be downloaded'

/** A fetcher, and what a message of somebody offers it. */
async function startFetcher(limits: Partial<FetchLimits> = {}) {
  const server = await newDiscord()
  const { origin } = new URL(server.apiUrl)
  const clock = new SimulatedClock()
  const settings = { maxSizeMiB: 1, timeoutMs: 1000, hosts: [origin], seesImages: true, ...limits }
  const fetcher = new FileFetcher(settings, clock)
  onTestFinished(() => {
    fetcher.close()
    expect(clock.pending).toBe(0)
  })
  const userId = await server.addUser({ username: 'ada' })
  const channelId = await server.openDm(userId)
  const offer = async (file: Partial<SentFile>) => {
    const id = await server.sendDm(userId, '', { files: [{ filename: 'a.txt', content: 'some text', ...file }] })
    const response = await fetch(`${server.apiUrl}/v10/channels/${channelId}/messages/${id}`, {
      headers: { authorization: `Bot ${server.token}`, connection: 'close' },
    })
    const { attachments } = (await response.json()) as { readonly attachments: unknown }
    const [offered] = readOfferedFiles(attachments)
    if (!offered) throw new Error('expected a file')
    return offered
  }
  return { server, clock, fetcher, offer }
}

describe('a file that came with a message', () => {
  it('is fetched, and is what its content says', async () => {
    const { fetcher, offer } = await startFetcher()
    const png = Buffer.from('89504e470d0a1a0a00', 'hex')
    const text = await fetcher.fetch(await offer({ filename: 'a.png', contentType: 'image/png' }))
    expect(text).toMatchObject({ kind: 'text', name: 'a.png', mediaType: 'text/plain' })
    expect(Buffer.from('bytes' in text ? text.bytes : []).toString()).toBe('some text')
    const picture = await fetcher.fetch(await offer({ filename: 'b.txt', content: png, contentType: 'text/plain' }))
    expect(picture).toMatchObject({ kind: 'image', name: 'b.txt', mediaType: 'image/png' })
  })

  it('lies in memory that threads share', async () => {
    const { fetcher, offer } = await startFetcher()
    const file = await fetcher.fetch(await offer({}))
    expect('bytes' in file && file.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
  })

  it.each<[string, Partial<SentFile>, string]>([
    ['the link has ended', { fault: 'missing' }, NOT_DOWNLOADED],
    ['the connection ends in between', { content: 'x'.repeat(10_000), fault: 'cut' }, NOT_DOWNLOADED],
    ['less comes than was announced', { fault: 'wrongLength' }, NOT_DOWNLOADED],
    ['it never ends', { fault: 'endless' }, 'larger than 1 MiB'],
    ['it is too large', { content: Buffer.alloc(1024 * 1024 + 1, 'x') }, 'larger than 1 MiB'],
    ['it is nothing a model can be given', { content: Buffer.from([0, 1]) }, 'neither a picture nor a text nor a PDF'],
  ])('is not used when %s', async (_, file, reason) => {
    const { fetcher, offer } = await startFetcher()
    const fetched = await fetcher.fetch(await offer(file))
    expect(fetched).toEqual({ kind: 'unused', name: 'a.txt', reason })
  })

  it('is not even asked for when Discord says that it is too large', async () => {
    const { server, fetcher, offer } = await startFetcher()
    await fetcher.fetch(await offer({ sizeBytes: 1024 * 1024 + 1 }))
    expect(await server.downloads()).toEqual([])
  })

  it('is not used when it takes too long', async () => {
    const { clock, fetcher, offer, server } = await startFetcher()
    const fetching = fetcher.fetch(await offer({ content: 'x'.repeat(10_000), fault: 'hang' }))
    await server.untilDownloads(1)
    await clock.advance(1000)
    expect(await fetching).toMatchObject({ reason: NOT_DOWNLOADED })
  })

  it('is not used when the picture would not be looked at', async () => {
    const { fetcher, offer } = await startFetcher({ seesImages: false })
    const picture = await offer({ content: Buffer.from('89504e470d0a1a0a00', 'hex') })
    expect(await fetcher.fetch(picture)).toMatchObject({ reason: 'this model cannot look at pictures' })
  })

  it('is fetched from no other place, and a redirect leads nowhere', async () => {
    const asked: (string | undefined)[] = []
    const elsewhere = createServer((request, response) => {
      asked.push(request.url)
      response.end('secret')
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void elsewhere.close())
    const address = elsewhere.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { server, fetcher, offer } = await startFetcher()
    const { origin } = new URL(server.apiUrl)
    const urls = [`http://127.0.0.1:${port}/x`, `${origin}@127.0.0.1:${port}/x`, 'file:///etc/passwd', 'nonsense', '']
    for (const url of urls) {
      expect(await fetcher.fetch({ name: 'a', sizeBytes: 1, url })).toMatchObject({ reason: NOT_DOWNLOADED })
    }
    expect(asked).toEqual([])
    expect(await fetcher.fetch(await offer({ fault: 'redirect' }))).toMatchObject({ reason: NOT_DOWNLOADED })
    expect(await server.downloads()).toHaveLength(1)
  })

  it('is given up when Parley stops', async () => {
    const { fetcher, offer, server } = await startFetcher()
    const fetching = fetcher.fetch(await offer({ content: 'x'.repeat(10_000), fault: 'hang' }))
    await server.untilDownloads(1)
    fetcher.close()
    expect(await fetching).toMatchObject({ reason: NOT_DOWNLOADED })
    expect(await fetcher.fetch(await offer({}))).toMatchObject({ reason: NOT_DOWNLOADED })
  })
})
