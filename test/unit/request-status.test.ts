import { describe, expect, it } from 'vitest'
import { isTerminal, mayFollow, type RequestStatus } from '#domain/request.ts'

const STATUSES: readonly RequestStatus[] = ['SCHEDULED', 'QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED']

const ARROWS = [
  'SCHEDULED → QUEUED',
  'SCHEDULED → CANCELLED',
  'QUEUED → PROCESSING',
  'QUEUED → FAILED',
  'QUEUED → CANCELLED',
  'PROCESSING → QUEUED',
  'PROCESSING → COMPLETED',
  'PROCESSING → FAILED',
  'PROCESSING → CANCELLED',
]

function reachableFrom(status: RequestStatus): ReadonlySet<RequestStatus> {
  const reached = new Set<RequestStatus>()
  const visit = (from: RequestStatus): void => {
    for (const to of STATUSES) {
      if (!mayFollow(from, to) || reached.has(to)) continue
      reached.add(to)
      visit(to)
    }
  }
  visit(status)
  return reached
}

describe('the status of a request', () => {
  it('moves along the documented arrows and no others', () => {
    const moves = STATUSES.flatMap((from) =>
      STATUSES.filter((to) => mayFollow(from, to)).map((to) => `${from} → ${to}`),
    )
    expect(moves).toEqual(ARROWS)
  })

  it('ends in one of three, and no arrow leads out of them', () => {
    expect(STATUSES.filter(isTerminal)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED'])
    for (const status of STATUSES.filter(isTerminal)) expect(reachableFrom(status).size).toBe(0)
  })

  it('can reach every end from wherever it is', () => {
    for (const status of STATUSES.filter((each) => !isTerminal(each))) {
      expect([...reachableFrom(status)]).toEqual(expect.arrayContaining(STATUSES.filter(isTerminal)))
    }
  })

  it('goes round only through a retry', () => {
    expect(STATUSES.filter((status) => reachableFrom(status).has(status))).toEqual(['QUEUED', 'PROCESSING'])
    expect(STATUSES.filter((status) => mayFollow(status, status))).toEqual([])
  })
})
