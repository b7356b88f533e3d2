import { describe, expect, it } from 'vitest'
import { annAndBob } from '#support/ann-and-bob.ts'
import { soFar } from '#support/queue-under-test.ts'

const REPLACE = { type: 'replace', text: 'a better question' } as const
const APPEND = { type: 'append', text: 'and more' } as const

async function start() {
  const world = await annAndBob()
  const { api } = world
  const inFile = async () => (await api.findRequest(world.bob.id))?.request.message
  return { ...world, inFile }
}

describe('another text for a request that waits', () => {
  it('takes the place of the first or follows it, in the file and in what runs', async () => {
    const { test, bob, run, inFile } = await start()
    expect(await test.queue.amend(bob.id, REPLACE, '901')).toBe('amended')
    expect(await test.queue.amend(bob.id, APPEND, '902')).toBe('amended')
    expect(await inFile()).toBe('a better question\n\nand more')
    run.answer()
    await test.settled()
    expect(test.pool.of('bob').request).toMatchObject({ message: 'a better question\n\nand more' })
  })

  it('keeps the place in line', async () => {
    const { test, bob } = await start()
    await test.ask('cem')
    await test.queue.amend(bob.id, REPLACE, '901')
    expect([test.queue.position('bob'), test.queue.position('cem')]).toEqual([1, 2])
  })

  it('is taken once of each Discord message, which then makes no request of its own', async () => {
    const { test, bob, inFile } = await start()
    await test.queue.amend(bob.id, APPEND, '901')
    expect(await test.queue.amend(bob.id, APPEND, '901')).toBe('duplicate')
    expect(await inFile()).toBe('question of bob\n\nand more')
    const { result } = test.send('cem', { discordMessageId: '901' })
    expect(await result).toMatchObject({ accepted: false, refusal: { code: 'REQUEST_DUPLICATE' } })
    await test.ask('cem', { discordMessageId: '902' })
    expect(await test.queue.amend(bob.id, APPEND, '902')).toBe('duplicate')
  })

  it('is not taken by one that runs, has ended or never was', async () => {
    const { test, ann, bob, run } = await start()
    expect(await test.queue.amend(ann.id, REPLACE, '901')).toBe('notWaiting')
    run.answer()
    await test.settled()
    expect(await test.queue.amend(bob.id, REPLACE, '901')).toBe('notWaiting')
    expect(await test.queue.amend('r99', REPLACE, '901')).toBe('notWaiting')
  })

  it('is not taken when it would be too long', async () => {
    const { test, bob, inFile } = await start()
    expect(await test.queue.amend(bob.id, { type: 'append', text: 'x'.repeat(3_990) }, '901')).toBe('tooLong')
    expect(await inFile()).toBe('question of bob')
  })

  it('does not let the request begin while it is being stored', async () => {
    const { test, bob, run } = await start()
    test.store.hold()
    const amended = test.queue.amend(bob.id, REPLACE, '901')
    expect(await soFar(test, amended)).toBe('still open')
    run.answer()
    await test.settled()
    expect(test.pool.live).toEqual([])
    test.store.release()
    expect(await amended).toBe('amended')
    await test.settled()
    expect(test.pool.of('bob').request.message).toBe('a better question')
  })

  it('changes nothing when it cannot be stored', async () => {
    const { test, bob, run } = await start()
    test.store.mode = 'refusing'
    expect(await test.queue.amend(bob.id, REPLACE, '901')).toBe('notStored')
    run.answer()
    await test.settled()
    expect(test.pool.of('bob').request.message).toBe('question of bob')
  })

  it('is stored before a cancel or a stop that come meanwhile', async () => {
    for (const [end, event, status] of [
      ['cancel', 'cancelled', 'CANCELLED'],
      ['stop', 'suspended', 'QUEUED'],
    ] as const) {
      const { test, bob, run, row, inFile } = await start()
      test.store.hold()
      const amended = test.queue.amend(bob.id, REPLACE, '901')
      await test.settled()
      const ended = end === 'cancel' ? test.queue.cancel(bob.id) : test.queue.stop(0)
      await test.settled()
      test.store.release()
      run.stop()
      await ended
      expect(await amended).toBe('amended')
      await test.settled()
      expect(bob.heard.at(-1)).toMatchObject({ type: event })
      expect([await inFile(), row(bob.id)]).toMatchObject(['a better question', { status }])
    }
  })
})
