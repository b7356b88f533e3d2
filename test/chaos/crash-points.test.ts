import { describe, expect, it } from 'vitest'
import { CrashWorld, type Person } from '#support/chaos/crash-world.ts'
import { QUESTION_POINTS } from '#support/chaos/points.ts'
import { tell } from '#support/chaos/report.ts'
import { isLong } from '#support/chaos/scale.ts'
import type { ParleyProcess } from '#support/parley-process.ts'

/** The long answer takes two messages, and so at least two calls to deliver it. */
const POINTS = [
  ...QUESTION_POINTS.filter((point) => !point.startsWith('recovery')),
  'delivery.before:2',
  'delivery.after:2',
]

/** No preview shows the second message before the end does: then one call would be enough for that. */
const RARE_PREVIEWS = { PARLEY_EDIT_INTERVAL: '10s' }

/** Where the second process is killed, which takes up what the first one has left. */
const RECOVERY_POINTS = [...QUESTION_POINTS, 'delivery.before:2', 'delivery.after:2']

describe.skipIf(isLong)('a process that is killed again and again, each time at another point', () => {
  it('loses nothing, does nothing twice, and leaves nothing half done', { timeout: 300_000 }, async () => {
    const world = await CrashWorld.create(POINTS.length, RARE_PREVIEWS)
    for (const [turn, point] of POINTS.entries()) await killAt(world, point, personOf(world, turn))
    // Nobody has written meanwhile: this one is killed while it goes on with what the last one has left.
    const last = world.start('recovery.after')
    await world.killed(last, () => settled(world, last))
    await finish(world)
    expect(world.kills).toBe(POINTS.length + 1)
  })
})

describe.runIf(isLong)('a process that is killed', () => {
  const cases = POINTS.flatMap((point) => RECOVERY_POINTS.map((recoveryPoint) => ({ point, recoveryPoint })))

  it.each(cases)(
    'at $point, and the next one at $recoveryPoint, loses nothing, does nothing twice, and leaves nothing half done',
    { timeout: 120_000 },
    async ({ point, recoveryPoint }) => {
      const world = await CrashWorld.create(2, RARE_PREVIEWS)
      expect(await killAt(world, point, personOf(world, 0)), `killed at ${point}`).toBe(true)
      const second = world.start(recoveryPoint)
      const atRecoveryPoint = await world.killed(second, () => settled(world, second))
      expect(await world.problems()).toEqual([])
      await finish(world)
      tell('crash-points', { point, recoveryPoint, atRecoveryPoint, kills: world.kills, ...(await world.ends()) })
    },
  )
})

/** Somebody asks as soon as Parley has taken up what was left, unless that has killed it; tells whether the point was reached. */
async function killAt(world: CrashWorld, point: string, person: Person): Promise<boolean> {
  const parley = world.start(point)
  const atPoint = await world.killed(parley, async (isRunning) => {
    await world.answered()
    if (isRunning()) await world.ask(person, { long: true })
    await settled(world, parley)
  })
  expect(await world.problems()).toEqual([])
  return atPoint
}

/** Every crash point that will be passed has been. */
async function settled(world: CrashWorld, parley: ParleyProcess): Promise<void> {
  await world.answered()
  await world.delivered(parley)
}

/** A last process brings everything to its end. */
async function finish(world: CrashWorld): Promise<void> {
  const last = await world.ready()
  await world.answered()
  await world.stop(last)
  expect(await world.problems()).toEqual([])
  expect(await world.unfinished()).toEqual([])
}

function personOf({ people }: CrashWorld, index: number): Person {
  const person = people[index]
  if (!person) throw new Error(`expected a person with the number ${index}`)
  return person
}
