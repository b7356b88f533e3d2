import { expect, it } from 'vitest'
import { RecentIds } from '#discord/recent-ids.ts'

it('knows the newest ids and forgets the oldest', () => {
  const ids = new RecentIds(2)
  expect(['a', 'b', 'a', 'b', 'c', 'b', 'c', 'a'].map((id) => ids.add(id))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
    false,
    true,
  ])
})
