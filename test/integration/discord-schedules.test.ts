import { describe, expect, it } from 'vitest'
import type { ConversationRequest } from '#domain/request.ts'
import { SCHEDULING } from '#support/access-rules.ts'
import { labelsOf, menuOf, startWithCommands } from '#support/command-room.ts'
import { WAIT_MS } from '#support/discord-room.ts'
import { requestOf } from '#support/stored-requests.ts'
import { DUE_AT, scheduleOf } from '#support/stored-schedules.ts'

const HOUR_MS = 3_600_000

async function start(options: Parameters<typeof startWithCommands>[0] = {}) {
  let changes = 0
  const scheduling = { ...SCHEDULING, onChanged: () => void changes++ }
  const room = await startWithCommands({ scheduling, ...options })
  const planned = () => room.database.api.schedulesOf(room.userId)
  return { ...room, planned, changes: () => changes }
}

type Room = Awaited<ReturnType<typeof start>>

/** A server with the user in it, and a channel of it. */
async function inServer({ server, userId }: Pick<Room, 'server' | 'userId'>) {
  const guildId = await server.addGuild('Lab')
  await server.addMember(guildId, userId)
  return { guildId, channelId: await server.addGuildChannel(guildId, 'general') }
}

/** What was suggested for an option as it was typed. */
async function suggestions(
  { server, userId, clock }: Room,
  typed: Omit<Parameters<Room['server']['typeOption']>[0], 'userId'>,
) {
  const before = (await server.log()).length
  const { token } = await server.typeOption({ userId, ...typed })
  const route = '/interactions/:id/:token/callback'
  await clock.passUntil(
    server.waitFor({ type: 'calls', method: 'POST', route, status: 204, since: before, count: 1 }, WAIT_MS),
  )
  return (await server.choicesFor(token)) as { name: string; value: string }[]
}

describe('/remind', () => {
  it('schedules a question in the conversation it is used in, and says when', async () => {
    const { run, planned, changes, clock, channelId, userId } = await start()
    const reply = await run('remind', { when: 'in 2 hours', message: 'why?' })
    const at = Math.floor((clock.now() + 2 * HOUR_MS) / 1000)
    expect(reply).toMatchObject({ ephemeral: true, content: expect.stringContaining('> why?') })
    const [schedule] = await planned()
    expect(schedule).toMatchObject({
      userId,
      channelId,
      serverId: '0',
      directServerName: null,
      message: 'why?',
      recurrence: 'once',
      ifMissed: 'run',
    })
    expect(Math.abs(Math.floor((schedule?.nextAt ?? 0) / 1000) - at)).toBeLessThan(60)
    expect(reply.content).toContain(`<t:${Math.floor((schedule?.nextAt ?? 0) / 1000)}:f>`)
    expect(reply.content).toContain('You have not said where you live')
    expect(changes()).toBe(1)
  })

  it('reads times where its user lives, and takes how it recurs and what to do when it was missed', async () => {
    const { run, planned } = await start()
    expect((await run('timezone', { zone: 'Asia/Kolkata' })).content).toContain('read in Asia/Kolkata')
    const options = { when: '2030-06-03 09:00', message: 'why?', repeat: 'weekly', if_missed: 'skip' }
    const reply = await run('remind', options)
    expect(reply.content).toContain('every week at that time in Asia/Kolkata')
    expect(await planned()).toMatchObject([
      {
        recurrence: 'weekly',
        weekday: 1,
        hour: 9,
        zone: 'Asia/Kolkata',
        ifMissed: 'skip',
        nextAt: Date.parse('2030-06-03T03:30:00Z'),
      },
    ])
  })

  it.each([
    ['soon', 'no clear time'],
    ['yesterday', 'is over'],
    ['in 3 years', 'more than a year'],
  ])('refuses %s and shows what it understands', async (when, problem) => {
    const { run, planned, changes } = await start()
    const { content } = await run('remind', { when, message: 'why?' })
    expect(content).toContain(problem)
    expect(content).toContain('tomorrow 9:00')
    expect(content).toMatch(/ Nothing was scheduled\.$/)
    expect(await planned()).toEqual([])
    expect(changes()).toBe(0)
  })

  it('belongs to the server it is used in, or whose conversation was chosen', async () => {
    const room = await start()
    const { guildId, channelId } = await inServer(room)
    await room.run('remind', { when: 'in 1 hour', message: 'here' }, channelId)
    await room.choose(await room.run('server'), guildId)
    await room.run('remind', { when: 'in 2 hours', message: 'there' })
    expect(await room.planned()).toMatchObject([
      { message: 'here', serverId: guildId, directServerName: null, channelId },
      { message: 'there', serverId: guildId, directServerName: 'Lab', channelId: room.channelId },
    ])
  })

  it('refuses at once what would be too long for a question when its time comes', async () => {
    const { run, planned } = await start({ maxMessageLength: 5 })
    const reply = await run('remind', { when: 'in 1 hour', message: '🤖🤖🤖' })
    expect(reply.content).toBe('The message is longer than 5 characters. Nothing was scheduled.')
    expect(await planned()).toEqual([])
    await run('remind', { when: 'in 1 hour', message: 'why?' })
    const [stored] = await planned()
    const edited = await run('reminders edit', { which: stored?.id ?? '', message: '🤖🤖🤖' })
    expect(edited.content).toBe('The message is longer than 5 characters. Nothing was changed.')
    expect(await planned()).toMatchObject([{ message: 'why?' }])
  })

  it('is for those who may ask, as often as one person may, and not where it is switched off', async () => {
    const options = { when: 'in 1 hour', message: 'why?' }
    const one = await start({ scheduling: { ...SCHEDULING, maxPerUser: 1 } })
    await one.run('remind', options)
    expect((await one.run('remind', options)).content).toContain('SCHEDULES_FULL')
    expect(await one.planned()).toHaveLength(1)
    const off = await start({ scheduling: { ...SCHEDULING, maxPerUser: 0 } })
    expect((await off.run('remind', options)).content).toContain('switched off')
    const noLists = { users: [], roles: [], servers: [], channels: [] }
    const access = { owners: [], directMessages: 'allowed', allow: noLists, deny: noLists } as const
    const closed = await start({ access })
    expect((await closed.run('remind', options)).content).toContain('ACCESS_DENIED')
    expect(await closed.planned()).toEqual([])
  })
})

