import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrate, SCHEMA_VERSION } from '#database/migrations.ts'
import { type OpenDatabase, openDatabase } from '#database/open-database.ts'
import { APPLICATION_ID } from '#database/schema.ts'
import { ParleyError } from '#domain/errors.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

function open(path: string): OpenDatabase {
  const database = openDatabase(path)
  onTestFinished(() => {
    if (database.connection.open) database.close()
  })
  return database
}

function openingFailure(path: string): ParleyError {
  try {
    open(path)
  } catch (error) {
    if (error instanceof ParleyError) return error
    throw error
  }
  throw new Error(`${path} could be opened.`)
}

/** Makes a SQLite file by hand. */
function makeSqliteFile(path: string, sql: string): void {
  const database = new Database(path)
  database.exec(sql)
  database.close()
}

/** Fails when opening the file works, or changes anything about it. */
function failureThatLeavesUntouched(path: string): ParleyError {
  const bytes = readFileSync(path)
  const { mtimeMs, ino } = statSync(path)
  const failure = openingFailure(path)
  expect(readFileSync(path).equals(bytes)).toBe(true)
  expect(statSync(path)).toMatchObject({ mtimeMs, ino })
  return failure
}

describe('opening a database', () => {
  it('makes a file that only its owner can read, and leaves one as it is that has other rights', () => {
    const path = join(temporaryFolder(), 'parley.db')
    const first = open(path)
    const modes = () => [path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)
    expect(modes()).toEqual([0o600, 0o600])
    first.close()
    chmodSync(path, 0o640)
    open(path)
    expect(modes()).toEqual([0o640, 0o640])
  })

  it('makes the file and its folders, and takes every setting that durability needs', () => {
    const path = join(temporaryFolder(), 'new', 'folder', 'parley.db')
    const { connection } = open(path)
    const setting = (name: string): unknown => connection.pragma(name, { simple: true })
    expect(setting('journal_mode')).toBe('wal')
    expect(setting('synchronous')).toBe(2)
    expect(setting('foreign_keys')).toBe(1)
    expect(setting('secure_delete')).toBe(1)
    expect(setting('busy_timeout')).toBe(5000)
    expect(setting('application_id')).toBe(APPLICATION_ID)
    expect(setting('user_version')).toBe(SCHEMA_VERSION)
  })

  it('takes an empty file for a new database', () => {
    const path = join(temporaryFolder(), 'parley.db')
    writeFileSync(path, '')
    expect(open(path).connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION)
  })

  it('opens its own file again and finds what was stored', () => {
    const path = join(temporaryFolder(), 'parley.db')
    const first = open(path)
    first.connection.exec(INSERT_REQUEST)
    first.close()
    expect(open(path).connection.prepare('SELECT id FROM requests').pluck().all()).toEqual(['a'])
  })

  it('refuses a file that is no database and leaves it untouched', () => {
    const folder = temporaryFolder()
    for (const [name, content] of Object.entries({ short: 'hello', long: 'not a database '.repeat(1000) })) {
      const path = join(folder, name)
      writeFileSync(path, content)
      const failure = failureThatLeavesUntouched(path)
      expect(failure.code).toBe('DATABASE_NOT_A_DATABASE')
      expect(failure.message).toContain(path)
      expect(existsSync(`${path}.lock`)).toBe(false)
    }
  })

  it.each(['DELETE', 'WAL'])(
    'refuses the database of another application in %s mode and leaves it untouched',
    (mode) => {
      const path = join(temporaryFolder(), 'other.db')
      makeSqliteFile(path, `PRAGMA journal_mode = ${mode}; CREATE TABLE things (a); PRAGMA application_id = 7`)
      const failure = failureThatLeavesUntouched(path)
      expect(failure).toMatchObject({
        code: 'DATABASE_NOT_A_DATABASE',
        message: expect.stringContaining('another app'),
      })
      expect(existsSync(`${path}.lock`)).toBe(false)
    },
  )

  it('refuses the database of a newer Parley, names both versions and leaves it untouched', () => {
    const path = join(temporaryFolder(), 'parley.db')
    open(path).close()
    const newer = SCHEMA_VERSION + 3
    makeSqliteFile(path, `PRAGMA user_version = ${newer}`)
    const failure = failureThatLeavesUntouched(path)
    expect(failure.code).toBe('DATABASE_NEWER_SCHEMA')
    expect(failure.message).toContain(`version ${newer}`)
    expect(failure.message).toContain(`version ${SCHEMA_VERSION}`)
    expect(failure.message).toContain('Update Parley')
  })

  it('refuses a folder in the place of the file', () => {
    const path = join(temporaryFolder(), 'parley.db')
    mkdirSync(path)
    expect(openingFailure(path)).toMatchObject({
      code: 'DATABASE_NOT_A_DATABASE',
      message: expect.stringContaining(path),
    })
  })

  it('says so when the folder cannot be made or written', () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, 'a file')
    for (const path of [
      join(file, 'parley.db'),
      join(file, 'deeper', 'parley.db'),
      '/proc/parley.db',
      '/proc/1/p.db',
    ]) {
      const failure = openingFailure(path)
      expect(failure.code).toBe('DATABASE_NOT_WRITABLE')
      expect(failure.message).toContain(path)
    }
  })

  it.skipIf(process.getuid?.() === 0)('says so when the file is read-only', () => {
    const path = join(temporaryFolder(), 'parley.db')
    open(path).close()
    chmodSync(path, 0o444)
    expect(failureThatLeavesUntouched(path)).toMatchObject({ code: 'DATABASE_NOT_WRITABLE' })
  })

  it('refuses a database that is open already in this process, and opens it after that was closed', () => {
    const path = join(temporaryFolder(), 'parley.db')
    const first = open(path)
    expect(openingFailure(path)).toMatchObject({ code: 'DATABASE_LOCKED', message: expect.stringContaining(path) })
    first.connection.exec(INSERT_REQUEST)
    first.close()
    expect(open(path).connection.prepare('SELECT count(*) FROM requests').pluck().get()).toBe(1)
  })

  it('refuses a database that another process holds, and opens it once that process was killed', async () => {
    const path = join(temporaryFolder(), 'parley.db')
    const entry = fileURLToPath(new URL('../support/database-holder.ts', import.meta.url))
    const holder = spawn(process.execPath, [entry, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void holder.kill('SIGKILL'))
    const exited = once(holder, 'exit')
    await once(holder.stdout, 'data')
    expect(openingFailure(path)).toMatchObject({ code: 'DATABASE_LOCKED' })
    holder.kill('SIGKILL')
    await exited
    expect(open(path).connection.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION)
  })

  it('lets other tools read while it is open, and leaves nothing but the lock beside the file afterwards', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'parley.db')
    const database = open(path)
    database.connection.exec(INSERT_REQUEST)
    const reader = new Database(path, { readonly: true })
    expect(reader.prepare('SELECT count(*) FROM requests').pluck().get()).toBe(1)
    reader.close()
    const opened = ['parley.db', 'parley.db-shm', 'parley.db-wal', 'parley.db.lock']
    expect(readdirSync(folder).sort()).toEqual(opened)
    database.close()
    expect(readdirSync(folder).sort()).toEqual(['parley.db', 'parley.db.lock'])
  })
})

