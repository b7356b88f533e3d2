import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Sabotage } from './chaos/saboteur.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { Transcript } from './transcript.ts'

export interface ParleyOptions {
  /** The command line after the program's name. */
  readonly args?: readonly string[]
  /** Environment variables; nothing of the host's is handed on. */
  readonly env?: Readonly<Record<string, string>>
  /** The working folder, which holds the database; a new one unless it is that of an earlier process. */
  readonly folder?: string
  /** Whether its threads die when it is told to with `sabotage`. */
  readonly sabotaged?: boolean
}

/** How a process ended. */
interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One line of the log, as pino writes it. */
interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const SABOTEUR = new URL('./chaos/saboteur.ts', import.meta.url).href
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/parley-tests', import.meta.url))

/** Parley as its owner starts it: a process of its own, with nobody at its terminal. */
export class ParleyProcess {
  readonly folder: string
  readonly stdout = new Transcript()
  readonly stderr = new Transcript()
  /** Resolves when the process has ended and all it wrote is here. */
  readonly exited: Promise<Exit>
  readonly #child: Child

  constructor(options: ParleyOptions) {
    this.folder = options.folder ?? temporaryFolder()
    const preload = options.sabotaged ? ['--import', SABOTEUR] : []
    const child = spawn(process.execPath, [...preload, MAIN, ...(options.args ?? [])], {
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'pipe', ...(options.sabotaged ? (['ipc'] as const) : [])],
      env: {
        // The project's own folder can hold a local.yaml of the host's.
        PARLEY_CONFIG_DIR: this.folder,
        PARLEY_POOL_SIZE: '1',
        PARLEY_OFFLINE_WORD_DELAY: '0',
        // The same modules are compiled for every process of every test.
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...options.env,
      },
    })
    if (!hasPipes(child)) throw new Error('expected pipes to the standard streams')
    this.#child = child
    this.#child.stdout.setEncoding('utf8').pipe(this.stdout)
    this.#child.stderr.setEncoding('utf8').pipe(this.stderr)
    // A process that has ended reads no more.
    this.#child.stdin.on('error', () => undefined)
    this.exited = this.#untilClosed()
  }

  get databasePath(): string {
    return join(this.folder, 'data', 'parley.db')
  }

  /** The log so far. */
  get log(): LogLine[] {
    return logLines(this.stderr.text)
  }

  /** Standard error without the log. */
  get notices(): string {
    return this.stderr.text.replaceAll(/^\{.*\}\n/gm, '')
  }

  get pid(): number {
    const { pid } = this.#child
    if (pid === undefined) throw new Error('expected a process that has started')
    return pid
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Writes lines to its standard input. */
  say(...lines: string[]): void {
    this.#child.stdin.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Ends its standard input, after these lines. */
  sayLast(...lines: string[]): void {
    this.say(...lines)
    this.#child.stdin.end()
  }

  /** Stops reading its standard output, as `head` does. */
  stopReading(): void {
    this.#child.stdout.destroy()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Makes threads of it die; only one that was started for it can be told. */
  sabotage(order: Sabotage): void {
    // A process that has ended is not told.
    if (this.#child.connected) this.#child.send(order, () => undefined)
  }

  /** Resolves with the first line of the log that says this. */
  async logged(message: string): Promise<LogLine> {
    const find = (text: string) => logLines(text).find(({ msg }) => msg === message)
    await this.stderr.until((text) => find(text) !== undefined)
    const line = find(this.stderr.text)
    if (line === undefined) throw new Error(`expected a line ${message} in the log`)
    return line
  }

  /** Ends it whatever it does; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  /** What a failing test needs to see. */
  describe(): string {
    return `Its output:\n${this.stdout.text}\nIts errors:\n${this.stderr.text}`
  }

  #untilClosed(): Promise<Exit> {
    return new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        const reason = new Error(`Parley ended (${code ?? signal}). ${this.describe()}`)
        this.stdout.giveUp(reason)
        this.stderr.giveUp(reason)
        resolve({ code, signal })
      })
    })
  }
}

type Child = ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable }

function hasPipes(child: ChildProcess): child is Child {
  return child.stdin !== null && child.stdout !== null && child.stderr !== null
}

/** Starts Parley; a test that leaves it running fails. */
export function startParley(options: ParleyOptions = {}): ParleyProcess {
  const parley = new ParleyProcess(options)
  onTestFinished(async () => {
    if (!parley.isRunning) return
    await parley.kill()
    throw new Error(`Parley was still running at the end of the test. ${parley.describe()}`)
  })
  return parley
}

/** Runs Parley to its end with these lines as its input. */
export async function runParley(lines: readonly string[], options: ParleyOptions = {}): Promise<ParleyProcess & Exit> {
  const parley = startParley(options)
  parley.sayLast(...lines)
  return Object.assign(parley, await parley.exited)
}

/** A line that is not complete yet is none. */
function logLines(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}
