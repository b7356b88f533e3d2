import type { Database } from 'better-sqlite3'
import { expect } from 'vitest'
import { isTerminal } from '#domain/request.ts'
import { MAX_QUEUE_SIZE, type QueueModel, SLOTS } from './queue-model.ts'
import { answerOf } from './scripted-pool.ts'

/** What is true of a queue at every moment. */
export function checkAlways({ test, observer, userIds }: QueueModel): void {
  expect(observer.problems).toEqual([])
  expect(test.pool.overfilled).toBe(0)
  const atWork = test.pool.live.map(({ request }) => request.userId)
  expect(new Set(atWork).size).toBe(atWork.length)
  const retried = observer.with('QUEUED').filter((request) => request.retried).length
  expect(test.queue.stats().queueSize).toBeLessThanOrEqual(MAX_QUEUE_SIZE + SLOTS + retried)
  for (const userId of userIds) {
    if (observer.activeOf(userId)) expect(test.queue.position(userId)).toBeDefined()
  }
}

/** What is true while nothing is going on. */
export function checkQuiet(model: QueueModel): void {
  const { test, observer, sent, cancelled } = model
  const [waiting, atWork] = [observer.with('QUEUED'), observer.with('PROCESSING')]
  const { slots, slotsUsed } = test.pool
  if (slotsUsed < slots) expect(waiting).toEqual([])
  const runs = test.pool.live.map(({ request, attempt }) => `${request.id} ${attempt}`)
  expect(runs.toSorted()).toEqual(atWork.map(({ id, attempt }) => `${id} ${attempt}`).toSorted())
  checkPositions(model)
  checkStatistics(model)
  checkDeadlines(model)
  for (const { outcome, expected } of sent) expect(outcome).toBe(expected ?? outcome ?? 'an outcome')
  for (const { over, requestId } of cancelled) {
    expect(over || observer.requests.get(requestId)?.status === 'PROCESSING').toBe(true)
  }
}

/** Whatever was started too long ago has been asked to stop, and does not wait for another attempt. */
function checkDeadlines({ test, observer, startedAt }: QueueModel): void {
  const overdue = (id: string) => test.clock.now() - (startedAt.get(id) ?? Number.POSITIVE_INFINITY) >= 300_000
  expect(observer.with('QUEUED').filter(({ id }) => overdue(id))).toEqual([])
  expect(test.pool.live.filter(({ request, cancels }) => overdue(request.id) && cancels === 0)).toEqual([])
}

function checkPositions({ test, observer, userIds }: QueueModel): void {
  const line = observer.with('QUEUED').toSorted((a, b) => a.admission - b.admission)
  const expected = userIds.map((userId) => {
    const active = observer.activeOf(userId)
    if (!active) return undefined
    return active.status === 'PROCESSING' ? 0 : line.indexOf(active) + 1
  })
  expect(userIds.map((userId) => test.queue.position(userId))).toEqual(expected)
}

function checkStatistics({ test, observer, sent }: QueueModel): void {
  const { rejected, ...stats } = test.queue.stats()
  expect(stats).toMatchObject({
    queueSize: observer.with('QUEUED').length,
    activeRequests: observer.with('PROCESSING').length,
    totalProcessed: observer.with('COMPLETED').length,
    totalFailed: observer.with('FAILED').length,
    totalCancelled: observer.with('CANCELLED').length,
  })
  const accepted = sent.filter(({ outcome }) => outcome === 'accepted').length
  const { totalProcessed, totalFailed, totalCancelled, activeRequests, queueSize } = stats
  expect(totalProcessed + totalFailed + totalCancelled + activeRequests + queueSize).toBe(accepted)
  expect(Object.values(rejected).reduce((sum, count) => sum + count) + accepted).toBe(sent.length)
}

/** What is true once a queue has stopped. */
export function checkEnded({ test, observer, sent, cancelled, committed, tainted, stop }: QueueModel): void {
  expect([stop, test.clock.pending]).toEqual(['over', 0])
  const accepted = sent.flatMap(({ requestId }) => requestId ?? [])
  expect([...observer.requests.keys()].toSorted()).toEqual(accepted.toSorted())
  for (const { id, status, answer } of observer.requests.values()) {
    expect(isTerminal(status)).toBe(true)
    if (status !== 'COMPLETED') continue
    expect(test.pool.runs.filter(({ request }) => request.id === id).map(answerOf)).toContain(answer)
    if (!tainted) expect(answer).toBe(committed.get(id))
  }
  for (const { requestId, status } of cancelled) {
    expect([undefined, observer.requests.get(requestId)?.status]).toContain(status)
  }
}

/** What is true of the database once a queue has stopped. */
export function checkDatabase({ observer, tainted, userIds }: QueueModel, connection: Database): void {
  const user = userIds[0]?.replace(/^user 0/, 'user _')
  const turns = connection
    .prepare<[unknown], { id: string; count: number }>(
      'SELECT request_id AS id, count(*) AS count FROM messages WHERE user_id LIKE ? GROUP BY request_id',
    )
    .all(user)
  for (const { count } of turns) expect(count).toBe(2)
  if (tainted) return
  const rows = connection
    .prepare<[unknown], { id: string; status: string }>('SELECT id, status FROM requests WHERE user_id LIKE ?')
    .all(user)
  const statuses = (all: Iterable<{ id: string; status: string }>) =>
    [...all].map(({ id, status }) => `${id} ${status}`).toSorted()
  expect(statuses(rows)).toEqual(statuses(observer.requests.values()))
  expect(turns.map(({ id }) => id).toSorted()).toEqual(
    observer
      .with('COMPLETED')
      .map(({ id }) => id)
      .toSorted(),
  )
}
