import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SCHEMA_VERSION } from '#database/migrations.ts'
import { runBackup, runStats, runVerify } from '#src/database-commands.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, turnOf } from '#support/stored-requests.ts'
import { temporaryFolder } from '#support/temporary-folder.ts'

class Recorded {
  text = ''
  readonly isTTY: boolean

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

async function commandOn(path?: string, isTTY = false) {
  const database = newDatabase()
  await database.api.saveTurn(turnOf(requestOf('a'), { messages: ['answer'] }))
  await database.api.acceptRequest(requestOf('b'))
  const [stdout, stderr] = [new Recorded(), new Recorded(isTTY)]
  return { ...database, command: { databasePath: path ?? database.path, stdout, stderr }, stdout, stderr }
}

describe('parley backup', () => {
  it('says in one line what was made', async () => {
    const { command, stdout, stderr } = await commandOn()
    const target = join(temporaryFolder(), 'copy.db')
    expect(await runBackup(command, target)).toBe(0)
    expect(stdout.text).toMatch(/^Backed up to .*copy\.db \(\d+\.\d KiB\), checked and complete\.\n$/)
    expect(stderr.text).toBe('')
  })

  it('shows a bar in a terminal and takes it away again', async () => {
    const { command, stderr } = await commandOn(undefined, true)
    expect(await runBackup(command, join(temporaryFolder(), 'copy.db'))).toBe(0)
    const drawn = stderr.text.split('\r\u001b[K')
    expect(drawn).toContain(`${'░'.repeat(30)} 0 %`)
    expect(drawn).toContain(`${'█'.repeat(30)} 100 %`)
    expect(drawn.at(-1)).toBe('')
  })

  it('says why it could not, with the code', async () => {
    const { command, stdout, stderr, path } = await commandOn()
    expect(await runBackup(command, path)).toBe(1)
    expect(stderr.text).toMatch(/exists already.*\(BACKUP_FAILED\)\n$/)
    expect(stdout.text).toBe('')
  })
})

describe('parley verify', () => {
  it('prints every check with its counts, and 0 when all hold', async () => {
    const { command, stdout } = await commandOn()
    expect(await runVerify(command)).toBe(0)
    const lines = stdout.text.split('\n')
    expect(lines[0]).toBe('   checked  broken  what has to hold')
    expect(lines.filter((line) => line.startsWith('✔'))).toHaveLength(15)
    expect(stdout.text).toContain('Requests in line: 1\nEverything holds.\n')
  })

  it('names what is broken, and ends with 1', async () => {
    const { command, stdout, connection } = await commandOn()
    connection.exec(`DELETE FROM messages WHERE role = 'assistant'`)
    expect(await runVerify(command)).toBe(1)
    expect(stdout.text).toContain('✘  1        1       question and answer stand together in the history')
    expect(stdout.text).toContain('  message 1\n')
    expect(stdout.text).toContain('2 of 15 do not hold.')
  })

  it('says that there is no database, with the exit code of the database', async () => {
    const { command, stderr } = await commandOn(join(temporaryFolder(), 'none.db'))
    expect(await runVerify(command)).toBe(3)
    expect(stderr.text).toMatch(/^There is no database .*\(DATABASE_MISSING\)\n$/)
  })
})

describe('parley stats', () => {
  it('tells what is in the file', async () => {
    const { command, stdout } = await commandOn()
    expect(await runStats(command)).toBe(0)
    const facts = Object.fromEntries(stdout.text.split('\n').map((line) => line.split(/ {2,}/)))
    expect(facts).toMatchObject({
      'schema version': String(SCHEMA_VERSION),
      'requests QUEUED': '1',
      'requests COMPLETED': '1',
      users: '2',
      conversations: '1',
      messages: '2',
      'undelivered replies': '1',
      'write-ahead log': expect.stringMatching(/KiB$/),
    })
  })
})
