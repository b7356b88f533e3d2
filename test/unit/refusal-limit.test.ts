import { expect, it } from 'vitest'
import { RefusalLimit } from '#discord/refusal-limit.ts'

it('somebody is told the same reason once in some time, and another one or somebody else at once', () => {
  let now = 10_000
  const limit = new RefusalLimit(5_000, () => now)
  const told = () => [limit.allows('ada', 'FULL'), limit.allows('ada', 'BUSY'), limit.allows('bob', 'FULL')]
  expect(told()).toEqual([true, true, true])
  now += 4_999
  expect([told(), limit.hidden]).toEqual([[false, false, false], 3])
  now += 1
  expect(told()).toEqual([true, true, true])
  now -= 60_000
  expect(told()).toEqual([true, true, true])
})
