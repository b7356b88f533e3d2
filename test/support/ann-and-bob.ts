import { openTestDatabase, type QueueSetup, QueueUnderTest } from './queue-under-test.ts'

/** A queue with `ann` at work and `bob` in line (or at work too, with more slots), in a real database. */
export async function annAndBob(setup: QueueSetup = {}) {
  const { api, connection } = openTestDatabase()
  const test = new QueueUnderTest({ store: api, ...setup })
  const ann = await test.ask('ann')
  const bob = await test.ask('bob')
  const row = (id: string) =>
    connection.prepare('SELECT status, attempt, error_code FROM requests WHERE id = ?').get(id)
  return { test, ann, bob, run: test.pool.of('ann'), api, row }
}
