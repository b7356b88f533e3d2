import type { Claim } from './fair-shares.ts'

/** Where a request stands; `mayFollow` lists the only moves between these. */
export type RequestStatus = 'SCHEDULED' | 'QUEUED' | 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'CANCELLED'

export type TerminalStatus = Extract<RequestStatus, 'COMPLETED' | 'FAILED' | 'CANCELLED'>

/** One accepted message of a user, as it is kept in the database and handed between threads. */
export interface ConversationRequest extends Claim {
  /** UUIDv7, so ids sort by creation. */
  readonly id: string
  /** Discord snowflake as a string; `CONSOLE_ID` for the terminal. */
  readonly userId: string
  /** Discord snowflake as a string; `DIRECT_SERVER_ID` for the direct conversation. */
  readonly serverId: string
  /** Where the answer is shown. */
  readonly channelId: string
  /** What the user wrote, bounded at admission. */
  readonly message: string
  /** The files that came with it, those that cannot be used too; left out when there were none. */
  readonly fileNames?: readonly string[]
  /** When it was taken in, ms since epoch; of what was scheduled and has not been, when it became due. */
  readonly timestamp: number
  /** The Discord message or interaction it came from; unique when known. */
  readonly discordMessageId: string | null
  /** Lets a command's answer go on for a quarter of an hour, in another process too; null for messages. */
  readonly interactionToken: string | null
  /** When it was scheduled for, ms since epoch: it did not begin before; null for what was asked at once. */
  readonly notBefore: number | null
  /** The request whose turn goes when the turn of this one is stored, if that is still the newest of the conversation. */
  readonly replaces: string | null
  /** Of a direct message in a server's conversation: the server's name, which its reader is told; null for all others. */
  readonly directServerName: string | null
  /** That time passed while Parley was not running; left out otherwise. */
  readonly missed?: true
}

/** The server id of a direct conversation. */
export const DIRECT_SERVER_ID = '0'

/** Tells whether a request came in a direct conversation, whichever server's conversation it belongs to. */
export function isDirect({ serverId, directServerName }: ConversationRequest): boolean {
  return serverId === DIRECT_SERVER_ID || directServerName !== null
}

/** The user id, and the channel id, of whoever sits at the terminal. */
export const CONSOLE_ID = 'console'

/** Where a request came from, and so where its answer is shown. */
export type RequestOrigin = 'discord' | 'console'

export function originOf({ userId }: Pick<ConversationRequest, 'userId'>): RequestOrigin {
  return userId === CONSOLE_ID ? 'console' : 'discord'
}

/** What a request that was scheduled brings along when the queue takes it in. */
export type ScheduledFacts = Pick<ConversationRequest, 'id' | 'notBefore' | 'missed'>

/** Tells whether a request was scheduled: it is in the file, and has its id, before the queue takes it in. */
export function isScheduled({ notBefore }: Pick<ConversationRequest, 'notBefore'>): boolean {
  return notBefore !== null
}

const ARROWS: Readonly<Record<RequestStatus, readonly RequestStatus[]>> = {
  SCHEDULED: ['QUEUED', 'CANCELLED'],
  QUEUED: ['PROCESSING', 'FAILED', 'CANCELLED'],
  PROCESSING: ['QUEUED', 'COMPLETED', 'FAILED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
}

/** Tells whether a request may move from one status to another. */
export function mayFollow(from: RequestStatus, to: RequestStatus): boolean {
  return ARROWS[from].includes(to)
}

export function isTerminal(status: RequestStatus): status is TerminalStatus {
  return ARROWS[status].length === 0
}
