import { randomUUID } from 'node:crypto'
import type { FileLimits } from '#discord/file-intake.ts'
import type { AccessRules } from '#domain/access.ts'
import type { QuotaLimits } from '#domain/quota.ts'

/** A person may schedule as many questions as usual, and nobody is told. */
export const SCHEDULING = { maxPerUser: 20, newId: () => randomUUID(), onChanged: () => undefined }

export const NO_IDS = { users: [], roles: [], servers: [], channels: [] }

/** Everybody may ask everywhere. */
export const OPEN_TO_ALL: AccessRules = { owners: [], directMessages: 'anyone', allow: NO_IDS, deny: NO_IDS }

export const NO_LIMITS: QuotaLimits = { requestsPerHour: null, tokensPerDay: null, tokensPerDayInAll: null }

/** No file is taken in. */
export const NO_FILES: FileLimits = { maxCount: 0, maxSizeMiB: 1, timeoutMs: 1_000, hosts: [], seesImages: false }
