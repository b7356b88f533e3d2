import type { Writable } from 'node:stream'
import { answerNotes, HELD_UP, NOT_REMEMBERED } from '#domain/notices.ts'
import type { HeldUp, Refusal, RequestEvent } from '#protocol/queue.ts'

type Completed = Extract<RequestEvent, { type: 'completed' }>

/** Writes one answer to the terminal as it comes; what is not the answer goes to the notices. */
export class ConsoleAnswer {
  readonly #output: Writable
  readonly #notices: Writable
  #resolveEnded: () => void = () => undefined
  #written = ''
  #toldOf: HeldUp | undefined
  /** Resolves when nothing more will come. */
  readonly ended = new Promise<void>((resolve) => {
    this.#resolveEnded = resolve
  })

  constructor(output: Writable, notices: Writable) {
    this.#output = output
    this.#notices = notices
  }

  take(event: RequestEvent): void {
    switch (event.type) {
      case 'delta':
        return this.#write(event.text)
      case 'completed':
        return this.#complete(event)
      case 'failed':
        return this.#end(`${event.failure.message} (${event.failure.code})`)
      case 'cancelled':
        return this.#end('Cancelled.')
      case 'retrying':
        return this.#startOver(`Trying again (${event.nextAttempt} of ${event.maxAttempts}).`)
      case 'heldUp':
        return this.heldUp('model')
      case 'suspended':
        return this.#end('Parley stopped before this was answered. Please ask again.')
      case 'queued':
      case 'started':
      case 'thinking':
        return
      default:
        return event satisfies never
    }
  }

  /** Nothing begins at the moment; the same reason is told once. */
  heldUp(reason: HeldUp): void {
    if (this.#toldOf === reason) return
    this.#toldOf = reason
    this.#startOver(HELD_UP[reason])
  }

  refused(refusal: Refusal): void {
    this.#end(`${refusal.message} (${refusal.code})`)
  }

  #write(text: string): void {
    this.#written += text
    this.#output.write(text)
  }

  /** The last pieces can still be on their way when the whole answer is there. */
  #complete(event: Completed): void {
    const { answer } = event
    const isBegun = answer.startsWith(this.#written)
    this.#write(isBegun ? answer.slice(this.#written.length) : `\n${answer}`)
    this.#output.write('\n')
    for (const note of notesOn(event)) this.#notices.write(`${note}\n`)
    this.#resolveEnded()
  }

  #startOver(notice: string): void {
    if (this.#written !== '') this.#output.write('\n')
    this.#written = ''
    this.#notices.write(`${notice}\n`)
  }

  #end(notice: string): void {
    if (this.#written !== '') this.#output.write('\n')
    this.#notices.write(`${notice}\n`)
    this.#resolveEnded()
  }
}

/** What the answer itself does not tell. */
function notesOn(event: Completed): string[] {
  return event.stored ? answerNotes(event) : [...answerNotes(event), NOT_REMEMBERED]
}