const INSERT_REQUEST = `INSERT INTO requests
  (id, user_id, server_id, channel_id, message, timestamp, priority, status, attempt)
  VALUES ('a', 'u', '0', 'c', 'text', 1, 0, 'QUEUED', 0)`

describe('migrations', () => {
  it('run in order, each once, and keep what was stored', () => {
    const database = new Database(':memory:')
    migrate(database, ['CREATE TABLE first (a)'])
    database.exec('INSERT INTO first VALUES (1)')
    migrate(database, ['CREATE TABLE first (a)', 'ALTER TABLE first ADD COLUMN b', 'UPDATE first SET b = 2'])
    expect(database.prepare('SELECT * FROM first').all()).toEqual([{ a: 1, b: 2 }])
    expect(database.pragma('user_version', { simple: true })).toBe(3)
  })

  it('refuse a version they do not know', () => {
    const database = new Database(':memory:')
    database.pragma('user_version = 2')
    expect(() => migrate(database, ['CREATE TABLE first (a)'])).toThrow(
      expect.objectContaining({ code: 'DATABASE_NEWER_SCHEMA' }),
    )
    expect(database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()).toBe(0)
  })

  it('leave nothing of a migration that fails', () => {
    const database = new Database(':memory:')
    expect(() => migrate(database, ['CREATE TABLE first (a)', 'CREATE TABLE second (a); SELECT nonsense'])).toThrow()
    expect(database.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['first'])
    expect(database.pragma('user_version', { simple: true })).toBe(1)
  })
})

describe('the schema', () => {
  const insert = (connection: Database.Database, columns: Record<string, unknown>) => {
    const row = { id: 'a', user_id: 'u', server_id: '0', channel_id: 'c', message: 'm', timestamp: 1, priority: 0 }
    const values: Record<string, unknown> = { ...row, status: 'QUEUED', attempt: 0, ...columns }
    const names = Object.keys(values)
    const parameters = names.map((name) => `@${name}`)
    connection.prepare(`INSERT INTO requests (${names.join()}) VALUES (${parameters.join()})`).run(values)
  }

  it.each([
    ['an unknown status', { status: 'LOST' }],
    ['a text for a number', { timestamp: 'yesterday' }],
    ['a second active request of a user', { user_id: 'u', status: 'PROCESSING' }],
    ['a second request of one Discord message', { discord_message_id: 'm' }],
    ['an end without its time', { status: 'COMPLETED' }],
    ['a failure without its code', { status: 'FAILED', finished_at: 2 }],
  ])('refuses %s', (_, columns) => {
    const { connection } = open(join(temporaryFolder(), 'parley.db'))
    insert(connection, { discord_message_id: 'm' })
    expect(() => insert(connection, { id: 'z', user_id: 'z', ...columns })).toThrow(/constraint|store TEXT/)
  })

  it('finds histories, active requests and conversations by index', () => {
    const { connection } = open(join(temporaryFolder(), 'parley.db'))
    const plan = (sql: string) => JSON.stringify(connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
    const conversation = `user_id = 'u' AND server_id = '0'`
    const history = plan(`SELECT content FROM messages WHERE ${conversation} ORDER BY id DESC LIMIT 20`)
    expect(history).toContain('messages_conversation')
    expect(history).not.toContain('TEMP B-TREE')
    expect(plan(`UPDATE requests SET message = '' WHERE ${conversation}`)).toContain('requests_conversation')
    expect(plan(`SELECT id FROM requests WHERE status IN ('QUEUED', 'PROCESSING')`)).toContain('requests_active')
  })
})
