import type { Database } from 'better-sqlite3'
import type { ConversationKey } from '#domain/conversation.ts'
import type { ErrorCode } from '#domain/errors.ts'
import { CONSOLE_ID, type ConversationRequest, type RequestOrigin, type RequestStatus } from '#domain/request.ts'
import type { RecoveredRequest, Settlement } from '#protocol/database.ts'
import { FILE_NAMES } from './attachment-records.ts'
import { CLAIM_FIELDS } from './fair-records.ts'
import type { RequestState } from './request-fence.ts'
import { MISSED } from './schedule-records.ts'

interface CompletedRequest extends ConversationRequest {
  readonly attempt: number
  readonly finishedAt: number
}

/** A request as it is stored, with what its next execution needs. */
export interface StoredRequest extends Omit<ConversationRequest, 'fileNames' | 'missed'> {
  readonly attempt: number
  readonly statusMessageId: string | null
  readonly status: RequestStatus
  /** As JSON; null without any. */
  readonly fileNames: string | null
  /** 0 or 1; null when it was not scheduled. */
  readonly missed: number | null
}

interface FinishedRequest extends ConversationKey {
  readonly id: string
}

const COLUMNS = `id, user_id, server_id, channel_id, message, timestamp, interaction_token, priority, tier, share_start,
  share_weight, cost_estimate, not_before,
  replaces, direct_server_name, admission, discord_message_id, status, attempt`
const VALUES = `@id, @userId, @serverId, @channelId, @message, @timestamp, @interactionToken, 0, @tier, @shareStart,
  @shareWeight, @costEstimate, @notBefore,
  @replaces, @directServerName, (SELECT coalesce(max(admission), 0) + 1 FROM requests)`

/** The columns of a stored request under the names of its fields. */
export const REQUEST_FIELDS = `requests.id, requests.user_id AS userId, server_id AS serverId, channel_id AS channelId,
  message, timestamp, discord_message_id AS discordMessageId, interaction_token AS interactionToken, ${CLAIM_FIELDS},
  not_before AS notBefore, replaces, direct_server_name AS directServerName, attempt,
  status_message_id AS statusMessageId, status, ${FILE_NAMES} AS fileNames,
  ${MISSED} AS missed`

const ACTIVE = `status IN ('QUEUED', 'PROCESSING')`

/** In SQL what `originOf` says; takes the parameter `origin`. */
export const OF_ORIGIN = `CASE requests.user_id WHEN '${CONSOLE_ID}' THEN 'console' ELSE 'discord' END = @origin`

