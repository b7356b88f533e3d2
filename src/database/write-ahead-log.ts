import { statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'

/** The size of a database's write-ahead log. It is only looked at: opening it would interfere with SQLite's locks. */
export function logBytes(path: string): number {
  try {
    return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  } catch {
    // A disk that does not even tell a size is in a trouble of which every write tells.
    return 0
  }
}

/** The log grows to some megabytes in daily life; this much means that it cannot be brought into the file. */
const MAX_BYTES = 64 * 1024 * 1024

/** What SQLite answers to a checkpoint, in pages; -1 when there is no log. */
interface Checkpoint {
  readonly log: number
  readonly checkpointed: number
}

/** Tells the log, once each time, that the write-ahead log of a database cannot be brought into the file, and its end. */
export class WriteAheadLogWatch {
  readonly #database: Database
  readonly #log: Log
  readonly #maxBytes: number
  readonly #pageBytes: number
  #held = false

  constructor(database: Database, log: Log, maxBytes: number = MAX_BYTES) {
    this.#database = database
    this.#log = log
    this.#maxBytes = maxBytes
    this.#pageBytes = Number(database.pragma('page_size', { simple: true }))
  }

  /** Looks how it stands: at the size only, unless that is out of bounds or was. */
  look(): void {
    const bytes = logBytes(this.#database.name)
    if (!this.#held && bytes <= this.#maxBytes) return
    const { keptBytes, reason } = this.#checkpoint(bytes)
    if (!this.#held && keptBytes > this.#maxBytes) {
      this.#held = true
      this.#log.warn({ walBytes: bytes, reason }, 'the write-ahead log grows: it cannot be brought into the database')
    } else if (this.#held && keptBytes <= this.#maxBytes / 2) {
      this.#held = false
      this.#log.info({ walBytes: bytes }, 'the write-ahead log could be brought into the database again')
    }
  }

  /** The file itself never shrinks before it is written from its start again, so what is left to bring in counts. */
  #checkpoint(bytes: number): { keptBytes: number; reason: string } {
    try {
      // SQLite answers with one row of this shape.
      const [result] = this.#database.pragma('wal_checkpoint(PASSIVE)') as Checkpoint[]
      const pages = result === undefined ? 0 : result.log - result.checkpointed
      return {
        keptBytes: Math.max(0, pages) * this.#pageBytes,
        reason: 'another program reads the file for a long time',
      }
    } catch (error) {
      return { keptBytes: bytes, reason: errorMessage(error) }
    }
  }
}
