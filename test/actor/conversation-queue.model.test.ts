import fc from 'fast-check'
import { describe, it } from 'vitest'
import {
  checkAlways,
  checkDatabase,
  checkEnded,
  checkQuiet,
  checkStopped,
  checkStorage,
} from '#support/queue-invariants.ts'
import { QueueModel } from '#support/queue-model.ts'
import { queueLife } from '#support/queue-steps.ts'
import { openTestDatabase } from '#support/queue-under-test.ts'

/** Every user's place is free: each is taken in again. More than five at once would not fit the mailbox. */
async function askEverybody(model: QueueModel): Promise<void> {
  const { userIds } = model
  for (const group of [userIds.slice(0, 5), userIds.slice(5)]) {
    for (const userId of group) model.ask(userId)
    await model.drain()
    checkQuiet(model)
  }
}

/** Lets all end that can, and stops; what a stop leaves is for the next life. */
async function endLife(model: QueueModel): Promise<void> {
  await model.drain()
  checkQuiet(model)
  if (model.stop === 'not asked') {
    checkStorage(model)
    await askEverybody(model)
  }
  model.askToStop(0)
  await model.drain()
  checkAlways(model)
  checkStopped(model)
}

describe('the queue', () => {
  it('keeps its promises whatever happens, in whatever order', async () => {
    const database = openTestDatabase()
    let models = 0
    await fc.assert(
      fc.asyncProperty(queueLife, async (steps) => {
        const model = new QueueModel(++models, database)
        for (const step of steps) {
          await model.take(step)
          checkAlways(model)
          if (model.quiet) checkQuiet(model)
        }
        await endLife(model)
        await model.restart()
        await endLife(model)
        checkEnded(model)
        checkDatabase(model, database.connection)
      }),
      { numRuns: 200 },
    )
  })
})
