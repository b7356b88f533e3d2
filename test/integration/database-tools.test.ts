import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { type BackupProgress, backupDatabase } from '#database/backup.ts'
import { migrate, SCHEMA_VERSION } from '#database/migrations.ts'
import { openToRead } from '#database/read-database.ts'
import { FIRST_SCHEMA } from '#database/schema.ts'
import { isSound, verifyDatabase } from '#database/verify.ts'
import { ParleyError } from '#domain/errors.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
  } catch (error) {
    if (error instanceof ParleyError) return error.code
    throw error
  }
  return undefined
}

/** A database with something of everything, still open as while Parley runs. */
async function livingDatabase() {
  const database = newDatabase()
  const { api } = database
  for (const id of ['a', 'b'])
    await api.saveTurn(
      turnOf(requestOf(id, { userId: 'one user' }), {
        messages: ['1', '2'],
        files: [{ name: 'answer.md', text: '12' }],
      }),
    )
  await api.markDelivered('a', ['1', '2'])
  await api.saveTurn(turnOf(requestOf('forgotten')))
  await api.forget(requestOf('forgotten'))
  for (const id of ['failed', 'waiting', 'running']) await api.acceptRequest(requestOf(id, { interactionToken: 'x' }))
  await api.settleRequest(settlementOf('failed', 0, { messages: ['sorry'] }))
  await api.startRequest('running', 1, 1000)
  return database
}

/** Fills the first page of the requests with what SQLite never writes. */
function damage(path: string): void {
  const database = new Database(path)
  const pageSize = Number(database.pragma('page_size', { simple: true }))
  const page = Number(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'requests'").pluck().get())
  database.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, (page - 1) * pageSize, page * pageSize)
  writeFileSync(path, bytes)
}

describe('reading a database beside a running Parley', () => {
  it('sees what was committed until then, and nothing later', async () => {
    const { api, path } = await livingDatabase()
    const reader = openToRead(path)
    await api.acceptRequest(requestOf('later'))
    expect(reader.prepare('SELECT count(*) FROM requests').pluck().get()).toBe(6)
    expect(() => reader.exec('DELETE FROM requests')).toThrow(/readonly/)
    reader.close()
  })

  it('refuses what is no database of this Parley, each with its code, and changes nothing', () => {
    const folder = temporaryFolder()
    const at = (name: string, sql?: string) => {
      const path = join(folder, name)
      if (sql === undefined) return path
      const database = new Database(path)
      database.exec(sql)
      database.close()
      return path
    }
    mkdirSync(at('folder'))
    writeFileSync(at('notes'), 'these are my notes')
    const older = at('older', '')
    const database = new Database(older)
    migrate(database, [FIRST_SCHEMA])
    database.close()
    expect(codeOf(() => openToRead(at('missing')))).toBe('DATABASE_MISSING')
    expect(existsSync(at('missing'))).toBe(false)
    expect(codeOf(() => openToRead(at('folder')))).toBe('DATABASE_NOT_A_DATABASE')
    expect(codeOf(() => openToRead(at('notes')))).toBe('DATABASE_NOT_A_DATABASE')
    expect(codeOf(() => openToRead(at('foreign', 'CREATE TABLE things (a)')))).toBe('DATABASE_NOT_A_DATABASE')
    expect(codeOf(() => openToRead(older))).toBe('DATABASE_OLDER_SCHEMA')
    expect(codeOf(() => openToRead(at('empty', '')))).toBe('DATABASE_OLDER_SCHEMA')
    expect(codeOf(() => openToRead(at('newer', `PRAGMA user_version = ${SCHEMA_VERSION + 1}`)))).toBe(
      'DATABASE_NEWER_SCHEMA',
    )
    expect(readFileSync(at('notes'), 'utf8')).toBe('these are my notes')
  })
})

