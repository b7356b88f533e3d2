import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '#database/open-database.ts'
import { runParley, startParley } from '#support/parley-process.ts'
import { storedRows } from '#support/stored-rows.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

describe('Parley in a pipe', () => {
  it('answers one line after the other, each from those before, and ends at the end of its input', async () => {
    const { code, stdout, notices, log, databasePath } = await runParley(['my name is Ada', ' ', 'what is my name?'])
    expect(stdout.text).toMatch(/^Nice to meet you, Ada! [\s\S]+\nYou told me that your name is Ada\.\n$/)
    expect(notices).toBe('')
    expect(code).toBe(0)
    expect(log.map(({ msg }) => msg)).toEqual([
      'the database is open',
      'Parley is ready',
      'the database is closed',
      'stopped',
    ])
    expect(log.at(-1)).toMatchObject({ name: 'parley', totalProcessed: 2, totalFailed: 0, totalCancelled: 0 })
    expect(existsSync(`${databasePath}-wal`)).toBe(false)
    expect(storedRows(databasePath).requests).toMatchObject([{ status: 'COMPLETED' }, { status: 'COMPLETED' }])
  })

  it('is what npm start starts, and npm adds nothing to its output', () => {
    const folder = temporaryFolder()
    const { PATH } = process.env
    const { status, stdout, stderr } = spawnSync('npm', ['start', '--silent'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      input: 'thanks\n',
      encoding: 'utf8',
      env: {
        PATH,
        HOME: folder,
        PARLEY_CONFIG_DIR: folder,
        PARLEY_DATABASE: join(folder, 'parley.db'),
        PARLEY_LOG_PRETTY: 'always',
      },
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: "You're welcome.\n" })
    expect(stderr).toMatch(/^\[[\d:.]+\] INFO \(database\/\d+\): the database is open$/m)
  })

  it('goes on with the conversation of an earlier process until it is told to forget it', async () => {
    const first = await runParley(['the sky is green', '/stats'])
    expect(first.stdout.text).toMatch(/^answered {13}1$/m)
    const { folder, databasePath } = first
    const second = await runParley(['what did I say first?', '/history', '/forget', '/history', '/quit', 'thanks'], {
      folder,
    })
    expect(second.code).toBe(0)
    const [answer, ...history] = second.stdout.text.split('\n')
    expect(answer).toBe('The first thing of yours that I can see is: “the sky is green”')
    expect(history[0]).toMatch(/^[\d-]+ [\d:]+ UTC {2}you: the sky is green$/)
    expect(history.at(-4)).toMatch(/^[\d-]+ [\d:]+ UTC {2}parley: The first thing of yours/)
    expect(history.slice(-3)).toEqual(['Deleted 4 messages.', 'Nothing has been said yet.', ''])
    expect(second.notices).toBe('')
    expect(storedRows(databasePath).messages).toEqual([])
  })

  it('tells a refusal and an unknown command on standard error and goes on', async () => {
    const env = { PARLEY_MAX_MESSAGE_LENGTH: '10' }
    const { code, stdout, notices } = await runParley(['a question that is too long', '/nonsense', 'thanks'], { env })
    expect(stdout.text).toBe("You're welcome.\n")
    expect(notices).toMatch(/^That message is longer than 10 characters\. .*\(REQUEST_INVALID\)\nThere is no command/)
    expect(code).toBe(0)
  })

  it('ends quietly when nobody reads its answers any more', async () => {
    const parley = startParley({ env: { PARLEY_OFFLINE_WORD_DELAY: '5ms' } })
    parley.sayLast('hello', 'hello', 'hello', 'hello')
    await parley.stdout.has('Hello')
    parley.stopReading()
    expect(await parley.exited).toEqual({ code: 0, signal: null })
    expect(parley.notices).toBe('Cancelled.\n')
    expect(storedRows(parley.databasePath).requests).toMatchObject([{ status: 'CANCELLED' }])
  })
})

