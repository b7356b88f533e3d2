import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AttachedFile, fetchedFiles } from '#domain/attachments.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import type { AssistantOutcome } from '#protocol/assistant.ts'
import { AssistantWorld } from '#support/assistant-world.ts'
import { pdfOf } from '#support/pdf.ts'
import { RecordedRun } from '#support/recorded-run.ts'

const PIXEL = Buffer.from('89504e470d0a1a0a00', 'hex')

const text = (name: string, content: string): AttachedFile => ({
  kind: 'text',
  name,
  mediaType: 'text/plain',
  bytes: Buffer.from(content),
})
const pdf = (name: string, bytes: Uint8Array): AttachedFile => ({
  kind: 'pdf',
  name,
  mediaType: 'application/pdf',
  bytes,
})
const PICTURE: AttachedFile = { kind: 'image', name: 'cat.png', mediaType: 'image/png', bytes: PIXEL }

let world: AssistantWorld
/** Its model can see. */
let seeing: PiscinaPool
let blind: PiscinaPool
let offline: PiscinaPool

beforeAll(async () => {
  world = await AssistantWorld.start()
  seeing = await world.openPool({
    model: { vision: 'always' },
    thread: { attachments: { textChars: 200, timeoutMs: 60_000 } },
  })
  blind = await world.openPool()
  offline = await world.openPool({ model: { apiKey: null, baseUrl: null } })
})

afterEach(() => world.server.reset())

afterAll(() => world.close())

/** Stores a question with files and has it answered. */
async function ask(pool: PiscinaPool, files: readonly AttachedFile[], fields: Partial<ConversationRequest> = {}) {
  const given = fetchedFiles(files)
  const request = world.newRequest({ message: 'What is this?', fileNames: given.names, ...fields })
  await world.database.api.acceptRequest(request, given)
  const outcome = await new RecordedRun(pool, request).outcome
  const question = (await world.lastPrompt()).at(-1)?.content
  return { request, outcome, question }
}

/** The notes below an answer. */
function notesOf(outcome: AssistantOutcome): string[] {
  const last = outcome.type === 'answered' ? outcome.parts.at(-1) : undefined
  return (last ?? '').split('\n').filter((line) => line.startsWith('-# '))
}

describe('a question with files', () => {
  it('brings pictures to a model that can see, and the texts of files and PDFs to all', async () => {
    const files = [text('a.ts', 'const a = 1'), PICTURE, pdf('plan.pdf', pdfOf(['The plan']))]
    const { request, outcome, question } = await ask(seeing, files)
    expect(question).toBe(
      'What is this?\n[attached: a.ts, plan.pdf, cat.png]\n\na.ts:\n```\nconst a = 1\n```\n\nplan.pdf:\n```\nThe plan\n```',
    )
    expect(await world.lastImages()).toEqual([`data:image/png;base64,${PIXEL.toString('base64')}`])
    expect(notesOf(outcome)).toEqual([])
    expect(world.stored(request).messages[0]?.content).toBe('What is this?\n[attached: a.ts, cat.png, plan.pdf]')
  })

  it('is told which pictures were not looked at', async () => {
    const { outcome, question } = await ask(blind, [PICTURE])
    expect(question).toBe('What is this?\n[attached, but it cannot be read: cat.png]')
    expect(await world.lastImages()).toEqual([])
    expect(notesOf(outcome)).toEqual(['-# Not used: cat.png (this model cannot look at pictures).'])
  })

  it('says what was not used, and what not to its end', async () => {
    const files: AttachedFile[] = [
      { kind: 'unused', name: 'big.bin', reason: 'larger than 4 MiB' },
      pdf('broken.pdf', Buffer.from('%PDF-1.7')),
      text('empty.txt', ''),
      text('long.txt', 'y'.repeat(500)),
      text('late.txt', 'z'),
    ]
    const { outcome, question } = await ask(seeing, files)
    expect(question?.match(/y{2,}/)?.[0]).toHaveLength(200)
    expect(notesOf(outcome)).toEqual([
      '-# Not used: big.bin (larger than 4 MiB).',
      '-# Not used: broken.pdf (a PDF that cannot be read).',
      '-# Not used: empty.txt (empty).',
      '-# Not used: late.txt (no room left for it).',
      '-# Only the beginning was used: long.txt.',
    ])
  })

  it('has no more of a file in its prompt than the model takes', async () => {
    const pool = await world.openPool({ thread: { contextTokens: 300 } })
    const { outcome, question } = await ask(pool, [text('long.txt', 'many words '.repeat(1000))])
    expect(question?.length).toBeLessThan(3000)
    expect(question?.length).toBeGreaterThan(1000)
    expect(notesOf(outcome)).toEqual(['-# Only the beginning was used: long.txt.'])
  })

  it('fails without the model when it is nothing but files that cannot be used', async () => {
    const { outcome, request } = await ask(blind, [PICTURE, pdf('scan.pdf', pdfOf([]))], { message: '' })
    expect(outcome).toMatchObject({ type: 'failed', failure: { code: 'FILES_UNUSABLE' } })
    expect(outcome).toHaveProperty('failure.message', expect.stringContaining('scan.pdf (a PDF without text in it'))
    expect(await world.prompts()).toEqual([])
    expect(world.stored(request).status).toBe('QUEUED')
  })

  it('is remembered by the names of its files in later turns', async () => {
    const { request } = await ask(seeing, [PICTURE])
    await new RecordedRun(seeing, world.newRequest({ userId: request.userId, message: 'And now?' })).outcome
    expect((await world.lastPrompt()).at(-3)?.content).toBe('What is this?\n[attached: cat.png]')
    expect(await world.lastImages()).toEqual([])
  })

  it('is answered without them when they are not in the file, and says so', async () => {
    const request = world.newRequest({ fileNames: ['a.ts'] })
    const outcome = await new RecordedRun(blind, request).outcome
    expect(notesOf(outcome)).toEqual(['-# Not used: a.ts (could not be read from the database).'])
  })

  it('shows the offline model what came', async () => {
    const { outcome } = await ask(offline, [text('a.ts', 'const a = 1'), PICTURE], { message: 'hello' })
    expect(outcome).toHaveProperty(
      'text',
      expect.stringContaining('With it I got:\n- a.ts, with 11 characters of text'),
    )
    expect(notesOf(outcome)).toEqual(['-# Not used: cat.png (this model cannot look at pictures).'])
  })

  it('ends at once when it is cancelled while a PDF is read', async () => {
    const given = fetchedFiles([pdf('plan.pdf', pdfOf(['The plan']))])
    const request = world.newRequest({ fileNames: given.names })
    await world.database.api.acceptRequest(request, given)
    const run = new RecordedRun(blind, request)
    run.cancel()
    expect(await run.outcome).toMatchObject({ type: 'cancelled' })
    expect(await world.prompts()).toEqual([])
  })
})
