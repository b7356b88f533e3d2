import { type CrashPoint, crashPoint } from '#actors/crash-point.ts'
import type { Promotion, PromotionFacts, SchedulesApi } from '#protocol/schedules.ts'
import type { RecordAccess } from './record-access.ts'
import type { RequestRecords } from './request-records.ts'

/** The calls on questions that are asked later. */
export function scheduleCalls(access: RecordAccess, records: RequestRecords): SchedulesApi {
  const { schedules } = records
  return {
    addSchedule: (schedule, limit) => access.write(() => schedules.add(schedule, limit)),
    schedulesOf: (userId) => access.read(() => schedules.of(userId)),
    dueQuestionsOf: (userId) => access.read(() => schedules.dueQuestionsOf(userId)),
    changeSchedule: (userId, id, changes) => access.write(() => schedules.change(userId, id, changes)),
    deleteSchedule: (userId, id) => access.write(() => records.deleteSchedule(userId, id)),
    promoteDue: (facts) => promote(access, records, facts),
    scheduledRequests: () => access.read(() => records.scheduled()),
    denyScheduled: (denied) => access.write(() => records.denyScheduled(denied)),
  }
}

function promote(access: RecordAccess, records: RequestRecords, facts: PromotionFacts): Promise<Promotion> {
  const work = () => {
    const promotion = records.promoteDue(facts)
    passes('promotion.before', promotion)
    return promotion
  }
  return access.write(work, { afterCommit: (promotion) => passes('promotion.after', promotion) })
}

/** A promotion of nothing is none. */
function passes(point: CrashPoint, { fired }: Promotion): void {
  if (fired.length > 0) crashPoint(point)
}
