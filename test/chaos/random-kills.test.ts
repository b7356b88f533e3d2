import { describe, expect, it } from 'vitest'
import { CrashWorld } from '#support/chaos/crash-world.ts'
import { FAULTS } from '#support/chaos/faults.ts'
import { QUESTION_POINTS } from '#support/chaos/points.ts'
import { SeededRandom } from '#support/chaos/random.ts'
import { tell } from '#support/chaos/report.ts'
import { isLong } from '#support/chaos/scale.ts'
import type { ParleyProcess } from '#support/parley-process.ts'

const KILLS = isLong ? 200 : 20
const { PARLEY_CHAOS_SEED } = process.env
/** Each run has another seed; the environment can repeat one. */
const SEED = Number(PARLEY_CHAOS_SEED ?? Math.trunc(Math.random() * 2 ** 32))
const PEOPLE = 6

describe(`${KILLS} kills at random points, with faults of everything around (seed ${SEED})`, () => {
  it('lose nothing, do nothing twice, and leave nothing half done', { timeout: KILLS * 15_000 }, async () => {
    const random = new SeededRandom(SEED)
    const world = await CrashWorld.create(PEOPLE)
    const faults: Record<string, number> = {}
    while (world.kills < KILLS) {
      await cycle(world, random, faults)
      expect(await world.problems(), `after kill ${world.kills} of seed ${SEED}`).toEqual([])
    }
    await bringToAnEnd(world)
    tell('random-kills', {
      seed: SEED,
      kills: world.kills,
      questions: world.questions.length,
      ...(await world.ends()),
      faults,
    })
  })
})

/** One process: it is started over what the last one has left, gets more to do, suffers, and is killed. */
async function cycle(world: CrashWorld, random: SeededRandom, faults: Record<string, number>): Promise<void> {
  // Written while nobody is there to read it.
  await askSome(world, random, random.chance(0.3) ? 1 : 0)
  const parley = world.start(`${random.pick(QUESTION_POINTS)}:${random.between(1, 4)}`)
  await world.killed(parley, (isRunning) => suffer({ world, random, parley, faults, isRunning }))
}

interface Life {
  readonly world: CrashWorld
  readonly random: SeededRandom
  readonly parley: ParleyProcess
  /** How often each fault struck. */
  readonly faults: Record<string, number>
  readonly isRunning: () => boolean
}

async function suffer(life: Life): Promise<void> {
  const { world, random, isRunning } = life
  for (let count = random.between(0, 2); count > 0; count--) await strike(life)
  if (isRunning()) await askSome(world, random, random.between(1, 3))
  if (random.chance(0.5)) await strike(life)
  await world.answered()
}

async function strike({ world, random, parley, faults, isRunning }: Life): Promise<void> {
  const fault = random.pick(FAULTS)
  if (!isRunning()) return
  faults[fault.name] = (faults[fault.name] ?? 0) + 1
  await fault.strike({ world, random, parley })
}

/** Nobody writes before the last question has come to its end. */
async function askSome(world: CrashWorld, random: SeededRandom, count: number): Promise<void> {
  const idle = await world.idle()
  for (const person of idle.slice(0, count)) await world.ask(person, { long: random.chance(0.2) })
}

/** Without faults, a last process brings everything to its end. */
async function bringToAnEnd(world: CrashWorld): Promise<void> {
  await Promise.all([world.discord.clearFaults(), world.model.reset()])
  const last = await world.ready()
  await world.answered()
  await world.stop(last)
  expect(await world.problems()).toEqual([])
  expect(await world.unfinished(), `at the end of seed ${SEED}`).toEqual([])
}
