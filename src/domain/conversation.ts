/** Whose words a stored message holds. */
export type Role = 'user' | 'assistant'

/** All turns of one user in one server are one conversation; histories never mix across it. */
export interface ConversationKey {
  readonly userId: string
  readonly serverId: string
}

/** One message of a conversation's history. */
export interface HistoryMessage {
  readonly role: Role
  readonly content: string
  /** ms since epoch */
  readonly timestamp: number
}

/** Tokens the model says it used. */
export interface TokenUsage {
  readonly promptTokens: number
  readonly completionTokens: number
}