describe('verifying a database', () => {
  it('finds everything in order in a database that is in use', async () => {
    const { path } = await livingDatabase()
    const verification = verifyDatabase(path)
    expect(verification.checks.filter(({ violations }) => violations > 0)).toEqual([])
    expect(verification.waiting).toBe(1)
    expect(verification.checks.map(({ checked }) => checked)).toEqual([
      expect.any(Number),
      9,
      2,
      6,
      1,
      0,
      6,
      6,
      4,
      2,
      2,
      3,
      5,
      1,
      3,
    ])
    expect(isSound(verification)).toBe(true)
  })

  it.each([
    ['one active request', `DROP INDEX requests_active; UPDATE requests SET user_id = 'u'`, 'user u'],
    [
      'Discord message is one request',
      `CREATE TABLE copy AS SELECT * FROM requests; DROP TABLE requests; ALTER TABLE copy RENAME TO requests;
       UPDATE requests SET discord_message_id = '5' WHERE id IN ('a', 'b')`,
      'message 5',
    ],
    ['place in line', `UPDATE requests SET admission = NULL WHERE id = 'waiting'`, 'waiting'],
    ['came of a schedule', `UPDATE requests SET status = 'SCHEDULED' WHERE id = 'waiting'`, 'waiting'],
    ['say when', `UPDATE requests SET finished_at = NULL WHERE id = 'a'`, 'a'],
    ['say why', `UPDATE requests SET error_code = 'X' WHERE id = 'a'`, 'a'],
    ['stand together', `DELETE FROM messages WHERE request_id = 'a' AND role = 'assistant'`, 'message 1'],
    ['stand together', `UPDATE messages SET id = 99 WHERE request_id = 'a' AND role = 'user'`, 'message 2'],
    ['answered request has its turn', `DELETE FROM messages WHERE request_id = 'a'`, 'a'],
    [
      'turn is the one of an answered request',
      `UPDATE requests SET status = 'FAILED', error_code = 'X' WHERE id = 'a'`,
      'a',
    ],
    ['turn is the one of an answered request', `UPDATE messages SET server_id = '7' WHERE request_id = 'a'`, 'a'],
    ['something to deliver', `UPDATE outbox SET request_id = 'waiting' WHERE request_id = 'failed'`, 'waiting'],
    ['message to deliver is missing', `DELETE FROM outbox WHERE request_id = 'b' AND part = 0`, 'b'],
    ['files are kept only', `UPDATE reply_files SET request_id = 'a'`, 'a'],
    ['secrets', `UPDATE requests SET interaction_token = 'x' WHERE id = 'a'`, 'a'],
    ['belongs to a request', `DELETE FROM requests WHERE id = 'failed'`, 'outbox 5'],
  ])('says which break "%s"', async (name, damage, example) => {
    const { path, api } = await livingDatabase()
    await api.close()
    const database = new Database(path)
    database.pragma('foreign_keys = 0')
    database.pragma('ignore_check_constraints = 1')
    database.exec(damage)
    database.close()
    const broken = verifyDatabase(path).checks.filter(({ violations }) => violations > 0)
    expect(broken).toContainEqual(
      expect.objectContaining({ name: expect.stringContaining(name), examples: expect.arrayContaining([example]) }),
    )
  })

  it('says that a file is damaged inside', async () => {
    const { path, api } = await livingDatabase()
    await api.close()
    damage(path)
    const verification = verifyDatabase(path)
    expect(isSound(verification)).toBe(false)
    expect(verification.checks[0]?.violations).toBeGreaterThan(0)
  })
})

describe('backing up a database', () => {
  it('copies one moment of a database while Parley writes on, and tells how far it is', async () => {
    const { api, path } = await livingDatabase()
    for (let n = 0; n < 10; n++) {
      await api.saveTurn(turnOf(requestOf(`long ${n}`, { message: 'x'.repeat(300_000) })))
    }
    const target = join(dirname(path), 'backup.db')
    const progress: BackupProgress[] = []
    const meanwhile: Promise<unknown>[] = []
    const size = await backupDatabase(path, target, (now) => {
      progress.push(now)
      meanwhile.push(api.saveTurn(turnOf(requestOf(`meanwhile ${progress.length}`))))
    })
    await Promise.all(meanwhile)
    const shares = progress.map(({ copied, total }) => copied / total)
    expect(shares.length).toBeGreaterThan(2)
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares.at(-1)).toBe(1)
    expect(statSync(target)).toMatchObject({ size, mode: 0o100_600 })
    const verification = verifyDatabase(target)
    expect(isSound(verification)).toBe(true)
    const copy = new Database(target, { readonly: true })
    expect(copy.prepare(`SELECT count(*) FROM requests WHERE id LIKE 'long%'`).pluck().get()).toBe(10)
    expect(copy.prepare(`SELECT count(*) FROM requests WHERE id LIKE 'meanwhile%'`).pluck().get()).toBe(0)
    copy.close()
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith('backup'))).toEqual(['backup.db'])
  })

  it('makes a file on which Parley can go on', async () => {
    const { path } = await livingDatabase()
    const target = join(temporaryFolder(), 'backup.db')
    await backupDatabase(path, target)
    const { api } = newDatabase({}, target)
    const { waiting, undelivered, interrupted } = await api.recover('discord')
    expect([waiting.length, undelivered.length, interrupted]).toEqual([2, 2, 1])
  })

  it('refuses a target that exists, and leaves it as it was', async () => {
    const { path } = await livingDatabase()
    const target = join(dirname(path), 'backup.db')
    writeFileSync(target, 'an older backup')
    const begun: BackupProgress[] = []
    await expect(backupDatabase(path, target, (now) => begun.push(now))).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      message: expect.stringContaining('exists already'),
    })
    expect(begun).toEqual([])
    await expect(backupDatabase(path, path)).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    expect(readFileSync(target, 'utf8')).toBe('an older backup')
  })

  it('leaves nothing behind when it fails', async () => {
    const { path, api } = await livingDatabase()
    const target = join(dirname(path), 'backup.db')
    const interrupted = backupDatabase(path, target, () => {
      throw new Error('the disk went away')
    })
    await expect(interrupted).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      message: expect.stringContaining('the disk went away'),
    })
    await api.close()
    damage(path)
    await expect(backupDatabase(path, target)).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    await expect(backupDatabase(path, join(target, 'deeper'))).rejects.toMatchObject({ code: 'BACKUP_FAILED' })
    await expect(backupDatabase(join(target, 'missing'), target)).rejects.toMatchObject({ code: 'DATABASE_MISSING' })
    expect(readdirSync(dirname(path)).filter((name) => name.startsWith('backup'))).toEqual([])
  })
})