describe('/reminders', () => {
  it('lists them, shows one, deletes it and goes back', async () => {
    const { run, press, choose, planned, database, userId } = await start()
    expect((await run('reminders list')).content).toContain('You have no reminders')
    for (const id of ['a', 'b']) await database.api.addSchedule(scheduleOf(id, { userId, recurrence: 'daily' }), 20)
    const list = await run('reminders list')
    expect(list.content).toContain('2 reminders')
    expect(menuOf(list.components)?.options).toMatchObject([
      { label: '26 Nov 2026, 09:00, daily: question a', value: 'a' },
      { label: '26 Nov 2026, 09:00, daily: question b', value: 'b' },
    ])
    const one = await choose(list, 'a')
    expect(one.content).toContain('every day at that time in Europe/Berlin\n> question a')
    expect(labelsOf(one.components)).toEqual(['Delete', 'Back'])
    expect(menuOf((await press(one, 'Back')).components)?.options).toHaveLength(2)
    const after = await press(await choose(await run('reminders list'), 'a'), 'Delete')
    expect(after.content).toContain('It is deleted. There is 1 reminder of yours')
    expect((await planned()).map(({ id }) => id)).toEqual(['b'])
  })

  it('lists those that are due and wait for their turn in front, and leaves them out when they are deleted', async () => {
    const { run, press, choose, planned, database, userId } = await start()
    await database.api.addSchedule(scheduleOf('a', { userId, recurrence: 'daily' }), 20)
    await database.api.promoteDue({ now: DUE_AT, runningSince: 0, newIds: ['due'] })
    const list = await run('reminders list')
    expect(list.content).toContain('2 reminders')
    expect(menuOf(list.components)?.options).toMatchObject([
      { label: 'Due, waits for its turn: question a', value: 'due' },
      { label: '27 Nov 2026, 09:00, daily: question a', value: 'a' },
    ])
    const one = await choose(list, 'due')
    expect(one.content).toContain(`Due at <t:${DUE_AT / 1000}:f>`)
    expect(one.content).toContain('as soon as it is its turn.\n> question a')
    const after = await press(one, 'Delete')
    expect(after.content).toContain('It is deleted. There is 1 reminder of yours')
    expect(menuOf(after.components)?.options).toMatchObject([{ value: 'a' }])
    expect(await planned()).toHaveLength(1)
    expect(await database.api.scheduledRequests()).toEqual([])
  })

  it('says so when more of them wait than a menu shows', async () => {
    const { run, database, userId } = await start()
    for (let index = 0; index < 26; index++) {
      await database.api.addSchedule(scheduleOf(`s${index}`, { userId, nextAt: DUE_AT + index }), 30)
    }
    const reply = await run('reminders list')
    expect(reply.content).toBe('There are 26 reminders of yours; choose one of the first 25 to see or delete it.')
  })

  it('edit changes what is given and leaves the rest', async () => {
    const { run, planned, database, userId, changes } = await start()
    await database.api.addSchedule(scheduleOf('a', { userId }), 20)
    await run('timezone', { zone: 'UTC' })
    await run('reminders edit', { which: 'a', message: 'how?' })
    expect(await planned()).toEqual([scheduleOf('a', { userId, message: 'how?' })])
    await run('reminders edit', { which: 'a', repeat: 'weekly', if_missed: 'skip' })
    expect(await planned()).toMatchObject([
      { recurrence: 'weekly', weekday: 4, ifMissed: 'skip', zone: 'Europe/Berlin' },
    ])
    const reply = await run('reminders edit', { which: 'a', when: '2030-05-01 10:30' })
    expect(reply.content).toContain('It is now:')
    expect(await planned()).toMatchObject([
      {
        message: 'how?',
        recurrence: 'weekly',
        weekday: 3,
        hour: 10,
        minute: 30,
        zone: 'UTC',
        nextAt: Date.parse('2030-05-01T10:30:00Z'),
      },
    ])
    expect(changes()).toBe(3)
    expect((await run('reminders edit', { which: 'a', when: 'soon' })).content).toContain('Nothing was changed')
    expect((await run('reminders edit', { which: 'gone', message: 'x' })).content).toContain('no such reminder')
    expect(changes()).toBe(3)
  })

  it('edit of how it comes again does not bring back a time that has just come', async () => {
    const { run, planned, database, userId } = await start()
    const { api } = database
    await api.addSchedule(scheduleOf('a', { userId, recurrence: 'daily' }), 20)
    const schedulesOf = api.schedulesOf.bind(api)
    api.schedulesOf = async (of) => {
      const found = await schedulesOf(of)
      await api.promoteDue({ now: DUE_AT, runningSince: 0, newIds: ['r', 's'] })
      return found
    }
    await run('reminders edit', { which: 'a', repeat: 'weekly' })
    api.schedulesOf = schedulesOf
    expect(await planned()).toMatchObject([{ recurrence: 'weekly', nextAt: DUE_AT + 24 * HOUR_MS }])
  })

  it('edit changes nothing when the new text is empty', async () => {
    const { run, planned, database, userId, changes } = await start()
    await database.api.addSchedule(scheduleOf('a', { userId }), 20)
    const { content } = await run('reminders edit', { which: 'a', message: '   ', repeat: 'daily' })
    expect(content).toBe('There is no text in the message. Nothing was changed.')
    expect(await planned()).toEqual([scheduleOf('a', { userId })])
    expect(changes()).toBe(0)
  })

  it('suggests those of its user while one is chosen to be edited', async () => {
    const room = await start()
    await room.database.api.addSchedule(scheduleOf('a', { userId: room.userId, message: 'the weather' }), 20)
    await room.database.api.addSchedule(scheduleOf('b', { userId: room.userId, message: 'the news' }), 20)
    await room.database.api.addSchedule(scheduleOf('c', { message: 'the weather of Ada' }), 20)
    const typed = { name: 'reminders', subcommand: 'edit', option: 'which', text: 'WEATHER' }
    expect((await suggestions(room, typed)).map(({ value }) => value)).toEqual(['a'])
    expect(await suggestions(room, { ...typed, text: '' })).toHaveLength(2)
  })
})

