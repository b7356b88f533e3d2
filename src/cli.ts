import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { createThreadLog } from '#actors/thread-log.ts'
import { ConfigError, formatProblems } from '#config/config-error.ts'
import { describeSettings } from '#config/describe-settings.ts'
import { loadSettings } from '#config/load-settings.ts'
import type { Settings } from '#config/settings.ts'
import { isBrokenPipe } from '#console/broken-pipe.ts'
import { errorMessage } from '#domain/errors.ts'
import type { DatabaseCommand } from './database-commands.ts'
import { EXIT, exitCodeFor } from './exit-codes.ts'
import { nextStopSignal } from './stop-signal.ts'

/** Runs a command line, such as `process.argv`; resolves with the exit code. */
export async function runCli(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = new Command('parley')
    .description('A self-hosted Discord assistant that people talk to in direct messages.')
    .version(readVersion())
    .showHelpAfterError()
  program
    .command('start', { isDefault: true })
    .description('run Parley: on Discord with a token, in this terminal without')
    // As the default it gets to see every name that is no command.
    .allowExcessArguments()
    .action(async () => {
      const [unknown] = program.args.filter((name) => name !== 'start')
      if (unknown !== undefined) program.error(`error: unknown command '${unknown}'`)
      exitCode = await withSettings(start)
    })
  program
    .command('config')
    .description('show every setting in force and where it comes from; secrets stay hidden')
    .action(async () => {
      exitCode = await withSettings(showSettings)
    })
  program
    .command('backup')
    .description('copy the database into a new file, also while Parley runs')
    .argument('<file>', 'the copy; it must not exist yet')
    .action(async (file: string) => {
      exitCode = await withDatabase(({ runBackup }, command) => runBackup(command, file))
    })
  program
    .command('verify')
    .description('check the database file and everything that has to hold in it, also while Parley runs')
    .action(async () => {
      exitCode = await withDatabase(({ runVerify }, command) => runVerify(command))
    })
  program
    .command('stats')
    .description('count what the database holds, also while Parley runs')
    .action(async () => {
      exitCode = await withDatabase(({ runStats }, command) => runStats(command))
    })
  await program.parseAsync(argv)
  return exitCode
}

async function withSettings(run: (settings: Settings) => Promise<number>): Promise<number> {
  let settings: Settings
  try {
    settings = loadSettings({ env: process.env })
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigError ? formatProblems(error.problems) : errorMessage(error)}\n`)
    return exitCodeFor(error)
  }
  return run(settings)
}

type DatabaseCommands = typeof import('./database-commands.ts')

/** Runs a command that only reads the database file; what it uses is loaded only then. */
function withDatabase(run: (commands: DatabaseCommands, command: DatabaseCommand) => Promise<number>): Promise<number> {
  return withSettings(async ({ database }) => {
    const { stdout, stderr } = process
    // A reader that goes away early has seen what it wanted.
    for (const stream of [stdout, stderr]) stream.on('error', () => undefined)
    return run(await import('./database-commands.ts'), { databasePath: database.path, stdout, stderr })
  })
}

async function showSettings(settings: Settings): Promise<number> {
  const rows = describeSettings(settings)
  const width = Math.max(...rows.map(({ key }) => key.length))
  return print(rows.map(({ key, value, source }) => `${key.padEnd(width)}  ${value}  (${source})\n`).join(''))
}

/** Writes to standard output; resolves with the exit code. */
function print(text: string): Promise<number> {
  return new Promise((resolve) => {
    // The callback below is told as well; without a listener the process would end right here.
    process.stdout.on('error', () => undefined)
    process.stdout.write(text, (error) => {
      if (!error || isBrokenPipe(error)) return resolve(EXIT.ok)
      process.stderr.write(`${errorMessage(error)}\n`)
      resolve(EXIT.failed)
    })
  })
}

async function start(settings: Settings): Promise<number> {
  const logPretty = settings.log.pretty === 'always' || (settings.log.pretty === 'auto' && process.stderr.isTTY)
  const log = createThreadLog({ level: settings.log.level, pretty: logPretty, name: 'parley' })
  const interactive = process.stdin.isTTY && process.stdout.isTTY
  const onInterrupted = () => void process.kill(process.pid, 'SIGINT')
  const terminal = { input: process.stdin, output: process.stdout, notices: process.stderr, interactive, onInterrupted }
  const signal = nextStopSignal()
  // Half a second of work that neither a wrong setting nor another command should have to wait for.
  const { App } = await import('./app.ts')
  const app = new App({ settings, logPretty, log, terminal })
  try {
    const cause = await Promise.race([app.start().then(() => app.ended), signal.received])
    if (cause !== undefined) log.info({ signal: cause }, 'stopping')
    await app.stop(cause === undefined ? 0 : settings.shutdown.graceMs)
    return EXIT.ok
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n`)
    await app.stop(0)
    return exitCodeFor(error)
  } finally {
    signal.ignore()
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version }: { version: string } = JSON.parse(text)
  return version
}
