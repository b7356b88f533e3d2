/** So many calls in a window that starts with its first call. */
export interface Limit {
  readonly limit: number
  readonly windowMs: number
}

/** The limits by name; `global` counts all calls of the bot, the others those of one channel or webhook. */
export type LimitName =
  | 'global'
  | 'messageCreate'
  | 'messageEdit'
  | 'messageDelete'
  | 'messageRead'
  | 'typing'
  | 'webhook'
  | 'other'
  /** Edits of messages older than an hour. */
  | 'oldMessageEdit'
  /** Gateway identifies; one too many is answered with an invalid session. */
  | 'identify'

/** Every limit; `null` is none. */
export type RateLimits = Readonly<Record<LimitName, Limit | null>>

/** `documented`, `off`, or changes to the documented ones. */
export type LimitsOption = 'documented' | 'off' | Partial<RateLimits>

/** What the numbers are when nothing else is asked for. */
const DOCUMENTED_LIMITS: RateLimits = {
  global: { limit: 50, windowMs: 1_000 },
  messageCreate: { limit: 5, windowMs: 5_000 },
  messageEdit: { limit: 5, windowMs: 5_000 },
  messageDelete: { limit: 5, windowMs: 1_000 },
  messageRead: { limit: 5, windowMs: 5_000 },
  typing: { limit: 5, windowMs: 5_000 },
  webhook: { limit: 5, windowMs: 2_000 },
  other: { limit: 50, windowMs: 1_000 },
  // Discord does not publish this number; it is small.
  oldMessageEdit: { limit: 3, windowMs: 30_000 },
  // Documented as one in five seconds, which would make every restart in a test that slow: ask for it.
  identify: null,
}

const NO_LIMITS: RateLimits = {
  global: null,
  messageCreate: null,
  messageEdit: null,
  messageDelete: null,
  messageRead: null,
  typing: null,
  webhook: null,
  other: null,
  oldMessageEdit: null,
  identify: null,
}

/** The limits an option stands for. */
export function resolveLimits(option: LimitsOption): RateLimits {
  if (option === 'documented') return DOCUMENTED_LIMITS
  if (option === 'off') return NO_LIMITS
  return { ...DOCUMENTED_LIMITS, ...option }
}

/** What a server can be started with; every field has a default. */
export interface DiscordServerOptions {
  /** The bot token that is accepted; `test-token`. */
  readonly token?: string
  /** `documented`. */
  readonly limits?: LimitsOption
  /** As announced in HELLO; Discord's own 41,250. */
  readonly heartbeatIntervalMs?: number
  /** Bits a client may ask for; all but the three privileged ones. */
  readonly allowedIntents?: number
  readonly botUser?: { readonly username?: string }
  /** 0, a free one. */
  readonly port?: number
}

export const DEFAULT_TOKEN = 'test-token'
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 41_250
