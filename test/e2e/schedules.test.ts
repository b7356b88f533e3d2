import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { onDiscord, PersonOnDiscord, type Place, startServers, stop } from '#support/parley-on-discord.ts'
import { storedRows } from '#support/stored-rows.ts'

/** A process whose commands are registered. */
async function ready(place: Place, options: Parameters<typeof onDiscord>[1] = {}) {
  const parley = onDiscord(place, options)
  await parley.logged('Parley is ready')
  return parley
}

/** Lets the time of what is scheduled come, while no process has the file. */
function makeDue(path: string): void {
  const database = new Database(path)
  database.prepare('UPDATE schedules SET next_at = next_at - 7200000').run()
  database.close()
}

async function remind({ discord }: Place, { userId, channelId }: PersonOnDiscord, options: Record<string, string>) {
  await discord.runCommand({ userId, channelId, name: 'remind', options })
}

it('a scheduled question is asked on time by a process that runs', async () => {
  const place = await startServers()
  const parley = await ready(place)
  const ada = await PersonOnDiscord.join(place, 'ada')
  await remind(place, ada, { when: 'in 2 seconds', message: 'why now?' })
  await ada.sees('Scheduled; the answer comes here.')
  const answer = await ada.isAnswered('echo: why now?')
  expect(answer.content).toMatch(/^echo: why now\? \(2 messages\)\n-# ⏰ Scheduled for <t:\d+:f>: “why now\?”$/)
  await stop(parley)
})

it('a question whose time came while Parley was down is asked once by the next process, with a note', async () => {
  const place = await startServers()
  const ada = await PersonOnDiscord.join(place, 'ada')
  const first = await ready(place)
  await remind(place, ada, { when: 'in 1 hour', message: 'missed?', repeat: 'daily' })
  await ada.sees('> missed?')
  await remind(place, ada, { when: 'in 1 hour', message: 'left out?', if_missed: 'skip' })
  await ada.sees('> left out?')
  first.signal('SIGKILL')
  await first.exited
  makeDue(first.databasePath)

  const { folder } = first
  const second = await ready(place, { folder })
  const answer = await ada.isAnswered('echo: missed?')
  expect(answer.content).toMatch(/\n-# ⏰ Was due at <t:\d+:f>, when Parley was not running: “missed\?”$/)
  second.signal('SIGKILL')
  await second.exited

  const third = await ready(place, { folder })
  await ada.write('and now?')
  await ada.isAnswered('echo: and now? (4 messages)')
  await stop(third)
  const { requests } = storedRows(third.databasePath)
  expect(requests.map(({ message, status }) => ({ message, status }))).toEqual([
    { message: 'missed?', status: 'COMPLETED' },
    { message: 'and now?', status: 'COMPLETED' },
  ])
})