describe('/timezone', () => {
  it('suggests zones by any part of their names, those that begin so in front', async () => {
    const room = await start()
    const zones = async (text: string) =>
      (await suggestions(room, { name: 'timezone', option: 'zone', text })).map(({ value }) => value)
    expect(await zones('berl')).toEqual(['Europe/Berlin'])
    expect((await zones('new y'))[0]).toBe('America/New_York')
    expect(await zones('kyiv')).toEqual(['Europe/Kyiv'])
    expect(await zones('kolk')).toEqual(['Asia/Kolkata'])
    expect(await zones('')).toHaveLength(25)
    expect(await zones('nowhere')).toEqual([])
  })

  it('says what is set, and refuses what is no zone', async () => {
    const { run } = await start()
    expect((await run('timezone')).content).toContain('read in UTC')
    expect((await run('timezone', { zone: 'Mars' })).content).toContain('no time zone')
    await run('timezone', { zone: 'Europe/Berlin' })
    expect((await run('timezone')).content).toContain('Europe/Berlin')
  })
})

describe('what was scheduled', () => {
  it('is taken along and forgotten like everything else', async () => {
    const { run, press, planned, database, userId } = await start()
    await database.api.addSchedule(scheduleOf('a', { userId }), 20)
    const [file] = (await run('export')).revisions.at(-1)?.attachments ?? []
    expect(JSON.parse(file?.text ?? '')).toMatchObject({ schedules: [{ id: 'a', message: 'question a' }] })
    await press(await run('forget', { what: 'everything' }), 'Delete')
    expect(await planned()).toEqual([])
  })
})

