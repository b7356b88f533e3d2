import { type BackupProgress, backupDatabase } from '#database/backup.ts'
import { type DatabaseFacts, readFacts } from '#database/database-facts.ts'
import { type Check, isSound, type Verification, verifyDatabase } from '#database/verify.ts'
import { errorCode, errorMessage } from '#domain/errors.ts'
import { EXIT, exitCodeFor } from './exit-codes.ts'

/** What a command writes to; the process' own streams are such. */
interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** What the commands about the database file work with. */
export interface DatabaseCommand {
  readonly databasePath: string
  readonly stdout: Output
  readonly stderr: Output
}

const BAR_WIDTH = 30
/** Back to the start of the line, and the rest of the line is cleared. */
const REDRAW = '\r\u001b[K'

/** `parley backup FILE`: copies the database, also while Parley runs. Resolves with the exit code. */
export function runBackup(command: DatabaseCommand, target: string): Promise<number> {
  return reportingErrors(command, async () => {
    const { databasePath, stdout, stderr } = command
    const onProgress = stderr.isTTY === true ? drawProgress(stderr) : undefined
    try {
      const bytes = await backupDatabase(databasePath, target, onProgress)
      if (onProgress) stderr.write(REDRAW)
      stdout.write(`Backed up to ${target} (${formatBytes(bytes)}), checked and complete.\n`)
      return EXIT.ok
    } catch (error) {
      if (onProgress) stderr.write(REDRAW)
      throw error
    }
  })
}

/** `parley verify`: checks the file. Resolves with 0 when everything holds and 1 when something does not. */
export function runVerify(command: DatabaseCommand): Promise<number> {
  return reportingErrors(command, () => {
    const verification = verifyDatabase(command.databasePath)
    command.stdout.write(formatVerification(verification))
    return isSound(verification) ? EXIT.ok : EXIT.failed
  })
}

/** `parley stats`: tells what is in the file. Resolves with the exit code. */
export function runStats(command: DatabaseCommand): Promise<number> {
  return reportingErrors(command, () => {
    command.stdout.write(formatFacts(command.databasePath, readFacts(command.databasePath)))
    return EXIT.ok
  })
}

async function reportingErrors({ stderr }: DatabaseCommand, run: () => number | Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    const code = errorCode(error)
    stderr.write(`${errorMessage(error)}${code === undefined ? '' : ` (${code})`}\n`)
    return exitCodeFor(error)
  }
}

/** Draws the bar anew for each percent only: a terminal is slower than a disk. */
function drawProgress(stderr: Output): (progress: BackupProgress) => void {
  let drawn = -1
  return ({ copied, total }) => {
    const share = total === 0 ? 1 : copied / total
    const percent = Math.floor(share * 100)
    if (percent === drawn) return
    drawn = percent
    const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░')
    stderr.write(`${REDRAW}${bar} ${percent} %`)
  }
}

function formatVerification(verification: Verification): string {
  const { checks, waiting } = verification
  const header = ['', 'checked', 'broken', 'what has to hold']
  const rows = checks.map((check) => [mark(check), `${check.checked}`, `${check.violations}`, check.name])
  const broken = checks.filter(({ violations }) => violations > 0).length
  const verdict = isSound(verification) ? 'Everything holds.' : `${broken} of ${checks.length} do not hold.`
  const lines = [...table([header, ...rows]), '', ...checks.flatMap(explain), `Requests in line: ${waiting}`, verdict]
  return lines.map((line) => `${line}\n`).join('')
}

function mark({ violations }: Check): string {
  return violations === 0 ? '✔' : '✘'
}

function explain({ name, violations, examples }: Check): string[] {
  if (violations === 0) return []
  const more = violations > examples.length ? [`  and ${violations - examples.length} more`] : []
  return [`✘ ${name}:`, ...examples.map((example) => `  ${example}`), ...more, '']
}

function formatFacts(path: string, facts: DatabaseFacts): string {
  const requests = facts.requests.map(({ status, count }) => [`requests ${status}`, `${count}`])
  const rows = [
    ['file', path],
    ['schema version', `${facts.schemaVersion}`],
    ['size', formatBytes(facts.fileBytes)],
    ['write-ahead log', formatBytes(facts.walBytes)],
    ...(requests.length === 0 ? [['requests', '0']] : requests),
    ['users', `${facts.users}`],
    ['conversations', `${facts.conversations}`],
    ['messages', `${facts.messages}`],
    ['undelivered replies', `${facts.undelivered}`],
  ]
  return table(rows)
    .map((line) => `${line}\n`)
    .join('')
}

/** Lines up the columns. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const amount = bytes / 1024 ** power
  return `${power === 0 ? amount : amount.toFixed(1)} ${units[power]}`
}
