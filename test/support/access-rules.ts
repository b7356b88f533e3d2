import type { AccessRules } from '#domain/access.ts'
import type { QuotaLimits } from '#domain/quota.ts'

export const NO_IDS = { users: [], roles: [], servers: [], channels: [] }

/** Everybody may ask everywhere. */
export const OPEN_TO_ALL: AccessRules = { owners: [], directMessages: 'anyone', allow: NO_IDS, deny: NO_IDS }

export const NO_LIMITS: QuotaLimits = { requestsPerHour: null, tokensPerDay: null, tokensPerDayInAll: null }
