import type { CommandRecords } from '#discord/commands/command-list.ts'
import { ParleyError } from '#domain/errors.ts'

const unavailable = () => Promise.reject(new ParleyError('DATABASE_UNAVAILABLE', 'The database is away.'))

/** A database that is away. */
export const NO_RECORDS: CommandRecords = {
  historyPage: unavailable,
  exportRequests: unavailable,
  exportMessages: unavailable,
  directChannelsOf: unavailable,
  usageOf: unavailable,
  undeliveredOf: unavailable,
  quotaUse: unavailable,
  preferences: unavailable,
  changePreferences: unavailable,
  choices: unavailable,
  serverSettings: unavailable,
  changeServerSettings: unavailable,
  serverAudit: unavailable,
  exportSettingChanges: unavailable,
  addSchedule: unavailable,
  schedulesOf: unavailable,
  dueQuestionsOf: unavailable,
  changeSchedule: unavailable,
  deleteSchedule: unavailable,
  forget: unavailable,
  statistics: unavailable,
}
