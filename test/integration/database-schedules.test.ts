import { describe, expect, it } from 'vitest'
import { verifyDatabase } from '#database/verify.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf } from '#support/stored-requests.ts'
import { DUE_AT, scheduleOf } from '#support/stored-schedules.ts'

const DAY_MS = 86_400_000
const LIMIT = 20

/** Time passes until a schedule is due, while Parley runs. */
const due = (newIds: readonly string[], now = DUE_AT) => ({ now, runningSince: DUE_AT - 1000, newIds })

function broken(path: string) {
  return verifyDatabase(path).checks.filter(({ violations }) => violations > 0)
}

describe('schedules', () => {
  it('are listed for their user, those that are due first in front, and deleted by nobody else', async () => {
    const { api } = newDatabase()
    const [late, early] = [scheduleOf('late', { nextAt: DUE_AT + 1 }), scheduleOf('early')]
    for (const schedule of [late, early, scheduleOf('of bob', { userId: 'bob' })])
      await api.addSchedule(schedule, LIMIT)
    expect(await api.schedulesOf('ada')).toEqual([early, late])
    expect(await api.deleteSchedule('bob', 'late')).toBe(false)
    expect(await api.deleteSchedule('ada', 'late')).toBe(true)
    expect(await api.deleteSchedule('ada', 'late')).toBe(false)
    expect(await api.schedulesOf('ada')).toEqual([early])
  })

  it('are as many as one person may have, and one that is stored is stored once', async () => {
    const { api } = newDatabase()
    expect(await api.addSchedule(scheduleOf('a'), 2)).toBe('stored')
    expect(await api.addSchedule(scheduleOf('b'), 2)).toBe('stored')
    expect(await api.addSchedule(scheduleOf('b'), 2)).toBe('stored')
    expect(await api.addSchedule(scheduleOf('c'), 2)).toBe('full')
    expect(await api.addSchedule(scheduleOf('of bob', { userId: 'bob' }), 2)).toBe('stored')
    expect((await api.schedulesOf('ada')).map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('are changed bit by bit, by their user only', async () => {
    const { api } = newDatabase()
    await api.addSchedule(scheduleOf('a'), LIMIT)
    expect(await api.changeSchedule('bob', 'a', { message: 'other' })).toBeUndefined()
    const changed = { message: 'else?', recurrence: 'daily', ifMissed: 'skip', nextAt: DUE_AT + 5 } as const
    expect(await api.changeSchedule('ada', 'a', changed)).toEqual({ ...scheduleOf('a'), ...changed })
    expect(await api.schedulesOf('ada')).toEqual([{ ...scheduleOf('a'), ...changed }])
  })
})

describe('a schedule that is to come again in another way', () => {
  it('goes on from its next time as the file has it, and at the time of day it has', async () => {
    const { api } = newDatabase()
    await api.addSchedule(scheduleOf('a', { recurrence: 'daily' }), LIMIT)
    await api.promoteDue(due(['r']))
    const friday = DUE_AT + DAY_MS
    expect(await api.changeSchedule('ada', 'a', { recurrence: 'weekly' })).toMatchObject({ nextAt: friday, weekday: 5 })
    expect((await api.promoteDue(due(['s'], DUE_AT + 1))).fired).toEqual([])
    expect(await api.schedulesOf('ada')).toMatchObject([{ recurrence: 'weekly', nextAt: friday, hour: 9, minute: 0 }])
  })
})

describe('a schedule that is due', () => {
  it('becomes a request that waits for the queue, once, and has ended when it was for once', async () => {
    const { api, stored, path } = newDatabase()
    await api.addSchedule(scheduleOf('a', { directServerName: 'Chess', serverId: '7' }), LIMIT)
    expect(await api.promoteDue(due(['early'], DUE_AT - 1))).toEqual({ fired: [], nextAt: DUE_AT })
    const { fired, nextAt } = await api.promoteDue(due(['r', 's'], DUE_AT + 3))
    expect(nextAt).toBeNull()
    expect(fired).toEqual([
      requestOf('r', {
        userId: 'ada',
        serverId: '7',
        directServerName: 'Chess',
        message: 'question a',
        timestamp: DUE_AT + 3,
        notBefore: DUE_AT,
        discordMessageId: null,
      }),
    ])
    expect(stored('r')).toMatchObject({ status: 'SCHEDULED', admission: null })
    expect(await api.promoteDue(due(['t']))).toEqual({ fired: [], nextAt: null })
    expect(await api.schedulesOf('ada')).toEqual([])
    expect(await api.scheduledRequests()).toEqual(fired)
    expect(broken(path)).toEqual([])
  })

  it('is planned for its next time when it is recurring', async () => {
    const { api } = newDatabase()
    await api.addSchedule(scheduleOf('a', { recurrence: 'daily' }), LIMIT)
    expect(await api.promoteDue(due(['r']))).toMatchObject({ fired: [{ id: 'r' }], nextAt: DUE_AT + DAY_MS })
    expect(await api.schedulesOf('ada')).toMatchObject([{ id: 'a', nextAt: DUE_AT + DAY_MS }])
  })

  it('that was missed, however often, comes once, marked so, and goes on with its next time', async () => {
    const { api } = newDatabase()
    await api.addSchedule(scheduleOf('a', { recurrence: 'daily' }), LIMIT)
    const now = DUE_AT + 2.5 * DAY_MS
    const { fired, nextAt } = await api.promoteDue({ now, runningSince: now, newIds: ['r', 's'] })
    expect(fired).toMatchObject([{ id: 'r', notBefore: DUE_AT, missed: true }])
    expect(nextAt).toBe(DUE_AT + 3 * DAY_MS)
    expect(await api.scheduledRequests()).toEqual(fired)
  })

  it('comes once while what came of it before has not been asked, and again after that', async () => {
    const { api } = newDatabase()
    for (const id of ['a', 'b']) await api.addSchedule(scheduleOf(id, { recurrence: 'daily' }), LIMIT)
    const { fired } = await api.promoteDue(due(['a1', 'b1']))
    const [a1] = fired
    if (!a1) throw new Error('expected a request')
    const tomorrow = due(['a2', 'b2'], DUE_AT + DAY_MS)
    expect(await api.promoteDue(tomorrow)).toEqual({ fired: [], nextAt: DUE_AT + 2 * DAY_MS })
    await api.acceptRequest(a1)
    const { fired: later } = await api.promoteDue(due(['a3', 'b3'], DUE_AT + 2 * DAY_MS))
    expect(later).toMatchObject([{ id: 'a3', message: 'question a', notBefore: DUE_AT + 2 * DAY_MS }])
  })

  it('that was missed and is to be skipped then comes not at all, or at its next time', async () => {
    const { api, rows } = newDatabase()
    await api.addSchedule(scheduleOf('once', { ifMissed: 'skip' }), LIMIT)
    await api.addSchedule(scheduleOf('daily', { ifMissed: 'skip', recurrence: 'daily' }), LIMIT)
    const now = DUE_AT + 1
    expect(await api.promoteDue({ now, runningSince: now, newIds: ['r', 's'] })).toEqual({
      fired: [],
      nextAt: DUE_AT + DAY_MS,
    })
    expect(rows()).toEqual([])
    expect((await api.schedulesOf('ada')).map(({ id }) => id)).toEqual(['daily'])
  })

  it('waits for the next call when more are due than there are ids', async () => {
    const { api } = newDatabase()
    for (const id of ['a', 'b', 'c']) await api.addSchedule(scheduleOf(id), LIMIT)
    expect(await api.promoteDue(due(['1', '2']))).toMatchObject({
      fired: [{ message: 'question a' }, { message: 'question b' }],
      nextAt: DUE_AT,
    })
    expect(await api.promoteDue(due(['3', '4']))).toMatchObject({ fired: [{ message: 'question c' }], nextAt: null })
  })
})

describe('a request that waits for the queue', () => {
  async function waiting() {
    const database = newDatabase()
    await database.api.addSchedule(scheduleOf('a', { recurrence: 'daily' }), LIMIT)
    const { fired } = await database.api.promoteDue(due(['r']))
    const [request] = fired
    if (!request) throw new Error('expected a request')
    return { ...database, request }
  }

  it('gets its place in line when the queue takes it in, behind those before it', async () => {
    const { api, request, stored } = await waiting()
    await api.acceptRequest(requestOf('first'))
    const taken = { ...request, timestamp: request.timestamp + 600_000 }
    expect(await api.acceptRequest(taken)).toBe('stored')
    expect(stored('r')).toMatchObject({ status: 'QUEUED', admission: 2 })
    // The answer of an earlier call was lost.
    expect(await api.acceptRequest(taken)).toBe('stored')
    expect(await api.scheduledRequests()).toEqual([])
    expect(await api.recover('discord')).toMatchObject({ waiting: [{ request: { id: 'first' } }, { request: taken }] })
  })

  it('is no use of its user’s quota yet', async () => {
    const { api, request } = await waiting()
    const uses = async () => (await api.quotaUse('ada', request.timestamp, 5)).requestTimes
    expect(await uses()).toEqual([])
    await api.acceptRequest(request)
    expect(await uses()).toEqual([request.timestamp])
  })

  it('and is denied was no use of it, although it has ended', async () => {
    const { api, request } = await waiting()
    const denied = { requestId: 'r', errorCode: 'QUOTA_USED_UP', finishedAt: DUE_AT, messages: ['no'] } as const
    await api.denyScheduled({ ...denied, endSchedule: false })
    expect((await api.quotaUse('ada', request.timestamp - 1, 5)).requestTimes).toEqual([])
  })

  it('is not taken in once its schedule was deleted, and those of others are', async () => {
    const { api, request, stored, path } = await waiting()
    await api.addSchedule(scheduleOf('b', { userId: 'bob' }), LIMIT)
    const { fired } = await api.promoteDue(due(['s']))
    expect(await api.deleteSchedule('bob', 'a')).toBe(false)
    expect(stored('r')).toMatchObject({ status: 'SCHEDULED' })
    expect(await api.deleteSchedule('ada', 'a')).toBe(true)
    expect(stored('r')).toMatchObject({ status: 'CANCELLED', error_code: 'REQUEST_CANCELLED' })
    expect(await api.acceptRequest(request)).toBe('duplicate')
    expect(await api.scheduledRequests()).toEqual(fired)
    expect(broken(path)).toEqual([])
  })

  it('is listed for its user until the queue has it, and cancelled by nobody else; its schedule goes on', async () => {
    const { api, stored, path } = await waiting()
    const listed = [{ id: 'r', message: 'question a', dueAt: DUE_AT }]
    expect(await api.dueQuestionsOf('ada')).toEqual(listed)
    expect(await api.dueQuestionsOf('bob')).toEqual([])
    expect(await api.deleteSchedule('bob', 'r')).toBe(false)
    expect(await api.dueQuestionsOf('ada')).toEqual(listed)
    expect(await api.deleteSchedule('ada', 'r')).toBe(true)
    expect(stored('r')).toMatchObject({ status: 'CANCELLED', error_code: 'REQUEST_CANCELLED' })
    expect(await api.dueQuestionsOf('ada')).toEqual([])
    expect(await api.schedulesOf('ada')).toHaveLength(1)
    expect(broken(path)).toEqual([])
  })

  it('is not cancelled by its id once it is in line', async () => {
    const { api, request, stored } = await waiting()
    await api.acceptRequest(request)
    expect(await api.dueQuestionsOf('ada')).toEqual([])
    expect(await api.deleteSchedule('ada', 'r')).toBe(false)
    expect(stored('r')).toMatchObject({ status: 'QUEUED' })
  })

  it('is asked all the same when it was in line before its schedule was deleted', async () => {
    const { api, request, stored } = await waiting()
    await api.acceptRequest(request)
    await api.deleteSchedule('ada', 'a')
    expect(stored('r')).toMatchObject({ status: 'QUEUED' })
  })

  it('can be denied although it was taken in, when nobody has heard of that, but not once it has begun', async () => {
    const { api, request, stored } = await waiting()
    const denied = { errorCode: 'QUOTA_USED_UP', finishedAt: DUE_AT, messages: ['no'], endSchedule: false } as const
    await api.acceptRequest(request)
    expect(await api.denyScheduled({ ...denied, requestId: 'r' })).toBe('stored')
    expect(stored('r')).toMatchObject({ status: 'CANCELLED' })
    expect(await api.recover('discord')).toMatchObject({ waiting: [], undelivered: [{ request: { id: 'r' } }] })
    const { fired } = await api.promoteDue(due(['s'], DUE_AT + DAY_MS))
    for (const next of fired) await api.acceptRequest(next)
    await api.startRequest('s', 1, DUE_AT)
    expect(await api.denyScheduled({ ...denied, requestId: 's' })).toBe('stale')
  })

  it('is taken in no more once it was forgotten, and its schedule has gone', async () => {
    const { api, request, stored, path } = await waiting()
    await api.forget({ userId: 'ada', serverId: '7' })
    expect(await api.schedulesOf('ada')).toHaveLength(1)
    await api.forget({ userId: 'ada', serverId: '0' })
    expect(stored('r')).toMatchObject({ status: 'CANCELLED', error_code: 'REQUEST_CANCELLED', message: '' })
    expect(await api.schedulesOf('ada')).toEqual([])
    expect(await api.acceptRequest(request)).toBe('duplicate')
    expect(broken(path)).toEqual([])
  })

  it('that is denied has an end to be delivered, and takes its schedule along when it is to', async () => {
    const { api, outbox } = await waiting()
    const denied = { requestId: 'r', errorCode: 'QUOTA_USED_UP', finishedAt: DUE_AT, messages: ['no'] } as const
    expect(await api.denyScheduled({ ...denied, endSchedule: false })).toBe('stored')
    expect(await api.denyScheduled({ ...denied, endSchedule: true })).toBe('stale')
    expect(outbox()).toMatchObject([{ id: 'r', content: 'no', state: 'PENDING' }])
    expect(await api.schedulesOf('ada')).toHaveLength(1)
    await api.promoteDue(due(['s'], DUE_AT + DAY_MS))
    await api.denyScheduled({ ...denied, requestId: 's', errorCode: 'ACCESS_DENIED', endSchedule: true })
    expect(await api.schedulesOf('ada')).toEqual([])
  })

  it('whose answer can be shown nowhere is not asked again', async () => {
    const { api, request } = await waiting()
    await api.acceptRequest(request)
    await api.settleRequest(settlementOf('r', 0, { messages: ['sorry'] }))
    await api.abandonDelivery('r', 'unknown channel')
    expect(await api.schedulesOf('ada')).toEqual([])
  })

  it('goes with all that belongs to it once it is too old', async () => {
    const { api, connection, path } = await waiting()
    await api.denyScheduled({
      requestId: 'r',
      errorCode: 'ACCESS_DENIED',
      finishedAt: 5,
      messages: [],
      endSchedule: false,
    })
    expect(await api.prune(6, 10)).toMatchObject({ requests: 1 })
    expect(connection.prepare('SELECT count(*) AS rows FROM scheduled_requests').get()).toEqual({ rows: 0 })
    expect(broken(path)).toEqual([])
  })
})
