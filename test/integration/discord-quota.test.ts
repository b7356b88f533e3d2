import { describe, expect, it } from 'vitest'
import type { QuotaLimits } from '#domain/quota.ts'
import { NO_LIMITS, OPEN_TO_ALL } from '#support/access-rules.ts'
import { startWithCommands } from '#support/command-room.ts'
import { NO_RECORDS } from '#support/no-records.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'

/** A user who has asked so many questions just now, each of 46 tokens. */
async function startWithUse(questions: number, quota: Partial<QuotaLimits>, owners: string[] = []) {
  const access = { ...OPEN_TO_ALL, owners }
  const room = await startWithCommands({ quota: { ...NO_LIMITS, ...quota }, access })
  const { database, userId, clock } = room
  const timestamp = clock.now()
  for (let number = 1; number <= questions; number++) {
    await database.api.saveTurn(turnOf(requestOf(`${number}`, { userId, timestamp }), { answeredAt: timestamp }))
  }
  return { ...room, timestamp }
}

describe('a question beyond the quota', () => {
  it.each([
    [{ requestsPerHour: 2 }, 'You may ask 2 questions an hour'],
    [{ tokensPerDay: 92 }, 'read and write for you in a day'],
    [{ tokensPerDayInAll: 92 }, 'for everybody in a day is used up'],
  ])('is refused with the time when it can be asked again: %j', async (quota, words) => {
    const { server, userId, see, shown, queue } = await startWithUse(2, quota)
    await server.sendDm(userId, 'why?')
    await see('QUOTA_USED_UP')
    const [notice] = await shown()
    expect(notice).toContain(words)
    expect(notice).toMatch(/please send it again <t:\d+:R>/)
    expect(queue.added).toEqual([])
  })

  it('is refused with the command, too', async () => {
    const { server, userId, see, queue } = await startWithUse(1, { requestsPerHour: 1 })
    await server.runCommand({ userId, name: 'ask', options: { message: 'why?' } })
    await see('You may ask 1 question an hour')
    expect(queue.added).toEqual([])
  })

  it('can be asked an hour later', async () => {
    const { ask, see, server, userId, clock } = await startWithUse(1, { requestsPerHour: 1 })
    await server.sendDm(userId, 'why?')
    await see('QUOTA_USED_UP')
    await clock.advance(3_600_000)
    expect((await ask('and now?')).asked.request.message).toBe('and now?')
  })
})

describe('a question', () => {
  it('within the quota is taken in', async () => {
    const { ask } = await startWithUse(1, { requestsPerHour: 2, tokensPerDay: 47, tokensPerDayInAll: 47 })
    await ask()
  })

  it('is taken in when the database cannot tell what was used', async () => {
    const { ask, log } = await startWithCommands({ quota: { ...NO_LIMITS, requestsPerHour: 1 }, records: NO_RECORDS })
    await ask()
    expect(log.lines).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('could not be counted') }),
    )
  })

  it('of an owner is always taken in', async () => {
    const owners: string[] = []
    const { ask, userId, run } = await startWithUse(1, { requestsPerHour: 1 }, owners)
    owners.push(userId)
    await ask()
    expect((await run('quota')).content).toContain('nothing is refused to you')
  })
})

describe('/quota', () => {
  it('tells what was used, of how much, and when there is more', async () => {
    const { run, timestamp } = await startWithUse(2, { requestsPerHour: 2, tokensPerDayInAll: 1_000 })
    const { content, ephemeral } = await run('quota')
    expect(ephemeral).toBe(true)
    expect(content.split('\n')).toEqual([
      '**Your questions in the last hour:** 2 of 2',
      '**Your tokens today (UTC):** 92, without a limit',
      "**Everybody's tokens today:** 92 of 1000",
      `You can ask again <t:${Math.floor((timestamp + 3_600_000) / 1000)}:R>.`,
    ])
  })

  it('says when there is no limit', async () => {
    const { run } = await startWithUse(1, {})
    expect((await run('quota')).content).toContain('1, without a limit')
    expect((await run('quota')).content).toContain('You can ask now.')
  })
})
