import { describe, expect, it } from 'vitest'
import { StoreBacklog } from '#queue/store-backlog.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { RecordingLog } from '#support/recording-log.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const MiB = 1024 * 1024

/** A backlog over a database that works or not, as the test says, and what was written to it. */
function newBacklog(maxBytes = 64 * MiB) {
  const clock = new SimulatedClock()
  const log = new RecordingLog()
  const disk = { works: false, probes: 0 }
  const written: string[] = []
  const use = async () => {
    if (!disk.works) throw new Error('the disk is full')
  }
  const probe = async () => {
    disk.probes += 1
    await use()
  }
  const backlog = new StoreBacklog({ probe, clock, log, maxBytes })
  const keep = (requestId: string, what: string, bytes = 0, options = {}) =>
    backlog.keep(requestId, () => use().then(() => written.push(what)), bytes, options)
  const recover = async () => {
    disk.works = true
    await clock.advance(30_000)
  }
  return { backlog, clock, log, disk, written, keep, recover }
}

describe('writes that could not be made', () => {
  it('are made in the order they came, those of one request together', async () => {
    const { backlog, written, keep, recover } = newBacklog()
    backlog.failed('no')
    keep('a', 'a is taken in')
    keep('b', 'b is taken in')
    keep('a', 'a ends')
    expect(backlog.state).toMatchObject({ available: false, pendingWrites: 3 })
    await recover()
    expect(written).toEqual(['a is taken in', 'a ends', 'b is taken in'])
    expect(backlog.state).toEqual({ available: true, unavailableSince: null, pendingWrites: 0, droppedWrites: 0 })
  })

  it('take the place of earlier ones of their request when they bring all along', async () => {
    const { backlog, written, keep, recover } = newBacklog()
    backlog.failed('no')
    keep('a', 'a is taken in')
    keep('a', 'a is answered', 0, { replacing: true })
    keep('b', 'b is taken in')
    backlog.forget('b')
    await recover()
    expect(written).toEqual(['a is answered'])
  })

  it.each([...Array(12).keys()])('are made also when they come %i steps after the last one', async (steps) => {
    const { backlog, clock, disk, written, keep } = newBacklog()
    disk.works = true
    const last = Promise.withResolvers<void>()
    backlog.keep('a', () => last.promise, 0)
    await clock.advance(1_000)
    last.resolve()
    for (let step = 0; step < steps; step += 1) await Promise.resolve()
    keep('b', 'b')
    await clock.advance(30_000)
    expect(written).toEqual(['b'])
    expect(backlog.state).toMatchObject({ available: true, pendingWrites: 0 })
  })

  it('wait on when the disk fails again in the middle', async () => {
    const { backlog, disk, written, keep, recover } = newBacklog()
    backlog.failed('no')
    for (const id of ['a', 'b', 'c']) keep(id, id)
    const full = async () => {
      disk.works = false
    }
    backlog.keep('d', full, 0)
    keep('e', 'e')
    await recover()
    expect(written).toEqual(['a', 'b', 'c'])
    expect(backlog.state).toMatchObject({ available: false, pendingWrites: 1, droppedWrites: 0 })
    await recover()
    expect(written).toEqual(['a', 'b', 'c', 'e'])
    expect(backlog.available).toBe(true)
  })

  it('are given up one by one, counted and logged, when only they fail', async () => {
    const { backlog, log, written, keep, recover } = newBacklog()
    backlog.failed('no')
    keep('a', 'a')
    backlog.keep('b', () => Promise.reject(new Error('no such table')), 0)
    keep('b', 'b goes on')
    keep('c', 'c')
    await recover()
    expect(written).toEqual(['a', 'b goes on', 'c'])
    expect(backlog.state).toEqual({ available: true, unavailableSince: null, pendingWrites: 0, droppedWrites: 1 })
    expect(log.lines).toContainEqual({
      level: 'error',
      fields: { requestId: 'b', error: 'no such table' },
      message: 'a write is not taken; it was given up',
    })
  })

  it('include those that come while the others are being made', async () => {
    const { backlog, written, keep, recover } = newBacklog()
    backlog.failed('no')
    backlog.keep('a', async () => keep('a', 'a ends'), 0)
    backlog.keep('b', async () => keep('c', 'c is taken in'), 0)
    await recover()
    expect(written).toEqual(['a ends', 'c is taken in'])
    expect(backlog.state.pendingWrites).toBe(0)
  })

  it('are not lost when they are replaced while they are being made', async () => {
    const { backlog, written, keep, recover } = newBacklog()
    backlog.failed('no')
    backlog.keep('a', async () => keep('a', 'a is answered', 0, { replacing: true }), 0)
    await recover()
    expect(written).toEqual(['a is answered'])
  })

  it('that are kept although nothing was known to be wrong are made soon', async () => {
    const { backlog, clock, disk, written, keep } = newBacklog()
    disk.works = true
    keep('a', 'a')
    await clock.advance(1000)
    expect(written).toEqual(['a'])
    expect(backlog.state).toMatchObject({ available: true, pendingWrites: 0 })
    expect(clock.pending).toBe(0)
  })

  it('are bounded in bytes: the oldest requests are given up, whole', async () => {
    const { backlog, log, written, keep, recover } = newBacklog(MiB)
    backlog.failed('no')
    keep('a', 'a is taken in', MiB / 8)
    keep('b', 'b', MiB / 2)
    keep('a', 'a ends', MiB / 8)
    keep('c', 'c', 0.4 * MiB)
    expect(backlog.state).toMatchObject({ pendingWrites: 2, droppedWrites: 2 })
    keep('d', 'd', 0.4 * MiB)
    expect(log.lines.filter(({ message }) => message.includes('oldest'))).toMatchObject([
      { fields: { requestId: 'a' } },
      { fields: { requestId: 'b' } },
    ])
    await recover()
    expect(written).toEqual(['c', 'd'])
  })

  it('leave their room to others once they are made, replaced or forgotten', async () => {
    const { backlog, keep, recover } = newBacklog(MiB)
    for (let round = 0; round < 5; round++) {
      backlog.failed('no')
      keep('made', 'made', 0.3 * MiB)
      keep('replaced', 'first', 0.3 * MiB)
      keep('replaced', 'second', 0.3 * MiB, { replacing: true })
      keep('forgotten', 'forgotten', 0.3 * MiB)
      backlog.forget('forgotten')
      await recover()
    }
    expect(backlog.state).toMatchObject({ pendingWrites: 0, droppedWrites: 0 })
  })

  it('take room even when they hold no text', () => {
    const { backlog, keep } = newBacklog(10 * 512)
    backlog.failed('no')
    for (let index = 0; index < 25; index++) keep(`${index}`, 'a settlement')
    expect(backlog.state).toMatchObject({ pendingWrites: 10, droppedWrites: 15 })
  })
})

describe('a backlog that stops', () => {
  it('tries once more what waits, and probes no more', async () => {
    const { backlog, clock, disk, written, keep } = newBacklog()
    backlog.failed('no')
    keep('a', 'a')
    disk.works = true
    await backlog.stop()
    expect([written, clock.pending]).toEqual([['a'], 0])
  })

  it('ends although nothing can be written', async () => {
    const { backlog, clock, disk, log, keep } = newBacklog()
    backlog.failed('no')
    keep('a', 'a')
    await backlog.stop()
    expect([disk.probes, clock.pending]).toEqual([1, 0])
    expect(log.lines.at(-1)).toMatchObject({ fields: { pendingWrites: 1 } })
  })

  it('asks nothing of a database that works', async () => {
    const { backlog, disk } = newBacklog()
    await backlog.stop()
    await turnOfTheEventLoop()
    expect(disk.probes).toBe(0)
  })
})
