import type { Database } from 'better-sqlite3'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import { GroupCommit, type GroupCommitCounters, type WriteOptions } from './group-commit.ts'

/** How calls reach the records: reads at once, writes in the next commit, and neither once the file is closing. */
export class RecordAccess {
  readonly #groupCommit: GroupCommit
  readonly #onClose: () => void
  #reads = 0
  #failedReads = 0
  #closing: Promise<void> | undefined

  /** `onClose` closes the file; it is called once, after the last commit. */
  constructor(database: Database, onClose: () => void) {
    this.#groupCommit = new GroupCommit(database)
    this.#onClose = onClose
  }

  get counters(): GroupCommitCounters & { readonly reads: number } {
    const { failed, ...counters } = this.#groupCommit.counters
    return { ...counters, reads: this.#reads, failed: failed + this.#failedReads }
  }

  async write<T>(work: () => T, options?: WriteOptions<T>): Promise<T> {
    this.#refuseWhenClosing()
    return this.#groupCommit.write(work, options)
  }

  async read<T>(work: () => T): Promise<T> {
    this.#refuseWhenClosing()
    this.#reads += 1
    try {
      return work()
    } catch (cause) {
      this.#failedReads += 1
      throw new ParleyError('DATABASE_FAILED', `The database could not be read (${errorMessage(cause)}).`, { cause })
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#groupCommit.flush()
    this.#onClose()
  }

  #refuseWhenClosing(): void {
    if (this.#closing === undefined) return
    throw new ParleyError('DATABASE_UNAVAILABLE', 'The database is closing. The call was not made.')
  }
}
