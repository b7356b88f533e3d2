import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RankedSet } from '#domain/ranked-set.ts'

const MEMBERS = 100_000

type Step = { readonly type: 'add' | 'delete' | 'rank'; readonly value: number } | { readonly type: 'shift' }

const value = fc.integer({ min: 0, max: 60 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), value }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('delete' as const, 'rank' as const), value }) },
  { weight: 1, arbitrary: fc.constant({ type: 'shift' as const }) },
)

/** The same set as a sorted array. */
function apply(model: number[], step: Step): unknown {
  if (step.type === 'shift') return model.shift()
  const index = model.indexOf(step.value)
  if (step.type === 'rank') return index < 0 ? undefined : index + 1
  if (step.type === 'delete') return index >= 0 && model.splice(index, 1).length === 1
  if (index >= 0) return 'already there'
  model.push(step.value)
  model.sort((a, b) => a - b)
  return undefined
}

function run(set: RankedSet<number>, step: Step): unknown {
  if (step.type === 'shift') return set.shift()
  if (step.type === 'rank') return set.rank(step.value)
  if (step.type === 'delete') return set.delete(step.value)
  try {
    return set.add(step.value)
  } catch {
    return 'already there'
  }
}

describe('a ranked set', () => {
  it('does what a sorted array does, step by step', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const set = new RankedSet<number>((a, b) => a - b)
        const model: number[] = []
        for (const each of steps) {
          expect(run(set, each)).toEqual(apply(model, each))
          expect(set.size).toBe(model.length)
          expect([...set]).toEqual(model)
        }
        expect(model.map((member) => set.rank(member))).toEqual(model.map((_, index) => index + 1))
      }),
      { numRuns: 200 },
    )
  })

  it('orders by the comparison it was given', () => {
    const set = new RankedSet<string>((a, b) => b.length - a.length)
    for (const word of ['a', 'ccc', 'bb']) set.add(word)
    expect([...set]).toEqual(['ccc', 'bb', 'a'])
    expect(set.shift()).toBe('ccc')
  })

  it('throws when a member is added twice, and keeps the first', () => {
    const set = new RankedSet<number>((a, b) => a - b)
    set.add(1)
    expect(() => set.add(1)).toThrow('not in the set')
    expect([...set]).toEqual([1])
  })

  it('has nothing when it is empty', () => {
    const set = new RankedSet<number>((a, b) => a - b)
    expect([set.size, set.shift(), set.rank(1), set.delete(1), [...set]]).toEqual([0, undefined, undefined, false, []])
  })
})

/** Counts the comparisons of each operation. */
class CountedSet {
  #comparisons = 0
  most = 0
  total = 0
  operations = 0
  readonly set = new RankedSet<number>((a, b) => {
    this.#comparisons += 1
    return a - b
  })

  measure(operation: (set: RankedSet<number>) => void): void {
    this.#comparisons = 0
    operation(this.set)
    this.most = Math.max(this.most, this.#comparisons)
    this.total += this.#comparisons
    this.operations += 1
  }
}

const log2 = Math.log2(MEMBERS)

/** Every number below `MEMBERS` once, in an order that looks random: the factor has no divisor in common with it. */
const scattered = (index: number): number => (index * 61_803) % MEMBERS

describe.each<[string, (index: number) => number]>([
  ['in order', (index) => index],
  ['backwards', (index) => MEMBERS - 1 - index],
  ['scattered', scattered],
])('a ranked set of 100,000 members, added %s', (_, memberAt) => {
  const filled = (): CountedSet => {
    const counted = new CountedSet()
    for (let index = 0; index < MEMBERS; index++) counted.measure((set) => set.add(memberAt(index)))
    return counted
  }

  it('compares a few times log n for each operation, however deep it reaches', () => {
    const counted = filled()
    expect(counted.set.size).toBe(MEMBERS)
    for (let index = 0; index < MEMBERS; index += 10) counted.measure((set) => set.rank(scattered(index)))
    for (let index = 0; index < MEMBERS; index += 4) counted.measure((set) => set.delete(scattered(index)))
    while (counted.set.size > 0) counted.measure((set) => set.shift())
    expect(counted.most).toBeLessThan(8 * log2)
    expect(counted.total / counted.operations).toBeLessThan(4 * log2)
  })
})
