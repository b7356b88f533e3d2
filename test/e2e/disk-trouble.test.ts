import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ParleyProcess, runParley, startParley } from '#support/parley-process.ts'
import { storedRows } from '#support/stored-rows.ts'

const PRLIMIT = '/usr/bin/prlimit'

/** The system lets no file of the process grow any more: every write to the log of the database fails. */
function breakDisk(parley: ParleyProcess): void {
  limitFiles(parley, statSync(`${parley.databasePath}-wal`).size)
}

function limitFiles({ pid }: ParleyProcess, bytes: number | 'unlimited'): void {
  execFileSync(PRLIMIT, ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`])
}

/** A process that has been asked something, so its database has a log. */
async function asked(env: Record<string, string> = {}): Promise<ParleyProcess> {
  const parley = startParley({ env })
  parley.say('my name is Ada')
  await parley.stdout.has('Nice to meet you')
  return parley
}

async function end(parley: ParleyProcess): Promise<void> {
  parley.sayLast()
  expect(await parley.exited).toEqual({ code: 0, signal: null })
}

// prlimit comes with every Linux, and only there.
describe.skipIf(!existsSync(PRLIMIT))('a disk that takes nothing any more', () => {
  it('keeps nobody from an answer, which says so and is stored when the disk has recovered', async () => {
    const parley = await asked()
    breakDisk(parley)
    parley.say('thanks', '/stats')
    await parley.stderr.has('This answer could not be saved, so it may not be remembered.')
    await parley.logged('nothing can be stored; Parley goes on in memory and tries again')
    await parley.stdout.until((text) => /^storage +not available since .*, \d writes? waits?$/m.test(text))
    expect(storedRows(parley.databasePath).requests).toHaveLength(1)
    limitFiles(parley, 'unlimited')
    await parley.logged('everything can be stored again')
    parley.say('/stats')
    await parley.stdout.until((text) => /^storage +available$/m.test(text))
    await end(parley)
    const { requests, messages } = storedRows(parley.databasePath)
    expect(requests.map(({ message, status }) => [message, status])).toEqual([
      ['my name is Ada', 'COMPLETED'],
      ['thanks', 'COMPLETED'],
    ])
    expect(messages).toHaveLength(4)
    expect((await runParley([], { folder: parley.folder, args: ['verify'] })).code).toBe(0)
  })

  it('turns messages away when it is told to, and takes them in again by itself', async () => {
    const parley = await asked({ PARLEY_WHEN_UNAVAILABLE: 'refuse' })
    breakDisk(parley)
    parley.say('thanks', 'thanks')
    await parley.stderr.has('(REQUEST_NOT_STORED)', 2)
    limitFiles(parley, 'unlimited')
    await parley.logged('everything can be stored again')
    parley.say('thanks')
    await parley.stdout.has("You're welcome.")
    await end(parley)
    expect(storedRows(parley.databasePath).requests.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED'])
  })
})
