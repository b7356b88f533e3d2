import type { Database } from 'better-sqlite3'
import { expect } from 'vitest'
import type { TerminalStatus } from '#domain/request.ts'
import { MAX_QUEUE_SIZE, type QueueModel, SLOTS } from './queue-model.ts'

/** What is true of a queue at every moment. */
export function checkAlways({ test, observer, userIds, open }: QueueModel): void {
  expect(observer.problems).toEqual([])
  expect(test.pool.overfilled).toBe(0)
  const atWork = test.pool.live.map(({ request }) => request.userId)
  expect(new Set(atWork).size).toBe(atWork.length)
  if (!open) expect(atWork).toEqual([])
  const extra = observer.with('QUEUED').filter(({ isExtra }) => isExtra).length
  expect(test.queue.stats().queueSize).toBeLessThanOrEqual(MAX_QUEUE_SIZE + SLOTS + extra)
  for (const userId of userIds) {
    if (observer.activeOf(userId)) expect(test.queue.position(userId)).toBeDefined()
  }
}

/** What is true while nothing is going on. */
export function checkQuiet(model: QueueModel): void {
  const { test, observer, sent, cancelled, open, mode } = model
  const { slots, slotsUsed } = test.pool
  if (slotsUsed < slots && open && mode !== 'paused') expect(observer.line(test.clock.now())).toEqual([])
  const runs = test.pool.live.map(({ request, attempt }) => `${request.id} ${attempt}`)
  const atWork = observer.with('PROCESSING').map(({ id, attempt }) => `${id} ${attempt}`)
  expect(runs.toSorted()).toEqual(atWork.toSorted())
  checkPositions(model)
  checkStatistics(model)
  checkDeadlines(model)
  for (const { outcome, expected } of sent) expect(outcome).toBe(expected ?? outcome ?? 'an outcome')
  for (const { over, requestId } of cancelled) {
    expect(over || !open || observer.requests.get(requestId)?.status === 'PROCESSING').toBe(true)
  }
}

/** Whatever was started too long ago has been asked to stop, and does not wait for another attempt. */
function checkDeadlines({ test, observer, startedAt }: QueueModel): void {
  const overdue = (id: string) => test.clock.now() - (startedAt.get(id) ?? Number.POSITIVE_INFINITY) >= 300_000
  expect(observer.with('QUEUED').filter(({ id }) => overdue(id))).toEqual([])
  expect(test.pool.live.filter(({ request, cancels }) => overdue(request.id) && cancels === 0)).toEqual([])
}

/** Those in no line count as last. */
function checkPositions({ test, observer, userIds }: QueueModel): void {
  const line = observer.line(test.clock.now())
  const expected = userIds.map((userId) => {
    const active = observer.activeOf(userId)
    if (!active) return undefined
    if (active.status === 'PROCESSING') return 0
    return line.includes(active) ? line.indexOf(active) + 1 : line.length + 1
  })
  expect(userIds.map((userId) => test.queue.position(userId))).toEqual(expected)
}

function checkStatistics({ test, observer, sent, beginning, mode }: QueueModel): void {
  const { rejected, ...stats } = test.queue.stats()
  const ended = (status: TerminalStatus) => observer.with(status).length - beginning.ended[status]
  expect(stats).toMatchObject({
    mode,
    queueSize: observer.with('QUEUED').length,
    activeRequests: observer.with('PROCESSING').length,
    totalProcessed: ended('COMPLETED'),
    totalFailed: ended('FAILED'),
    totalCancelled: ended('CANCELLED'),
  })
  const ofThisLife = sent.slice(beginning.sent)
  const accepted = ofThisLife.filter(({ outcome }) => outcome === 'accepted').length
  const { totalProcessed, totalFailed, totalCancelled, activeRequests, queueSize } = stats
  const left = observer.with('SUSPENDED').length
  expect(totalProcessed + totalFailed + totalCancelled + activeRequests + queueSize + left).toBe(
    accepted + beginning.restored,
  )
  expect(Object.values(rejected).reduce((sum, count) => sum + count) + accepted).toBe(ofThisLife.length)
}

/** What is true of a queue whose database works and that has had the time to find out. */
export function checkStorage({ test }: QueueModel): void {
  expect(test.queue.stats().storage).toEqual({
    available: true,
    unavailableSince: null,
    pendingWrites: 0,
    droppedWrites: expect.any(Number),
  })
}

/** What is true once a queue has stopped. */
export function checkStopped({ test, stop }: QueueModel): void {
  expect([stop, test.clock.pending]).toEqual(['over', 0])
}

/** What is true once a queue has stopped with nothing left to do, after all its lives. */
export function checkEnded(model: QueueModel): void {
  const { test, observer, sent, cancelled, tainted, runs } = model
  checkStopped(model)
  const accepted = sent.flatMap(({ requestId }) => requestId ?? [])
  expect([...observer.requests.keys()].toSorted()).toEqual(accepted.toSorted())
  const answers = runs.answers(test)
  if (!tainted) expect(runs.stale).toBe(0)
  for (const { id, status, answer, completions } of observer.requests.values()) {
    // What was taken into memory only is lost when the process dies.
    expect(['COMPLETED', 'FAILED', 'CANCELLED', ...(tainted ? ['LOST'] : [])]).toContain(status)
    if (answer !== undefined) expect(answers.get(id)).toContain(answer)
    if (tainted || status !== 'COMPLETED') continue
    expect(completions).toBe(1)
    expect([undefined, runs.committed.get(id)]).toContain(answer)
  }
  for (const { requestId, status } of cancelled) {
    expect([undefined, observer.requests.get(requestId)?.status]).toContain(status)
  }
}

/** What is true of the database once a queue has stopped with nothing left to do. */
export function checkDatabase({ observer, tainted, userIds }: QueueModel, connection: Database): void {
  const user = userIds[0]?.replace(/^user 0/, 'user _')
  const turns = connection
    .prepare<[unknown], { id: string; count: number }>(
      'SELECT request_id AS id, count(*) AS count FROM messages WHERE user_id LIKE ? GROUP BY request_id',
    )
    .all(user)
  for (const { count } of turns) expect(count).toBe(2)
  const rows = connection
    .prepare<[unknown], { id: string; status: string }>('SELECT id, status FROM requests WHERE user_id LIKE ?')
    .all(user)
  const completed = rows.filter(({ status }) => status === 'COMPLETED').map(({ id }) => id)
  expect(turns.map(({ id }) => id).toSorted()).toEqual(completed.toSorted())
  expect(rows.filter(({ status }) => status === 'QUEUED' || status === 'PROCESSING')).toEqual([])
  if (tainted) return
  const statuses = (all: Iterable<{ id: string; status: string }>) =>
    [...all].map(({ id, status }) => `${id} ${status}`).toSorted()
  expect(statuses(rows)).toEqual(statuses(observer.requests.values()))
}
