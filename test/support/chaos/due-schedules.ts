import Database from 'better-sqlite3'
import { ScheduleRecords } from '#database/schedule-records.ts'
import type { Schedule } from '#domain/schedule.ts'
import type { MessageRecord } from '#support/discord/records.ts'
import { scheduleOf } from '#support/stored-schedules.ts'
import type { CrashWorld, Person } from './crash-world.ts'

const HOUR_MS = 3_600_000
/** How long an answer is waited for. */
const PATIENCE_MS = 40_000

/** What the test model makes of a question. */
const answerTo = ({ message }: Schedule) => `echo: ${message} (that is all)`

/** Stores a daily schedule whose time has just passed, while no process has the file. */
export function makeDue({ databasePath }: CrashWorld, { userId, channelId }: Person, message: string): Schedule {
  // A rule knows whole seconds.
  const nextAt = Math.floor(Date.now() / 1000) * 1000 - HOUR_MS
  const fields = { userId, channelId, message, nextAt, recurrence: 'daily', zone: 'UTC' } as const
  const schedule = scheduleOf(`schedule of ${message}`, fields)
  const database = new Database(databasePath)
  new ScheduleRecords(database).add(schedule, 25)
  database.close()
  return schedule
}

/** Resolves once a schedule's question is answered where it was to be. */
export async function isAnswered({ discord }: CrashWorld, schedule: Schedule): Promise<void> {
  const contentIncludes = answerTo(schedule)
  await discord.waitFor(
    { type: 'message', channelId: schedule.channelId, authorIsBot: true, contentIncludes },
    PATIENCE_MS,
  )
}

/** What is wrong with schedules whose time has come once, after all has come to its end; to be asked while no Parley runs. */
export async function scheduleProblems(world: CrashWorld, schedules: readonly Schedule[]): Promise<string[]> {
  const problems: string[] = []
  for (const schedule of schedules) {
    const messages = await world.discord.messages(schedule.channelId)
    const shown = messages.filter((message) => message.authorIsBot && hasShown(message, schedule))
    if (shown.length !== 1) problems.push(`${schedule.message}: its answer was shown in ${shown.length} messages`)
    problems.push(...storedProblems(world, schedule).map((problem) => `${schedule.message}: ${problem}`))
  }
  return problems
}

/** What a message ever said counts. */
function hasShown({ revisions }: MessageRecord, schedule: Schedule): boolean {
  return revisions.some(({ content }) => content.includes(answerTo(schedule)))
}

function storedProblems({ databasePath }: CrashWorld, { id, message, nextAt }: Schedule): string[] {
  const reader = new Database(databasePath, { readonly: true, fileMustExist: true })
  try {
    const requests = reader.prepare('SELECT status FROM requests WHERE message = ?').pluck().all(message)
    const turns = reader.prepare("SELECT id FROM messages WHERE role = 'user' AND content = ?").all(message)
    const planned = reader.prepare('SELECT next_at FROM schedules WHERE id = ?').pluck().all(id)
    const problems: string[] = []
    if (requests.join() !== 'COMPLETED')
      problems.push(`expected one answered request, got ${requests.join() || 'none'}`)
    if (turns.length !== 1) problems.push(`expected one turn, got ${turns.length}`)
    if (planned.join() !== String(nextAt + 24 * HOUR_MS)) problems.push(`is planned for ${planned.join() || 'never'}`)
    return problems
  } finally {
    reader.close()
  }
}
