import { describe, expect, it } from 'vitest'
import { mayComplete, mayRequeue, maySettle, mayStart, type RequestState } from '#database/request-fence.ts'
import type { RequestStatus } from '#domain/request.ts'

const ALL: readonly RequestStatus[] = ['SCHEDULED', 'QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED']

/** For each status with attempt 2 stored: which of the attempts 1, 2 and 3 may do it. */
function allowed(may: (state: RequestState, attempt: number) => boolean): Partial<Record<RequestStatus, number[]>> {
  const rows = ALL.map(
    (status) => [status, [1, 2, 3].filter((attempt) => may({ status, attempt: 2 }, attempt))] as const,
  )
  return Object.fromEntries(rows.filter(([, attempts]) => attempts.length > 0))
}

describe('the attempt fence', () => {
  it('lets only a newer attempt begin', () => {
    expect(allowed(mayStart)).toEqual({ QUEUED: [3], PROCESSING: [3] })
    expect(mayStart(undefined, 1)).toBe(false)
  })

  it('lets the attempt go back in line that is the newest', () => {
    expect(allowed(mayRequeue)).toEqual({ QUEUED: [2, 3], PROCESSING: [2, 3] })
  })

  it('lets the attempt answer that is being worked on, or a newer one', () => {
    expect(allowed(mayComplete)).toEqual({ QUEUED: [3], PROCESSING: [2, 3] })
  })

  it('lets the queue end what has not ended, when it knows the newest attempt', () => {
    expect(allowed((state, attempt) => maySettle(state, attempt, 'FAILED'))).toEqual({
      QUEUED: [2, 3],
      PROCESSING: [2, 3],
    })
    expect(allowed((state, attempt) => maySettle(state, attempt, 'CANCELLED'))).toEqual({
      SCHEDULED: [2, 3],
      QUEUED: [2, 3],
      PROCESSING: [2, 3],
    })
    expect(maySettle(undefined, 1, 'FAILED')).toBe(false)
  })
})