/** Everything that is asked of the table of requests, prepared once. */
export function prepareRequestStatements(database: Database) {
  return {
    insertQueued: database.prepare<[ConversationRequest]>(
      `INSERT INTO requests (${COLUMNS}) VALUES (${VALUES}, @discordMessageId, 'QUEUED', 0)
         ON CONFLICT (id) DO NOTHING ON CONFLICT (discord_message_id) DO NOTHING`,
    ),
    /** Its Discord message may have become another request, while this one could not be stored. */
    insertCompleted: database.prepare<[CompletedRequest]>(
      `INSERT INTO requests (${COLUMNS}, started_at, finished_at) VALUES (${VALUES},
         iif(EXISTS (SELECT 1 FROM requests WHERE discord_message_id = @discordMessageId), NULL, @discordMessageId),
         'COMPLETED', @attempt, @finishedAt, @finishedAt)`,
    ),
    /** The queue takes in what was scheduled: it gets its place in line, and its wait there begins. */
    queueScheduled: database.prepare<[ConversationRequest]>(
      `UPDATE requests SET status = 'QUEUED', admission = (SELECT coalesce(max(admission), 0) + 1 FROM requests),
         timestamp = @timestamp, tier = @tier, share_start = @shareStart, share_weight = @shareWeight, cost_estimate = @costEstimate
         WHERE id = @id AND status = 'SCHEDULED'`,
    ),
    scheduled: database.prepare<[], StoredRequest>(
      `SELECT ${REQUEST_FIELDS} FROM requests WHERE status = 'SCHEDULED' ORDER BY not_before, id`,
    ),
    state: database.prepare<[requestId: string], RequestState>('SELECT status, attempt FROM requests WHERE id = ?'),
    byId: database.prepare<[requestId: string], StoredRequest>(`SELECT ${REQUEST_FIELDS} FROM requests WHERE id = ?`),
    start: database.prepare<[{ requestId: string; attempt: number; startedAt: number }]>(
      `UPDATE requests SET status = 'PROCESSING', attempt = @attempt, started_at = @startedAt WHERE id = @requestId`,
    ),
    requeue: database.prepare<[{ requestId: string; attempt: number }]>(
      `UPDATE requests SET status = 'QUEUED', attempt = @attempt WHERE id = @requestId`,
    ),
    settle: database.prepare<[Settlement]>(
      'UPDATE requests SET status = @status, error_code = @errorCode, finished_at = @finishedAt WHERE id = @requestId',
    ),
    complete: database.prepare<[{ requestId: string; attempt: number; finishedAt: number }]>(
      `UPDATE requests SET status = 'COMPLETED', attempt = @attempt, started_at = coalesce(started_at, @finishedAt),
         finished_at = @finishedAt WHERE id = @requestId`,
    ),
    /** Its text is that of the request which has taken its place. */
    blankReplaced: database.prepare<[requestId: string]>(`UPDATE requests SET message = '' WHERE id = ?`),
    setMessage: database.prepare<[{ requestId: string; message: string }]>(
      'UPDATE requests SET message = @message WHERE id = @requestId',
    ),
    setStatusMessage: database.prepare<[{ requestId: string; statusMessageId: string }]>(
      'UPDATE requests SET status_message_id = @statusMessageId WHERE id = @requestId',
    ),
    requeueInterrupted: database.prepare<[{ origin: RequestOrigin }]>(
      `UPDATE requests SET status = 'QUEUED' WHERE ${ACTIVE} AND status = 'PROCESSING' AND ${OF_ORIGIN}`,
    ),
    /** The plus keeps SQLite from reading all that was ever stored in the order of the other index. */
    waiting: database.prepare<[{ origin: RequestOrigin }], StoredRequest>(
      `SELECT ${REQUEST_FIELDS} FROM requests WHERE ${ACTIVE} AND status = 'QUEUED' AND ${OF_ORIGIN} ORDER BY +admission`,
    ),
    interruptActive: database.prepare<[{ origin: RequestOrigin; errorCode: ErrorCode; finishedAt: number }]>(
      `UPDATE requests SET status = 'FAILED', error_code = @errorCode, finished_at = @finishedAt,
         interaction_token = NULL WHERE ${ACTIVE} AND ${OF_ORIGIN}`,
    ),
    /** Ended before an instant and with nothing left to deliver, oldest first. */
    finishedBefore: database.prepare<[{ finishedBefore: number; limit: number }], FinishedRequest>(
      `SELECT id, user_id AS userId, server_id AS serverId FROM requests
         WHERE finished_at < @finishedBefore
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE request_id = requests.id AND state = 'PENDING')
         ORDER BY finished_at LIMIT @limit`,
    ),
    delete: database.prepare<[requestId: string]>('DELETE FROM requests WHERE id = ?'),
  }
}

export type RequestStatements = ReturnType<typeof prepareRequestStatements>

/** A stored request as it is handed on. */
export function recoveredRequest(stored: StoredRequest): RecoveredRequest {
  const { attempt, statusMessageId, status: _status, fileNames, missed, ...fields } = stored
  const names = fileNames === null ? {} : { fileNames: readNames(fileNames) }
  const request = { ...fields, ...names, ...(missed === 1 && { missed: true as const }) }
  return { request, attempt, statusMessageId }
}

/** Written as JSON by the statement that read it. */
function readNames(json: string): readonly string[] {
  return JSON.parse(json)
}