describe('a question whose time has come', () => {
  const DUE = Date.parse('2030-01-01T00:00:00Z')

  /** Before any message of the tests. */
  const LONG_AGO = Date.parse('2026-01-01T00:00:00Z')

  function dueOf(fields: Partial<ConversationRequest>): ConversationRequest {
    const id = '01890000-0000-7000-8000-000000000001'
    return requestOf(id, { message: 'why **now**?', discordMessageId: null, notBefore: DUE, timestamp: DUE, ...fields })
  }

  it('is answered in a new message that replies to none and quotes it', async () => {
    const { gateway, queue, userId, channelId, see, server } = await start()
    const asked = gateway.askScheduled(dueOf({ userId, channelId }))
    const arrived = await queue.next()
    expect(arrived.request).toMatchObject({ userId, channelId, scheduled: { notBefore: DUE } })
    arrived.start().complete('because')
    expect(await asked).toBeUndefined()
    const message = await see(`because\n-# ⏰ Scheduled for <t:${DUE / 1000}:f>: “why \\*\\*now\\*\\*?”`)
    expect(message.referenceId).toBeNull()
    expect((await server.messages(channelId)).filter(({ authorIsBot }) => authorIsBot)).toHaveLength(1)
  })

  it('says when it was missed, also as an earlier process left it', async () => {
    const { gateway, userId, channelId, see } = await start()
    const request = dueOf({ userId, channelId, missed: true, directServerName: 'Lab', serverId: '7' })
    gateway.deliver({ request, statusMessageId: null, status: 'COMPLETED', messages: ['because'] })
    await see('because\n-# Conversation of Lab\n-# ⏰ Was due at')
  })

  it('is there once, although Discord leaves out the white space around it', async () => {
    const { gateway, userId, channelId, server, clock, ledger } = await start()
    const messages = ['  one', '  two']
    const reply = {
      request: dueOf({ userId, channelId, timestamp: LONG_AGO }),
      statusMessageId: null,
      status: 'COMPLETED',
      messages,
    } as const
    for (const count of [1, 2]) {
      gateway.deliver(reply)
      await clock.passUntil(ledger.until(({ delivered }) => delivered.length === count))
      // By then Discord has forgotten the nonces.
      await server.advanceClock(6 * 60_000)
    }
    const shown = (await server.messages(channelId)).filter(({ deleted }) => !deleted)
    expect(shown.map(({ content }) => content)).toEqual(['one', expect.stringMatching(/^two/)])
  })

  it('in a server is asked with the roles its user has by then', async () => {
    const noLists = { users: [], roles: [], servers: [], channels: [] }
    const access = { owners: [], directMessages: 'anyone', allow: noLists, deny: { ...noLists, roles: ['1'] } }
    const deny = access.deny
    const room = await start({ access: { ...access, directMessages: 'anyone' } })
    const { guildId, channelId } = await inServer(room)
    const request = dueOf({ userId: room.userId, channelId, serverId: guildId })
    const asked = room.gateway.askScheduled(request)
    ;(await room.clock.passUntil(room.queue.next())).accept()
    expect(await asked).toBeUndefined()
    deny.roles = [await room.server.giveRole(guildId, room.userId)]
    expect(await room.clock.passUntil(room.gateway.askScheduled(request))).toMatchObject({ code: 'ACCESS_DENIED' })
    await room.server.failNext({ method: 'GET', route: '/guilds/:id/members/:id', status: 404, code: 10013 })
    expect(await room.clock.passUntil(room.gateway.askScheduled(request))).toMatchObject({ code: 'ACCESS_DENIED' })
    await room.server.removeMember(guildId, room.userId)
    expect(await room.clock.passUntil(room.gateway.askScheduled(request))).toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('no longer in the server'),
    })
  })
})
