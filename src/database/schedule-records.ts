import type { Database } from 'better-sqlite3'
import { isMissed, nextOccurrence, type Schedule, withRecurrence } from '#domain/schedule.ts'
import type { ForgetScope } from '#protocol/personal-records.ts'
import type { DeniedRequest, DueQuestion, PromotionFacts, ScheduleChanges } from '#protocol/schedules.ts'
import { IN_SCOPE } from './personal-statements.ts'

/** In SQL whether the time of a request was missed; null for one that was not scheduled. */
export const MISSED = '(SELECT missed FROM scheduled_requests WHERE request_id = requests.id)'

/** Questions that are asked later. Each method is one write: to be called inside a savepoint, all or nothing. */
export class ScheduleRecords {
  readonly #statements: ReturnType<typeof prepareScheduleStatements>

  constructor(database: Database) {
    this.#statements = prepareScheduleStatements(database)
  }

  add(schedule: Schedule, limit: number): 'stored' | 'full' {
    // An earlier call has stored it, and its answer was lost.
    if (this.#statements.one.get(schedule)) return 'stored'
    if ((this.#statements.count.get(schedule.userId) ?? 0) >= limit) return 'full'
    this.#statements.insert.run(schedule)
    return 'stored'
  }

  of(userId: string): Schedule[] {
    return this.#statements.of.all(userId)
  }

  dueQuestionsOf(userId: string): DueQuestion[] {
    return this.#statements.dueQuestions.all(userId)
  }

  change(userId: string, id: string, changes: ScheduleChanges): Schedule | undefined {
    const schedule = this.#statements.one.get({ userId, id })
    if (!schedule) return undefined
    const changed = changedBy(schedule, changes)
    this.#statements.update.run(changed)
    return changed
  }

  /** Of a schedule, what has come of it and waits to be asked is cancelled as well. */
  delete(userId: string, id: string, finishedAt: number): boolean {
    const { deleteOwn, cancelOf, cancelOwn } = this.#statements
    if (deleteOwn.run({ userId, id }).changes === 0) return cancelOwn.run({ userId, id, finishedAt }).changes === 1
    cancelOf.run({ id, finishedAt })
    return true
  }

  /** The ids of the requests that came of it. */
  promoteDue({ now, runningSince, newIds }: PromotionFacts): string[] {
    const due = this.#statements.due.all({ now, limit: newIds.length })
    const fired: string[] = []
    for (const [index, schedule] of due.entries()) {
      const requestId = newIds[index]
      if (requestId === undefined) break
      const wasMissed = isMissed(schedule.nextAt, { now, runningSince })
      const isWanted = !wasMissed || schedule.ifMissed === 'run'
      if (isWanted && this.#statements.waits.get(schedule.id) !== 1) {
        this.#fire(schedule, { requestId, now, missed: Number(wasMissed) })
        fired.push(requestId)
      }
      this.#plan(schedule, now)
    }
    return fired
  }

  nextAt(): number | null {
    return this.#statements.nextAt.get() ?? null
  }

  /** Ends the schedule that a request came of. */
  endOf(requestId: string): void {
    this.#statements.endOf.run(requestId)
  }

  deny({ requestId, errorCode, finishedAt, endSchedule }: Omit<DeniedRequest, 'messages'>): boolean {
    if (this.#statements.deny.run({ requestId, errorCode, finishedAt }).changes === 0) return false
    if (endSchedule) this.endOf(requestId)
    return true
  }

  /** What waits to be asked is cancelled; its text goes with that of all requests that have ended. */
  forget(scope: ForgetScope, now: number): void {
    this.#statements.deleteWithin.run(scope)
    this.#statements.cancelWithin.run({ ...scope, finishedAt: now })
  }

  /** With its request. */
  deleteRequest(requestId: string): void {
    this.#statements.deleteRequest.run(requestId)
  }

  #fire({ id }: Schedule, { requestId, now, missed }: { requestId: string; now: number; missed: number }): void {
    this.#statements.insertRequest.run({ id, requestId, now })
    this.#statements.insertScheduled.run({ id, requestId, missed })
  }

  /** What was missed more than once comes once. */
  #plan(schedule: Schedule, now: number): void {
    const nextAt = nextOccurrence(schedule, Math.max(schedule.nextAt, now))
    if (nextAt === undefined) this.#statements.delete.run(schedule.id)
    else this.#statements.update.run({ ...schedule, nextAt })
  }
}

/** Without a time of its own, what comes again in another way goes on from the time that the file has. */
function changedBy(schedule: Schedule, changes: ScheduleChanges): Schedule {
  const changed = { ...schedule, ...changes }
  const { recurrence, nextAt } = changes
  return recurrence !== undefined && nextAt === undefined ? withRecurrence(changed, recurrence) : changed
}

const FIELDS = `id, user_id AS userId, server_id AS serverId, direct_server_name AS directServerName,
  channel_id AS channelId, message, recurrence, zone, hour, minute, second, weekday, if_missed AS ifMissed,
  next_at AS nextAt, created_at AS createdAt`

function prepareScheduleStatements(database: Database) {
  return {
    insert: database.prepare<[Schedule]>(
      `INSERT INTO schedules (id, user_id, server_id, direct_server_name, channel_id, message, recurrence, zone, hour,
         minute, second, weekday, if_missed, next_at, created_at)
         VALUES (@id, @userId, @serverId, @directServerName, @channelId, @message, @recurrence, @zone, @hour,
         @minute, @second, @weekday, @ifMissed, @nextAt, @createdAt)`,
    ),
    count: database.prepare<[userId: string], number>('SELECT count(*) FROM schedules WHERE user_id = ?').pluck(),
    one: database.prepare<[{ userId: string; id: string }], Schedule>(
      `SELECT ${FIELDS} FROM schedules WHERE id = @id AND user_id = @userId`,
    ),
    of: database.prepare<[userId: string], Schedule>(
      `SELECT ${FIELDS} FROM schedules WHERE user_id = ? ORDER BY next_at, id`,
    ),
    update: database.prepare<[Schedule]>(
      `UPDATE schedules SET message = @message, recurrence = @recurrence, zone = @zone, hour = @hour, minute = @minute,
         second = @second, weekday = @weekday, if_missed = @ifMissed, next_at = @nextAt WHERE id = @id`,
    ),
    /** By the few that wait, not by all that their user has ever asked. */
    dueQuestions: database.prepare<[userId: string], DueQuestion>(
      `SELECT id, message, not_before AS dueAt FROM requests WHERE status = 'SCHEDULED' AND +user_id = ?
         ORDER BY not_before, id`,
    ),
    /** 1 while one that has come of it has not been asked: a queue that stands still gathers one of each schedule. */
    waits: database
      .prepare<[id: string], number>(
        `SELECT EXISTS (SELECT 1 FROM scheduled_requests JOIN requests ON requests.id = request_id
           WHERE schedule_id = ? AND status = 'SCHEDULED')`,
      )
      .pluck(),
    delete: database.prepare<[id: string]>('DELETE FROM schedules WHERE id = ?'),
    deleteOwn: database.prepare<[{ userId: string; id: string }]>(
      'DELETE FROM schedules WHERE id = @id AND user_id = @userId',
    ),
    due: database.prepare<[{ now: number; limit: number }], Schedule>(
      `SELECT ${FIELDS} FROM schedules WHERE next_at <= @now ORDER BY next_at, id LIMIT @limit`,
    ),
    nextAt: database.prepare<[], number | null>('SELECT min(next_at) FROM schedules').pluck(),
    /** It is in line, and has its place, once the queue has taken it in. */
    insertRequest: database.prepare<[{ id: string; requestId: string; now: number }]>(
      `INSERT INTO requests (id, user_id, server_id, direct_server_name, channel_id, message, timestamp, priority,
         not_before, status) SELECT @requestId, user_id, server_id, direct_server_name, channel_id, message, @now, 0,
         next_at, 'SCHEDULED' FROM schedules WHERE id = @id`,
    ),
    insertScheduled: database.prepare<[{ id: string; requestId: string; missed: number }]>(
      'INSERT INTO scheduled_requests (request_id, schedule_id, missed) VALUES (@requestId, @id, @missed)',
    ),
    endOf: database.prepare<[requestId: string]>(
      'DELETE FROM schedules WHERE id = (SELECT schedule_id FROM scheduled_requests WHERE request_id = ?)',
    ),
    /** It is in line when an accept was stored whose answer was lost; the queue knows nothing of it then. */
    deny: database.prepare<[Pick<DeniedRequest, 'requestId' | 'errorCode' | 'finishedAt'>]>(
      `UPDATE requests SET status = 'CANCELLED', error_code = @errorCode, finished_at = @finishedAt
         WHERE id = @requestId AND not_before IS NOT NULL AND status IN ('SCHEDULED', 'QUEUED') AND attempt = 0`,
    ),
    cancelOf: database.prepare<[{ id: string; finishedAt: number }]>(
      `UPDATE requests SET status = 'CANCELLED', error_code = 'REQUEST_CANCELLED', finished_at = @finishedAt
         WHERE status = 'SCHEDULED' AND id IN (SELECT request_id FROM scheduled_requests WHERE schedule_id = @id)`,
    ),
    cancelOwn: database.prepare<[{ userId: string; id: string; finishedAt: number }]>(
      `UPDATE requests SET status = 'CANCELLED', error_code = 'REQUEST_CANCELLED', finished_at = @finishedAt
         WHERE status = 'SCHEDULED' AND id = @id AND user_id = @userId`,
    ),
    deleteWithin: database.prepare<[ForgetScope]>(`DELETE FROM schedules WHERE ${IN_SCOPE}`),
    cancelWithin: database.prepare<[ForgetScope & { finishedAt: number }]>(
      `UPDATE requests SET status = 'CANCELLED', error_code = 'REQUEST_CANCELLED', finished_at = @finishedAt
         WHERE ${IN_SCOPE} AND status = 'SCHEDULED'`,
    ),
    deleteRequest: database.prepare<[requestId: string]>('DELETE FROM scheduled_requests WHERE request_id = ?'),
  }
}
