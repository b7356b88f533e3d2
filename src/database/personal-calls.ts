import type { PersonalRecordsApi } from '#protocol/personal-records.ts'
import type { HistoryCache } from './history-cache.ts'
import type { PersonalRecords } from './personal-records.ts'
import type { RecordAccess } from './record-access.ts'
import type { ServerRecords } from './server-records.ts'

interface Stores {
  readonly personal: PersonalRecords
  readonly servers: ServerRecords
  readonly cache: HistoryCache
}

/** The calls on what is stored about one user. */
export function personalCalls(access: RecordAccess, { personal, servers, cache }: Stores): PersonalRecordsApi {
  return {
    historyPage: (key, cursor, limit) => access.read(() => personal.historyPage(key, cursor, limit)),
    exportRequests: (userId, after, limit) => access.read(() => personal.exportRequests(userId, after, limit)),
    exportMessages: (userId, after, limit) => access.read(() => personal.exportMessages(userId, after, limit)),
    directChannelsOf: (userId) => access.read(() => personal.directChannelsOf(userId)),
    undeliveredOf: (userId) => access.read(() => personal.undeliveredOf(userId)),
    usageOf: (userId) => access.read(() => personal.usageOf(userId)),
    quotaUse: (userId, now, requests) => access.read(() => personal.quotaUse(userId, now, requests)),
    preferences: (userId) => access.read(() => personal.preferences.of(userId)),
    changePreferences: (userId, changes) =>
      access.write(() => {
        // Who chooses anew is told anew.
        if (changes.model !== undefined) servers.forgetTold(userId)
        return personal.preferences.change(userId, changes)
      }),
    forget: async (scope) => {
      const forget = () => {
        if (scope.serverId === null) servers.forgetTold(scope.userId)
        return personal.forget(scope)
      }
      const forgotten = await access.write(forget, {
        afterCommit: ({ conversations }) => {
          for (const key of conversations) cache.drop(key)
        },
      })
      return forgotten.messages
    },
  }
}
