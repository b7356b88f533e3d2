import { describe, expect, it } from 'vitest'
import { CRASH_POINTS } from '#actors/crash-point.ts'
import type { Schedule } from '#domain/schedule.ts'
import { CrashWorld } from '#support/chaos/crash-world.ts'
import { isAnswered, makeDue, scheduleProblems } from '#support/chaos/due-schedules.ts'
import { tell } from '#support/chaos/report.ts'
import { isLong } from '#support/chaos/scale.ts'
import type { ParleyProcess } from '#support/parley-process.ts'

/** On the way of a scheduled question from its time to its answer. */
const POINTS = [
  'promotion.before',
  'promotion.after',
  'accept.before',
  'accept.after',
  'dispatch.before',
  'answer.after',
  'delivery.before',
]

/** Of these each is followed by a kill at every other point: before it is in the file, in the file, in line. */
const FIRST_POINTS = ['promotion.before', 'promotion.after', 'accept.after']

describe.skipIf(isLong)('what is due while processes are killed, each at another point', () => {
  it('is asked exactly once, and planned for its next time', { timeout: 300_000 }, async () => {
    const world = await CrashWorld.create(POINTS.length)
    const schedules: Schedule[] = []
    for (const [turn, point] of POINTS.entries()) {
      schedules.push(due(world, turn))
      // What the last one has left goes on meanwhile.
      expect(await killAt(world, point, schedules), `killed at ${point}`).toBe(true)
    }
    await finish(world, schedules)
  })
})

describe.runIf(isLong)('what is due when a process is killed', () => {
  const cases = FIRST_POINTS.flatMap((point) => CRASH_POINTS.map((recoveryPoint) => ({ point, recoveryPoint })))

  it.each(cases)(
    'at $point, and the next one at $recoveryPoint, is asked exactly once, and planned for its next time',
    { timeout: 120_000 },
    async ({ point, recoveryPoint }) => {
      const world = await CrashWorld.create(1)
      const schedules = [due(world, 0)]
      expect(await killAt(world, point, schedules), `killed at ${point}`).toBe(true)
      const atRecoveryPoint = await killAt(world, recoveryPoint, schedules)
      await finish(world, schedules)
      tell('due-schedules', { point, recoveryPoint, atRecoveryPoint, kills: world.kills })
    },
  )
})

/** Each person has one schedule, so that all of them can be asked at the same time. */
function due(world: CrashWorld, number: number): Schedule {
  const person = world.people[number]
  if (!person) throw new Error(`expected a person with the number ${number}`)
  return makeDue(world, person, `reminder ${number}`)
}

/** Tells whether the point was reached; a process that never comes there is killed when all is done. */
async function killAt(world: CrashWorld, point: string, schedules: readonly Schedule[]): Promise<boolean> {
  const parley = world.start(point)
  const atPoint = await world.killed(parley, () => settled(world, parley, schedules))
  expect(await world.problems()).toEqual([])
  return atPoint
}

async function settled(world: CrashWorld, parley: ParleyProcess, schedules: readonly Schedule[]): Promise<void> {
  await Promise.all(schedules.map((schedule) => isAnswered(world, schedule)))
  await world.delivered(parley)
}

/** A last process brings everything to its end. */
async function finish(world: CrashWorld, schedules: readonly Schedule[]): Promise<void> {
  const last = await world.ready()
  await settled(world, last, schedules)
  await world.stop(last)
  expect(await world.problems()).toEqual([])
  expect(await scheduleProblems(world, schedules)).toEqual([])
}
