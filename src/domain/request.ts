/** Where a request stands; `mayFollow` lists the only moves between these. */
export type RequestStatus = 'SCHEDULED' | 'QUEUED' | 'PROCESSING' | 'COMPLETED' | 'FAILED' | 'CANCELLED'

export type TerminalStatus = Extract<RequestStatus, 'COMPLETED' | 'FAILED' | 'CANCELLED'>

/** One accepted message of a user, as it is kept in the database and handed between threads. */
export interface ConversationRequest {
  /** UUIDv7, so ids sort by creation. */
  readonly id: string
  /** Discord snowflake as a string; `console` for the terminal. */
  readonly userId: string
  /** Discord snowflake as a string; `DIRECT_SERVER_ID` for the direct conversation. */
  readonly serverId: string
  /** Where the answer is shown. */
  readonly channelId: string
  /** What the user wrote, bounded at admission. */
  readonly message: string
  /** Creation, ms since epoch. */
  readonly timestamp: number
  /** The Discord message or interaction it came from; unique when known. */
  readonly discordMessageId: string | null
  /** Reserved for tiers: larger runs earlier. */
  readonly priority: number
  /** Not to be started before this instant, ms since epoch. */
  readonly notBefore: number | null
}

/** The server id of a direct conversation. */
export const DIRECT_SERVER_ID = '0'

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
