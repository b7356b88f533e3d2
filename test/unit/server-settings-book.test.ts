import { describe, expect, it } from 'vitest'
import { ServerSettingsBook } from '#discord/server-settings-book.ts'
import { ParleyError } from '#domain/errors.ts'
import { NO_SERVER_SETTINGS, type SettingChange } from '#domain/server-settings.ts'
import type { StoredServerSettings } from '#protocol/server-records.ts'
import { RecordingLog } from '#support/recording-log.ts'

const CHANGE: SettingChange = { type: 'set', setting: 'persona', value: 'new' }

const at = (version: number, persona: string): StoredServerSettings => ({
  settings: { ...NO_SERVER_SETTINGS, persona },
  version,
})

/** A book on a database that says what the test lets it say, call by call. */
function newBook(...answers: (StoredServerSettings | Error | Promise<StoredServerSettings>)[]) {
  const clock = { time: 1_000_000, now: () => clock.time }
  let calls = 0
  const next = async () => {
    const answer = await answers[calls++]
    if (answer === undefined) throw new Error('more calls than expected')
    if (answer instanceof Error) throw answer
    return answer
  }
  const changeServerSettings = async () => ({ type: 'changed' as const, ...(await next()) })
  const book = new ServerSettingsBook({
    records: { serverSettings: next, changeServerSettings },
    clock,
    log: new RecordingLog(),
  })
  return { book, clock, persona: async () => (await book.of('7')).persona, calls: () => calls }
}

const away = () => new ParleyError('CALL_TIMED_OUT', 'The database did not answer.')

describe('the settings of a server that are known', () => {
  it('are asked for once, and again after a while', async () => {
    const { persona, clock, calls } = newBook(at(1, 'old'), at(2, 'new'))
    expect([await persona(), await persona(), calls()]).toEqual(['old', 'old', 1])
    clock.time += 60_000
    expect([await persona(), calls()]).toEqual(['new', 2])
  })

  it('are those of a change as soon as it is made', async () => {
    const { book, persona, calls } = newBook(at(1, 'old'), at(2, 'new'))
    await persona()
    await book.change('7', 'ann', CHANGE)
    expect([await persona(), calls()]).toEqual(['new', 2])
  })

  it('are not replaced by an answer that was overtaken by a change', async () => {
    const late = Promise.withResolvers<StoredServerSettings>()
    const { book, persona } = newBook(late.promise, at(2, 'new'))
    const reading = persona()
    await book.change('7', 'ann', CHANGE)
    late.resolve(at(1, 'old'))
    expect([await reading, await persona()]).toEqual(['new', 'new'])
  })

  it('are looked up again after a change whose answer was lost, and hold until that works', async () => {
    const { book, persona } = newBook(at(1, 'old'), away(), away(), at(2, 'new'))
    await persona()
    await expect(book.change('7', 'ann', CHANGE)).rejects.toMatchObject({ code: 'CALL_TIMED_OUT' })
    expect([await persona(), await persona()]).toEqual(['old', 'new'])
  })

  it('are none while the database is away and nothing was ever known', async () => {
    const { book } = newBook(away())
    expect(await book.of('7')).toEqual(NO_SERVER_SETTINGS)
  })
})
