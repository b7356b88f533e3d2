import { Writable } from 'node:stream'

interface Waiter {
  readonly isMet: (text: string) => boolean
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Keeps everything written to it and lets a test wait for what it expects. */
export class Transcript extends Writable {
  text = ''
  readonly #waiters = new Set<Waiter>()
  #ended: Error | undefined

  constructor() {
    super({ decodeStrings: false, defaultEncoding: 'utf8' })
  }

  /** Resolves once the text is there so many times. */
  has(text: string, count = 1): Promise<void> {
    return this.until((all) => all.split(text).length > count)
  }

  /** Resolves once all that was written meets the condition; rejects when nothing more will come. */
  until(isMet: (text: string) => boolean): Promise<void> {
    if (isMet(this.text)) return Promise.resolve()
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#waiters.add({ isMet, resolve, reject }))
  }

  /** Says that nothing more will come, and why. */
  giveUp(reason: Error): void {
    this.#ended ??= reason
    for (const { reject } of this.#waiters) reject(this.#ended)
    this.#waiters.clear()
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    for (const waiter of [...this.#waiters]) {
      if (!waiter.isMet(this.text)) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
    done()
  }
}
