import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { CONSOLE_ID, DIRECT_SERVER_ID } from '#domain/request.ts'
import type { DatabaseApi } from '#protocol/database.ts'
import type { Gateway } from '#protocol/gateway.ts'
import type { RequestEvent, RequestQueue } from '#protocol/queue.ts'
import { isBrokenPipe } from './broken-pipe.ts'
import { ConsoleAnswer } from './console-answer.ts'
import { runCommand } from './console-commands.ts'

export interface ConsoleOptions {
  readonly queue: RequestQueue
  readonly store: Pick<DatabaseApi, 'history' | 'forget' | 'statistics'>
  readonly input: Readable
  /** Answers alone. */
  readonly output: Writable
  /** Prompt and notices. */
  readonly notices: Writable
  /** Whether a person sits at it: then there is a greeting and a prompt. */
  readonly interactive: boolean
  /** Ctrl+C, which a terminal does not turn into a signal while lines are being edited. */
  readonly onInterrupted: () => void
  /** The input has ended, the person has, or answers can no longer be written: then with the reason. */
  readonly onEnded: (problem?: Error) => void
}

/**
 * The same conversation in the terminal: each line is a question, answered before the next is read.
 * Lines that come meanwhile wait, so a file can be piped in.
 */
export class ConsoleGateway implements Gateway {
  readonly origin = 'console'
  readonly #options: ConsoleOptions
  #lines: Interface | undefined
  #closed = false
  /** Resolves once a question has ended that a paused queue keeps. */
  #kept: Promise<void> | undefined

  constructor(options: ConsoleOptions) {
    this.#options = options
    options.output.on('error', (error) => this.#outputFailed(error))
    // Whoever does not read them misses the notices only.
    options.notices.on('error', () => undefined)
  }

  async start(): Promise<void> {
    const { onEnded } = this.#options
    // What is read before somebody takes the lines is lost, so nothing is read before.
    if (!this.#closed) void this.#converse(this.#read()).then(() => onEnded(), onEnded)
  }

  #read(): Interface {
    const { input, notices, interactive, onInterrupted } = this.#options
    const editing = interactive ? { output: notices, prompt: 'you> ', historySize: 100 } : {}
    const lines = createInterface({ input, ...editing })
    lines.on('SIGINT', onInterrupted)
    this.#lines = lines
    return lines
  }

  /** Whoever asked has seen the program end; what was left is ended as interrupted at the start. */
  resume(): (event: RequestEvent) => void {
    return () => undefined
  }

  deliver(): void {
    // As for `resume`.
  }

  stopIntake(): void {
    this.#closed = true
    this.#lines?.close()
  }

  async stop(): Promise<void> {
    this.stopIntake()
    this.#options.input.destroy()
  }

  /** Until the input ends or `/quit`; each line is dealt with before the next. Rejects when it cannot be read. */
  async #converse(lines: Interface): Promise<void> {
    const { interactive, notices } = this.#options
    if (interactive) notices.write('This is Parley. Write a question and press Enter; /help lists the commands.\n')
    this.#prompt()
    for await (const line of lines) {
      if (this.#closed || (await this.#take(line.trim())) === 'quit') break
      this.#prompt()
    }
  }

  #outputFailed(error: Error): void {
    this.stopIntake()
    this.#options.onEnded(isBrokenPipe(error) ? undefined : error)
  }

  async #take(line: string): Promise<'goOn' | 'quit'> {
    if (line === '') return 'goOn'
    if (!line.startsWith('/')) return this.#ask(line)
    const { queue, store, output, notices } = this.#options
    const conversation = { userId: CONSOLE_ID, serverId: DIRECT_SERVER_ID }
    const next = await runCommand(line, { queue, store, conversation, output, notices })
    if (queue.stats().mode !== 'paused') await this.#kept
    return next
  }

  async #ask(message: string): Promise<'goOn'> {
    const { queue, output, notices } = this.#options
    const answer = new ConsoleAnswer(output, notices)
    const request = {
      userId: CONSOLE_ID,
      serverId: DIRECT_SERVER_ID,
      channelId: CONSOLE_ID,
      message,
      discordMessageId: null,
      interactionToken: null,
    }
    const result = await queue.addRequest(request, (event) => answer.take(event))
    const { heldUp } = queue.outlook(result.accepted ? result.position : 0)
    if (!result.accepted) answer.refused(result.refusal)
    else if (heldUp) answer.heldUp(heldUp)
    // Only the next lines can open a paused queue.
    if (result.accepted && queue.stats().mode === 'paused') this.#kept = answer.ended
    else await answer.ended
    return 'goOn'
  }

  #prompt(): void {
    if (this.#options.interactive && !this.#closed) this.#lines?.prompt()
  }
}
