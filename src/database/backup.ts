import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { errorMessage, ParleyError } from '#domain/errors.ts'
import { openToRead } from './read-database.ts'

/** How far a backup is, in pages. */
export interface BackupProgress {
  readonly copied: number
  readonly total: number
}

/** Small enough for the progress to be seen; a megabyte with pages of usual size. */
const PAGES_PER_STEP = 256

/**
 * Copies a database into a new file, also while a Parley runs on it: all of it as it was at one moment. The target
 * appears only when it is complete, checked and on the disk. Resolves with its size in bytes. Throws what `openToRead`
 * throws, or BACKUP_FAILED; then no file is left behind.
 */
export async function backupDatabase(
  path: string,
  configuredTarget: string,
  onProgress: (progress: BackupProgress) => void = () => undefined,
): Promise<number> {
  const target = resolve(configuredTarget)
  const source = openToRead(path)
  try {
    refuseExisting(target)
    return await copyTo(target, source, onProgress)
  } catch (error) {
    throw error instanceof ParleyError ? error : backupError(target, error)
  } finally {
    source.close()
  }
}

async function copyTo(
  target: string,
  source: Database.Database,
  onProgress: (progress: BackupProgress) => void,
): Promise<number> {
  const partial = `${target}.partial`
  removePartial(partial)
  try {
    await copy(source, partial, onProgress)
    check(partial)
    flush(partial)
    refuseExisting(target)
    renameSync(partial, target)
  } finally {
    removePartial(partial)
  }
  flush(dirname(target))
  return statSync(target).size
}

/** The source stays at the moment when it was opened; without that, every commit of Parley would begin it anew. */
async function copy(
  source: Database.Database,
  partial: string,
  onProgress: (progress: BackupProgress) => void,
): Promise<void> {
  // It holds what people have written: as private as a file can be, from the first byte on.
  closeSync(openSync(partial, 'wx', 0o600))
  const { totalPages } = await source.backup(partial, {
    progress: ({ totalPages: total, remainingPages }) => {
      onProgress({ copied: total - remainingPages, total })
      return PAGES_PER_STEP
    },
  })
  onProgress({ copied: totalPages, total: totalPages })
}

/** A single file, which needs no write-ahead log beside it to be read; Parley brings that back when it opens it. */
function check(partial: string): void {
  const copied = new Database(partial, { fileMustExist: true })
  try {
    copied.pragma('journal_mode = DELETE')
    const result = copied.pragma('quick_check', { simple: true })
    if (result !== 'ok') throw new Error(`the copy is damaged: ${String(result)}`)
  } finally {
    copied.close()
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function removePartial(partial: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(partial + suffix, { force: true })
}

function refuseExisting(target: string): void {
  if (!existsSync(target)) return
  const message = `${target} exists already. Nothing was changed. Choose another name, or move that file away.`
  throw new ParleyError('BACKUP_FAILED', message)
}

function backupError(target: string, cause: unknown): ParleyError {
  const message =
    `The backup ${target} could not be made (${errorMessage(cause)}). Nothing was left behind. Check that its folder ` +
    `exists, that you may write there, and that the disk has room for it.`
  return new ParleyError('BACKUP_FAILED', message, { cause })
}
