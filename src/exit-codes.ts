import { errorCode } from '#domain/errors.ts'

/** What the process tells whoever started it. */
export const EXIT = {
  ok: 0,
  /** Something broke that starting again may mend. */
  failed: 1,
  /** A setting is wrong. */
  config: 2,
  /** The database file cannot be used. */
  database: 3,
  /** Discord did not let the bot in. */
  discord: 4,
} as const

/** The exit code for an error that ended Parley. */
export function exitCodeFor(error: unknown): number {
  const code = errorCode(error)
  if (code === 'CONFIG_INVALID') return EXIT.config
  if (code?.startsWith('DATABASE_')) return EXIT.database
  if (code?.startsWith('DISCORD_')) return EXIT.discord
  return EXIT.failed
}
