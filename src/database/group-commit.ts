import type { Database, Statement } from 'better-sqlite3'
import { crashPoint } from '#actors/crash-point.ts'
import { errorMessage, ParleyError } from '#domain/errors.ts'

export interface WriteOptions<T> {
  /** What is stored, as crash points name it. */
  readonly label?: 'accept' | 'answer'
  /** Called after the commit and before anybody is told, with what the work returned; must not throw. */
  readonly afterCommit?: (value: T) => void
}

interface Write {
  readonly work: () => unknown
  readonly options: WriteOptions<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: ParleyError) => void
}

/** How a write went inside the transaction; told to its caller only once the transaction has ended. */
type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

/** What went through since the start. */
export interface GroupCommitCounters {
  readonly writes: number
  readonly commits: number
  readonly failed: number
  readonly largestBatch: number
}

/** More writes than this in one transaction would keep the thread from its other calls for too long. */
const MAX_BATCH = 512

/**
 * Gathers the writes of one tick into one transaction, because a commit waits for the disk and a write does not.
 * Each write has a savepoint: its error undoes it alone. No write is acknowledged before the commit. A disk that takes
 * nothing fails the batch and leaves the connection ready for the next one.
 */
export class GroupCommit {
  readonly #database: Database
  readonly #maxBatch: number
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollback: Statement
  readonly #savepoint: Statement
  readonly #release: Statement
  readonly #undo: Statement
  #waiting: Write[] = []
  #scheduled = false
  #counters = { writes: 0, commits: 0, failed: 0, largestBatch: 0 }

  constructor(database: Database, maxBatch: number = MAX_BATCH) {
    this.#database = database
    this.#maxBatch = maxBatch
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#savepoint = database.prepare('SAVEPOINT one_write')
    this.#release = database.prepare('RELEASE one_write')
    this.#undo = database.prepare('ROLLBACK TO one_write')
  }

  get counters(): GroupCommitCounters {
    return { ...this.#counters }
  }

  /** Runs the work in the next transaction; resolves after its commit, rejects with DATABASE_FAILED. */
  write<T>(work: () => T, options: WriteOptions<T> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // The value of this work is all that its own options and caller are ever given.
      const write = { work, options: options as WriteOptions<unknown>, resolve: resolve as Write['resolve'], reject }
      this.#waiting.push(write)
      this.#schedule()
    })
  }

  /** Commits everything that waits, now. */
  flush(): void {
    while (this.#waiting.length > 0) this.#runBatch()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#runBatch()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #runBatch(): void {
    const batch = this.#waiting.splice(0, this.#maxBatch)
    if (batch.length === 0) return
    this.#counters.writes += batch.length
    this.#counters.largestBatch = Math.max(this.#counters.largestBatch, batch.length)
    let outcomes: Outcome[]
    try {
      outcomes = this.#runTransaction(batch)
      this.#counters.commits += 1
    } catch (error) {
      for (const write of batch) this.#tell(write, { ok: false, error })
      return
    }
    for (const [index, write] of batch.entries()) this.#conclude(write, outcomes[index])
    for (const [index, write] of batch.entries()) this.#tell(write, outcomes[index])
  }

  #runTransaction(batch: readonly Write[]): Outcome[] {
    this.#undoLeftover()
    this.#begin.run()
    try {
      const outcomes = batch.map((write) => this.#runOne(write))
      for (const { options } of batch) if (options.label) crashPoint(`${options.label}.before`)
      this.#commit.run()
      return outcomes
    } catch (error) {
      this.#undoLeftover()
      throw error
    }
  }

  /** Rolling back can itself meet the trouble that made it necessary; then the next batch tries again. */
  #undoLeftover(): void {
    if (!this.#database.inTransaction) return
    try {
      this.#rollback.run()
    } catch {
      // What counts is whether a transaction is left, and BEGIN says so.
    }
  }

  #runOne(write: Write): Outcome {
    this.#savepoint.run()
    try {
      const value = write.work()
      this.#release.run()
      return { ok: true, value }
    } catch (error) {
      // A full disk and the like end the whole transaction: then nothing of the batch is left to commit.
      if (!this.#database.inTransaction) throw error
      this.#undo.run()
      this.#release.run()
      return { ok: false, error }
    }
  }

  #conclude({ options }: Write, outcome: Outcome | undefined): void {
    if (options.label) crashPoint(`${options.label}.after`)
    if (outcome?.ok) options.afterCommit?.(outcome.value)
  }

  #tell(write: Write, outcome: Outcome | undefined): void {
    if (outcome?.ok) return write.resolve(outcome.value)
    this.#counters.failed += 1
    write.reject(writeError(outcome?.error))
  }
}

function writeError(cause: unknown): ParleyError {
  const message = `The database did not take the write (${errorMessage(cause)}). Nothing of it was stored.`
  return new ParleyError('DATABASE_FAILED', message, { cause })
}
