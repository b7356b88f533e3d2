import { describe, expect, it } from 'vitest'
import { isSound, verifyDatabase } from '#database/verify.ts'
import { type AttachedFile, fetchedFiles } from '#domain/attachments.ts'
import { FIRST_ROW } from '#protocol/personal-records.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

const FILES: readonly AttachedFile[] = [
  { kind: 'text', name: 'a.ts', mediaType: 'text/plain', bytes: Buffer.from('const a = 1') },
  { kind: 'unused', name: 'b.zip', reason: 'no picture' },
  { kind: 'image', name: 'c.png', mediaType: 'image/png', bytes: sharedBytes([1, 2, 3]) },
]
const NAMES = ['a.ts', 'b.zip', 'c.png']

/** As fetched files come: in memory that two threads share, so that nothing is copied between them. */
function sharedBytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(values.length))
  bytes.set(values)
  return bytes
}

const askedWithFiles = (id: string, userId = 'ada') => requestOf(id, { userId, fileNames: NAMES })

async function contentsOf(api: ReturnType<typeof newDatabase>['api'], id: string) {
  const files = await api.filesOf(id)
  return Promise.all(files.map(async ({ position }) => (await api.fileBytes(id, position))?.toString() ?? null))
}

describe('the files of a request', () => {
  it('are stored with it, in order, whatever their memory', async () => {
    const { api } = newDatabase()
    expect(await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))).toBe('stored')
    expect(await api.filesOf('1')).toEqual([
      { position: 0, name: 'a.ts', kind: 'text', mediaType: 'text/plain', reason: null, sizeBytes: 11 },
      { position: 1, name: 'b.zip', kind: 'unused', mediaType: null, reason: 'no picture', sizeBytes: null },
      { position: 2, name: 'c.png', kind: 'image', mediaType: 'image/png', reason: null, sizeBytes: 3 },
    ])
    expect(await contentsOf(api, '1')).toEqual(['const a = 1', null, '\x01\x02\x03'])
    expect(await api.fileBytes('1', 7)).toBeUndefined()
    expect(await api.filesOf('2')).toEqual([])
  })

  it('are stored with it or not at all', async () => {
    const { api, rows, connection } = newDatabase()
    connection.exec(`CREATE TRIGGER no_pictures BEFORE INSERT ON attachments WHEN new.kind = 'image'
      BEGIN SELECT raise(ABORT, 'no'); END`)
    await expect(api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))).rejects.toMatchObject({
      code: 'DATABASE_FAILED',
    })
    expect(rows()).toEqual([])
    expect(await api.filesOf('1')).toEqual([])
  })

  it('are stored once, however often their message comes', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))
    expect(await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))).toBe('stored')
    const again = { ...askedWithFiles('2'), discordMessageId: 'message of 1' }
    expect(await api.acceptRequest(again, fetchedFiles(FILES))).toBe('duplicate')
    expect(await api.filesOf('1')).toHaveLength(3)
    expect(await api.filesOf('2')).toEqual([])
  })

  it('can be those of an earlier request', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))
    await api.settleRequest(settlementOf('1', 0))
    await api.acceptRequest(askedWithFiles('2'), { type: 'copied', names: NAMES, fromRequestId: '1' })
    expect(await api.filesOf('2')).toEqual(await api.filesOf('1'))
    expect(await contentsOf(api, '2')).toEqual(await contentsOf(api, '1'))
  })

  it('are named by a request that goes on in another process, and by its history', async () => {
    const { api } = newDatabase()
    const request = askedWithFiles('1')
    await api.acceptRequest(request, fetchedFiles(FILES))
    await api.acceptRequest(requestOf('2'))
    const { waiting } = await api.recover('discord')
    expect(waiting.map((left) => left.request)).toEqual([request, requestOf('2')])
    expect((await api.findRequest('1'))?.request).toEqual(request)
    await api.saveTurn(turnOf(request))
    const remembered = { role: 'user', content: 'question 1\n[attached: a.ts, b.zip, c.png]' }
    expect(await api.history(request, 10)).toMatchObject([remembered, { content: 'answer 1' }])
    expect((await api.historyPage(request, { type: 'newest' }, 10)).messages[0]).toMatchObject(remembered)
  })

  it('go when their user has them forgotten, and not before their request has ended', async () => {
    const { api, path } = newDatabase()
    await api.acceptRequest(askedWithFiles('answered'), fetchedFiles(FILES))
    await api.saveTurn(turnOf(askedWithFiles('answered')))
    await api.acceptRequest(askedWithFiles('waiting'), fetchedFiles(FILES))
    await api.acceptRequest(askedWithFiles('of bob', 'bob'), fetchedFiles(FILES))
    await api.forget({ userId: 'ada', serverId: '7' })
    expect(await api.filesOf('answered')).toHaveLength(3)
    await api.forget({ userId: 'ada', serverId: '0' })
    expect(await api.filesOf('answered')).toEqual([])
    expect((await api.findRequest('answered'))?.request.fileNames).toBeUndefined()
    expect(await api.filesOf('waiting')).toHaveLength(3)
    expect(await api.filesOf('of bob')).toHaveLength(3)
    expect(isSound(verifyDatabase(path))).toBe(true)
  })

  it('go with their request when that has become too old', async () => {
    const { api, connection } = newDatabase()
    await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))
    await api.saveTurn(turnOf(askedWithFiles('1'), { answeredAt: 5 }))
    expect(await api.prune(10, 10)).toMatchObject({ requests: 1 })
    expect(await api.filesOf('1')).toEqual([])
    expect(connection.pragma('foreign_key_check')).toEqual([])
  })

  it('are named with their sizes in what their user takes along', async () => {
    const { api } = newDatabase()
    await api.acceptRequest(askedWithFiles('1'), fetchedFiles(FILES))
    await api.settleRequest(settlementOf('1', 0))
    await api.acceptRequest(requestOf('2', { userId: 'ada' }))
    const [first, second] = await api.exportRequests('ada', FIRST_ROW, 10)
    expect(first?.files).toEqual([
      { name: 'a.ts', kind: 'text', mediaType: 'text/plain', sizeBytes: 11 },
      { name: 'b.zip', kind: 'unused', mediaType: null, sizeBytes: null },
      { name: 'c.png', kind: 'image', mediaType: 'image/png', sizeBytes: 3 },
    ])
    expect(second).not.toHaveProperty('files')
  })
})
