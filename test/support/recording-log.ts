import type { Log } from '#actors/log.ts'

interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

/** Keeps every line and lets a test wait for the next one it expects. */
export class RecordingLog implements Log {
  readonly lines: Line[] = []
  readonly #waiting = new Set<(line: Line) => void>()

  debug(fields: object, message: string): void {
    this.#add({ level: 'debug', fields, message })
  }

  info(fields: object, message: string): void {
    this.#add({ level: 'info', fields, message })
  }

  warn(fields: object, message: string): void {
    this.#add({ level: 'warn', fields, message })
  }

  error(fields: object, message: string): void {
    this.#add({ level: 'error', fields, message })
  }

  child(): Log {
    return this
  }

  /** Resolves with the next line, from now on, whose message contains the text. */
  next(text: string): Promise<Line> {
    return new Promise((resolve) => {
      const onLine = (line: Line): void => {
        if (!line.message.includes(text)) return
        this.#waiting.delete(onLine)
        resolve(line)
      }
      this.#waiting.add(onLine)
    })
  }

  #add(line: Line): void {
    this.lines.push(line)
    for (const onLine of [...this.#waiting]) onLine(line)
  }
}
