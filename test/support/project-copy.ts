import { spawn } from 'node:child_process'
import { appendFileSync, cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { temporaryFolder } from './temporary-folder.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

/** What is made and not written; the modules are shared instead. */
const NOT_COPIED: ReadonlySet<string> = new Set(['.git', 'node_modules', 'data', 'coverage'])

/** Enough to see what is wrong. */
const LONGEST_OUTPUT = 10_000

interface CheckResult {
  readonly exitCode: number | null
  /** The beginning of both of its outputs, without colours. */
  readonly output: string
}

/** A copy of the project that a test may spoil. */
export class ProjectCopy {
  readonly #folder = temporaryFolder()

  constructor() {
    for (const name of readdirSync(PROJECT)) {
      if (!NOT_COPIED.has(name)) cpSync(join(PROJECT, name), join(this.#folder, name), { recursive: true })
    }
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#folder, 'node_modules'))
  }

  /** Makes a file, or replaces it. */
  write(path: string, content: string): void {
    writeFileSync(join(this.#folder, path), content)
  }

  append(path: string, content: string): void {
    appendFileSync(join(this.#folder, path), content)
  }

  /** Replaces the one place in a file that matches; throws when there is none, or another one too. */
  replace(path: string, what: string | RegExp, by: string): void {
    const file = join(this.#folder, path)
    const text = readFileSync(file, 'utf8')
    const parts = text.split(what)
    const places = typeof what === 'string' ? parts.length - 1 : [...text.matchAll(new RegExp(what, 'g'))].length
    if (places !== 1) throw new Error(`expected one place in ${path} that matches ${String(what)}, got ${places}`)
    writeFileSync(file, text.replace(what, by))
  }

  /** Runs one of the project's npm scripts as npm does. */
  run(script: string): Promise<CheckResult> {
    const { scripts } = JSON.parse(readFileSync(join(this.#folder, 'package.json'), 'utf8'))
    return this.#execute(scripts[script])
  }

  /** Runs some of the project's test files. */
  test(files: readonly string[]): Promise<CheckResult> {
    return this.#execute(`vitest run --config test/vitest.config.ts ${files.join(' ')}`)
  }

  async #execute(command: string): Promise<CheckResult> {
    const { PATH } = process.env
    const child = spawn(command, {
      cwd: this.#folder,
      shell: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: [join(this.#folder, 'node_modules', '.bin'), PATH].join(delimiter) },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { exitCode, output: stripVTControlCharacters(output).slice(0, LONGEST_OUTPUT) }
  }
}
