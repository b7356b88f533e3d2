import type { SchedulesApi } from '#protocol/schedules.ts'
import type { RecordAccess } from './record-access.ts'
import type { RequestRecords } from './request-records.ts'

/** The calls on questions that are asked later. */
export function scheduleCalls(access: RecordAccess, records: RequestRecords): SchedulesApi {
  const { schedules } = records
  return {
    addSchedule: (schedule, limit) => access.write(() => schedules.add(schedule, limit)),
    schedulesOf: (userId) => access.read(() => schedules.of(userId)),
    changeSchedule: (userId, id, changes) => access.write(() => schedules.change(userId, id, changes)),
    deleteSchedule: (userId, id) => access.write(() => schedules.delete(userId, id)),
    promoteDue: (facts) => access.write(() => records.promoteDue(facts)),
    scheduledRequests: () => access.read(() => records.scheduled()),
    denyScheduled: (denied) => access.write(() => records.denyScheduled(denied)),
  }
}
