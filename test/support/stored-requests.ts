import { NO_CLAIM } from '#domain/fair-shares.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { Settlement, Turn } from '#protocol/database.ts'

/** A request of a user of its own. */
export function requestOf(id: string, fields: Partial<ConversationRequest> = {}): ConversationRequest {
  return {
    id,
    userId: `user of ${id}`,
    serverId: '0',
    channelId: 'channel',
    message: `question ${id}`,
    timestamp: 1_900_000_000_000,
    discordMessageId: `message of ${id}`,
    interactionToken: null,
    ...NO_CLAIM,
    notBefore: null,
    replaces: null,
    directServerName: null,
    ...fields,
  }
}

/** The turn of a request that was answered. */
export function turnOf(request: ConversationRequest, fields: Partial<Turn> = {}): Turn {
  return {
    request,
    attempt: 1,
    answer: `answer ${request.id}`,
    model: 'a-model',
    usage: { promptTokens: 12, completionTokens: 34 },
    answeredAt: request.timestamp + 5000,
    messages: [],
    ...fields,
  }
}

/** The end of a request without an answer. */
export function settlementOf(requestId: string, attempt: number, fields: Partial<Settlement> = {}): Settlement {
  return {
    requestId,
    attempt,
    status: 'FAILED',
    errorCode: 'MODEL_FAILED',
    finishedAt: 1_900_000_001_000,
    messages: [],
    ...fields,
  }
}
