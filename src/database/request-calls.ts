import type { Database } from 'better-sqlite3'
import { rememberedMessage } from '#domain/attachments.ts'
import type { ConversationKey, HistoryMessage } from '#domain/conversation.ts'
import type { AttachmentsApi } from '#protocol/attachments.ts'
import type { RequestRecordsApi, Turn, WriteResult } from '#protocol/database.ts'
import type { HistoryCache } from './history-cache.ts'
import { prepareMessageStatements } from './message-statements.ts'
import type { RecordAccess } from './record-access.ts'
import type { RequestRecords } from './request-records.ts'
import type { ServerRecords } from './server-records.ts'

interface Stores {
  readonly database: Database
  readonly records: RequestRecords
  readonly servers: ServerRecords
  readonly cache: HistoryCache
}

/** Question and answer. */
const TURN_MESSAGES = 2

/** The calls on requests, their files and their turns. */
export function requestCalls(access: RecordAccess, stores: Stores): RequestRecordsApi & AttachmentsApi {
  const { records } = stores
  const { attachments } = records
  return {
    acceptRequest: (request, files) => access.write(() => records.accept(request, files), { label: 'accept' }),
    filesOf: (requestId) => access.read(() => attachments.of(requestId)),
    fileBytes: (requestId, position) => access.read(() => attachments.bytes(requestId, position)),
    amendRequest: (requestId, message, discordMessageId) =>
      access.write(() => records.amend(requestId, message, discordMessageId)),
    startRequest: (requestId, attempt, startedAt, virtualTime) =>
      access.write(() => records.start(requestId, attempt, startedAt, virtualTime)),
    requeueRequest: (requestId, attempt, counted = true) =>
      access.write(() => records.requeue(requestId, attempt, counted)),
    settleRequest: (settlement) => access.write(() => records.settle(settlement)),
    findRequest: (requestId) => access.read(() => records.find(requestId)),
    setStatusMessage: (requestId, statusMessageId) =>
      access.write(() => records.setStatusMessage(requestId, statusMessageId)),
    markDelivered: (requestId, messageIds) => access.write(() => records.markDelivered(requestId, messageIds)),
    abandonDelivery: (requestId, reason) => access.write(() => records.abandonDelivery(requestId, reason)),
    recover: (origin) => access.write(() => records.recover(origin)),
    interruptLeftovers: (origin, finishedAt) => access.write(() => records.interruptLeftovers(origin, finishedAt)),
    directChannels: (limit) => access.read(() => records.directChannels(limit)),
    markRead: (channel) => access.write(() => records.markRead(channel)),
    ...turnCalls(access, stores),
  }
}

function turnCalls(
  access: RecordAccess,
  { database, records, servers, cache }: Stores,
): Pick<RequestRecordsApi, 'saveTurn' | 'history'> {
  const messages = prepareMessageStatements(database)
  /** Oldest first. */
  const newest = (key: ConversationKey, limit: number) =>
    cache.newest(key, limit, () => messages.newest.all({ ...key, limit }).reverse())
  return {
    saveTurn: (turn) =>
      access.write(() => saveTurn(turn, records, servers), {
        label: 'answer',
        afterCommit: (result) => {
          if (result === 'stale') return
          if (turn.request.replaces === null) cache.append(turn.request, historyOf(turn))
          else cache.drop(turn.request)
        },
      }),
    history: (key, limit, replaced = null) => {
      const bounded = Math.max(0, Math.trunc(limit))
      return access.read(() => {
        const leftOut = replaced !== null && records.isNewestTurn(key, replaced) ? TURN_MESSAGES : 0
        const found = newest(key, bounded + leftOut).slice(0, leftOut === 0 ? undefined : -leftOut)
        // An answer at the front has lost its question to the limit.
        return found[0]?.role === 'assistant' ? found.slice(1) : found
      })
    },
  }
}

/** One write: that somebody was told something is stored with what told them, or not at all. */
function saveTurn(turn: Turn, records: RequestRecords, servers: ServerRecords): WriteResult {
  const result = records.saveTurn(turn)
  if (result === 'stored' && turn.toldOf !== undefined) servers.noteTold(turn.request.userId, turn.toldOf)
  return result
}

/** The two history messages of a turn, as they are stored. */
function historyOf({ request, answer, answeredAt }: Turn): HistoryMessage[] {
  return [
    { role: 'user', content: rememberedMessage(request), timestamp: request.timestamp },
    { role: 'assistant', content: answer, timestamp: answeredAt },
  ]
}
