import { describe, expect, it } from 'vitest'
import { fetchedFiles } from '#domain/attachments.ts'
import { openTestDatabase, QueueUnderTest } from '#support/queue-under-test.ts'

const FILES = fetchedFiles([
  { kind: 'text', name: 'a.ts', mediaType: 'text/plain', bytes: Buffer.from('const a = 1') },
  { kind: 'unused', name: 'b.zip', reason: 'no picture' },
])

describe('a message with files', () => {
  it('becomes a request that names them; what they hold is in the file alone', async () => {
    const { api } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    const { id } = await test.ask('ann', { files: FILES })
    const { request } = test.pool.of('ann')
    expect(request.fileNames).toEqual(['a.ts', 'b.zip'])
    expect(request).not.toHaveProperty('files')
    expect(await api.filesOf(id)).toMatchObject([{ name: 'a.ts', sizeBytes: 11 }, { name: 'b.zip' }])
  })

  it('is a question without a word in it; without files it is none', async () => {
    const test = new QueueUnderTest()
    expect(await test.send('ann', { message: '', files: FILES }).result).toMatchObject({ accepted: true })
    const empty = { message: '', files: fetchedFiles([]) }
    expect(await test.send('bob', empty).result).toMatchObject({ refusal: { code: 'REQUEST_INVALID' } })
    await test.settled()
  })

  it('is stored with them when that works again', async () => {
    const { api } = openTestDatabase()
    const test = new QueueUnderTest({ store: api })
    test.store.mode = 'refusing'
    const { id } = await test.ask('ann', { files: FILES })
    expect(await api.filesOf(id)).toEqual([])
    test.store.mode = 'working'
    await test.clock.advance(1000)
    await test.settled()
    expect(await api.filesOf(id)).toHaveLength(2)
    expect(test.queue.stats().storage.available).toBe(true)
  })

  it('keeps no more of them in memory than what may wait there', async () => {
    const test = new QueueUnderTest({ slots: 4 })
    test.store.mode = 'refusing'
    const large = {
      kind: 'text',
      name: 'log',
      mediaType: 'text/plain',
      bytes: new Uint8Array(40 * 1024 * 1024),
    } as const
    await test.ask('ann', { files: fetchedFiles([large]) })
    expect(test.queue.stats().storage.droppedWrites).toBe(0)
    await test.ask('bob', { files: fetchedFiles([large]) })
    expect(test.queue.stats().storage.droppedWrites).toBe(1)
  })
})
