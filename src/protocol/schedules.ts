import type { ErrorCode } from '#domain/errors.ts'
import type { ConversationRequest } from '#domain/request.ts'
import type { Schedule, ScheduleRule } from '#domain/schedule.ts'
import type { WriteResult } from './database.ts'

/** What can be changed of a schedule; a recurrence that comes without `nextAt` goes on from the next time as it is stored. */
export type ScheduleChanges = Partial<ScheduleRule & Pick<Schedule, 'message' | 'ifMissed' | 'nextAt'>>

/** The time, and what to call the requests that come of it. */
export interface PromotionFacts {
  /** ms since epoch */
  readonly now: number
  /** Since when this process has looked after schedules. */
  readonly runningSince: number
  /** As many schedules are looked at, and no more. */
  readonly newIds: readonly string[]
}

/** What became of the schedules that were due. */
export interface Promotion {
  /** Requests in status SCHEDULED. */
  readonly fired: readonly ConversationRequest[]
  /** When the next one is due, perhaps already; null without any. */
  readonly nextAt: number | null
}

/** A question whose time has come and that waits for the queue. */
export interface DueQuestion {
  /** Of its request. */
  readonly id: string
  readonly message: string
  /** ms since epoch */
  readonly dueAt: number
}

/** The end of a request whose time came, but which its user may not ask any more. */
export interface DeniedRequest {
  readonly requestId: string
  readonly errorCode: ErrorCode
  readonly finishedAt: number
  /** What is to be delivered, message by message. */
  readonly messages: readonly string[]
  /** Whether it is not to be asked again either. */
  readonly endSchedule: boolean
}

/** Questions that are asked later. */
export interface SchedulesApi {
  /** Stores a schedule, unless its user has `limit` of them; to be repeated without harm. */
  addSchedule(schedule: Schedule, limit: number): Promise<'stored' | 'full'>
  /** A user's schedules, those that are due first in front. */
  schedulesOf(userId: string): Promise<Schedule[]>
  /** Changes what is named and returns all of it; undefined when its user has no such schedule. */
  changeSchedule(userId: string, id: string, changes: ScheduleChanges): Promise<Schedule | undefined>
  /** A user's questions that wait for the queue, those that were due first in front. */
  dueQuestionsOf(userId: string): Promise<DueQuestion[]>
  /**
   * Deletes a schedule, and cancels what has come of it and still waits for the queue; or cancels a question that waits,
   * by its own id. Tells whether its user had such a one.
   */
  deleteSchedule(userId: string, id: string): Promise<boolean>
  /**
   * Makes requests in status SCHEDULED of the schedules that are due, and plans their next time or ends them, in one
   * transaction: each time is asked once, however often this is called. Those that were missed and are to be skipped
   * then make none, and neither does one that has come before and still waits.
   */
  promoteDue(facts: PromotionFacts): Promise<Promotion>
  /** The requests whose time has come and that wait for the queue, oldest first. */
  scheduledRequests(): Promise<ConversationRequest[]>
  /** Ends one of them that the queue does not have as CANCELLED; its messages wait in the outbox. */
  denyScheduled(denied: DeniedRequest): Promise<WriteResult>
}
