import type { ServerRecordsApi } from '#protocol/server-records.ts'
import type { RecordAccess } from './record-access.ts'
import type { ServerRecords } from './server-records.ts'

/** The calls on what is set for whole servers. */
export function serverCalls(access: RecordAccess, servers: ServerRecords): ServerRecordsApi {
  return {
    choices: (key) => access.read(() => servers.choices(key)),
    serverSettings: (serverId) => access.read(() => servers.of(serverId)),
    changeServerSettings: (change) => access.write(() => servers.change(change)),
    serverAudit: (serverId, limit) => access.read(() => servers.audit(serverId, limit)),
    exportSettingChanges: (userId, after, limit) => access.read(() => servers.exportChanges(userId, after, limit)),
  }
}
