import { ParleyError } from '#domain/errors.ts'
import type { PersonalRecordsApi } from '#protocol/personal-records.ts'

const unavailable = () => Promise.reject(new ParleyError('DATABASE_UNAVAILABLE', 'The database is away.'))

/** A database that is away. */
export const NO_RECORDS: PersonalRecordsApi = {
  historyPage: unavailable,
  exportRequests: unavailable,
  exportMessages: unavailable,
  directChannelsOf: unavailable,
  forget: unavailable,
}