describe('starting Parley', () => {
  it('refuses wrong settings with one line for each and never shows a secret', async () => {
    const { code, stdout, stderr } = await runParley(['thanks'], {
      env: { PARLEY_POOL_SIZE: 'many', OPENAI_API_KEY: 'sk-a secret', LOG_LEVEL: 'loud' },
    })
    expect(code).toBe(2)
    expect(stdout.text).toBe('')
    expect(stderr.text.split('\n')).toEqual([
      'model.apiKey: expected an API key without spaces in it, got (hidden) (from OPENAI_API_KEY)',
      'pool.size: expected a whole number from 1 to 256, got "many" (from PARLEY_POOL_SIZE)',
      'log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "loud" (from LOG_LEVEL)',
      '',
    ])
  })

  it('refuses a database that another Parley works on, which goes on working', async () => {
    const first = startParley()
    await first.logged('the database is open')
    const before = readFileSync(first.databasePath)
    const second = await runParley(['thanks'], { folder: first.folder })
    expect(second.code).toBe(3)
    expect(second.stdout.text).toBe('')
    expect(second.notices).toContain(`${first.databasePath} is in use by another Parley. Stop that one first`)
    expect(readFileSync(first.databasePath)).toEqual(before)
    first.sayLast('thanks')
    expect(await first.exited).toEqual({ code: 0, signal: null })
    expect(first.stdout.text).toBe("You're welcome.\n")
  })

  it.each([
    { what: 'a file that is no database', make: makeNotes, told: 'is not a SQLite database' },
    { what: 'a database of a newer Parley', make: makeNewerDatabase, told: 'was written by a newer Parley' },
  ])('refuses $what and leaves it untouched', async ({ make, told }) => {
    const path = join(temporaryFolder(), 'parley.db')
    make(path)
    const before = readFileSync(path)
    const { code, stdout, notices } = await runParley(['thanks'], { env: { PARLEY_DATABASE: path } })
    expect({ code, stdout: stdout.text }).toEqual({ code: 3, stdout: '' })
    expect(notices).toContain(`${path} ${told}`)
    expect(readFileSync(path)).toEqual(before)
  })

  it('refuses a folder that it cannot write', async () => {
    // Whoever may write everywhere, root, cannot make a folder inside a file either.
    const folder = join(temporaryFolder(), 'file')
    writeFileSync(folder, '')
    const path = join(folder, 'parley.db')
    const { code, notices } = await runParley(['thanks'], { env: { PARLEY_DATABASE: path } })
    expect(code).toBe(3)
    expect(notices).toContain(`The database ${path} cannot be made or written`)
  })

  it.skipIf(process.getuid?.() === 0)('refuses a folder that its user may not write', async () => {
    const folder = join(temporaryFolder(), 'closed')
    mkdirSync(folder, { mode: 0o555 })
    const { code } = await runParley(['thanks'], { env: { PARLEY_DATABASE: join(folder, 'parley.db') } })
    expect(code).toBe(3)
  })
})

describe('the command line', () => {
  it('shows every setting with where it comes from, and hides secrets', async () => {
    const env = { OPENAI_API_KEY: 'sk-very-secret', DISCORD_TOKEN: 'token-very-secret', PARLEY_MAX_QUEUE_SIZE: '7' }
    const { code, stdout, stderr } = await runParley([], { args: ['config'], env })
    expect(code).toBe(0)
    expect(stdout.text).toMatch(/^model\.apiKey +\(hidden\) {2}\(OPENAI_API_KEY\)$/m)
    expect(stdout.text).toMatch(/^discord\.token +\(hidden\) {2}\(DISCORD_TOKEN\)$/m)
    expect(stdout.text).toMatch(/^queue\.maxQueueSize +7 {2}\(PARLEY_MAX_QUEUE_SIZE\)$/m)
    expect(stdout.text).toMatch(/^shutdown\.grace +0s {2}\(config\/default\.yaml\)$/m)
    expect(stdout.text + stderr.text).not.toContain('very-secret')
  })

  it('tells its version and its commands', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    const [told, help] = await Promise.all([
      runParley([], { args: ['--version'] }),
      runParley([], { args: ['--help'] }),
    ])
    expect(told).toMatchObject({ code: 0, stdout: { text: `${version}\n` } })
    expect(help.code).toBe(0)
    expect(help.stdout.text).toMatch(/^Usage: parley \[options\] \[command\]\n[\s\S]*\n {2}start [\s\S]*\n {2}config /)
  })

  it('refuses a command it does not know, with its help, and opens no database', async () => {
    const { code, stdout, stderr, databasePath } = await runParley(['thanks'], { args: ['stop'] })
    expect(code).toBe(1)
    expect(stdout.text).toBe('')
    expect(stderr.text).toMatch(/^error: unknown command 'stop'\n\nUsage: parley \[options\] \[command\]\n/)
    expect(existsSync(databasePath)).toBe(false)
  })
})

function makeNotes(path: string): void {
  writeFileSync(path, 'these are my notes')
}

function makeNewerDatabase(path: string): void {
  openDatabase(path).close()
  const database = new Database(path)
  database.pragma('user_version = 99')
  database.close()
}
