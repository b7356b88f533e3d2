import type { Clock } from '#actors/clock.ts'
import { type AttachedFile, fetchedFiles, fileNotes, isUsable, plainName } from '#domain/attachments.ts'
import type { GateRefusal, NewRequest, Refusal, RequestQueue } from '#protocol/queue.ts'
import { type FetchLimits, FileFetcher } from './file-fetcher.ts'
import type { AskedRequest } from './intake.ts'
import type { OfferedFile } from './offered-file.ts'
import { Permits } from './permits.ts'

export interface FileLimits extends FetchLimits {
  /** Files of one message. */
  readonly maxCount: number
}

export interface FileIntakeOptions {
  readonly limits: FileLimits
  readonly queue: Pick<RequestQueue, 'active'>
  readonly clock: Clock
}

type Outcome = Refusal | GateRefusal | undefined
type Add = (request: NewRequest) => Promise<Outcome>

/** Messages whose files are in memory at the same time: until they are stored, or turned away. */
const MESSAGES_AT_ONCE = 8

const NOT_FETCHED = 'not downloaded while another question of yours was worked on'

/**
 * Fetches the files of a message before it is offered to the queue: what is accepted has its files, and what could not be
 * fetched is known by then. Messages of one person keep their order.
 */
export class FileIntake {
  readonly #options: FileIntakeOptions
  readonly #fetcher: FileFetcher
  readonly #permits = new Permits(MESSAGES_AT_ONCE)
  /** Resolves once the last message of a person has been offered to the queue, which then keeps the order itself. */
  readonly #last = new Map<string, Promise<void>>()
  #closed = false

  constructor(options: FileIntakeOptions) {
    this.#options = options
    this.#fetcher = new FileFetcher(options.limits, options.clock)
  }

  /** Adds a message with its files; one that consists of files of which none can be used is refused. */
  async add({ offered = [], ...request }: AskedRequest, add: Add): Promise<Outcome> {
    const { userId } = request
    const before = this.#last.get(userId)
    if (offered.length === 0 && !before) return add(request)
    const added = Promise.withResolvers<void>()
    this.#last.set(userId, added.promise)
    const addInTurn: Add = (asked) => {
      added.resolve()
      return add(asked)
    }
    try {
      await before
      return await (offered.length === 0 ? addInTurn(request) : this.#withFiles(request, offered, addInTurn))
    } finally {
      added.resolve()
      if (this.#last.get(userId) === added.promise) this.#last.delete(userId)
    }
  }

  /** Ends what is being fetched. */
  close(): void {
    this.#closed = true
    this.#fetcher.close()
  }

  async #withFiles(request: NewRequest, offered: readonly OfferedFile[], add: Add): Promise<Outcome> {
    // It will be refused: nothing has to be fetched for that.
    if (this.#options.queue.active(request.userId)) {
      return add({ ...request, files: fetchedFiles(offered.map(({ name }) => unused(name, NOT_FETCHED))) })
    }
    return this.#permits.hold(async () => {
      const files = await this.#fetch(offered)
      const isNothing = request.message === '' && !files.some(isUsable)
      return isNothing && !this.#closed ? unusable(files) : add({ ...request, files: fetchedFiles(files) })
    })
  }

  async #fetch(offered: readonly OfferedFile[]): Promise<AttachedFile[]> {
    const { maxCount } = this.#options.limits
    const fetched = await Promise.all(offered.slice(0, maxCount).map((file) => this.#fetcher.fetch(file)))
    const reason = `more than ${maxCount} ${maxCount === 1 ? 'file' : 'files'} in one message`
    return [...fetched, ...offered.slice(maxCount).map(({ name }) => unused(name, reason))]
  }
}

function unused(name: string, reason: string): AttachedFile {
  return { kind: 'unused', name: plainName(name), reason }
}

function unusable(files: readonly AttachedFile[]): GateRefusal {
  const notes = fileNotes(files.filter((file) => file.kind === 'unused')).join(' ')
  return {
    code: 'FILES_UNUSABLE',
    message: `There is no text in your message, and its files cannot be used. ${notes} Nothing was taken in; please write what you want to know, or send other files.`,
  }
}
