import { expect, it } from 'vitest'
import { ExpiringCache } from '#discord/expiring-cache.ts'

const TTL_MS = 1_000

/** A cache that counts what it is asked, on a clock that the test sets. */
function start() {
  let now = 100_000
  let looks = 0
  const cache = new ExpiringCache<number>({ now: () => now }, { max: 10, ttlMs: TTL_MS })
  const setClock = (at: number) => {
    now = at
  }
  return { cache, setClock, look: async () => ++looks }
}

it('an answer is looked up again once it is too old', async () => {
  const { cache, setClock, look } = start()
  expect([await cache.get('a', look), await cache.get('a', look)]).toEqual([1, 1])
  setClock(100_000 + TTL_MS)
  expect(await cache.get('a', look)).toBe(2)
})

it('an answer is not kept for longer because the clock was set back', async () => {
  const { cache, setClock, look } = start()
  await cache.get('a', look)
  setClock(50_000)
  expect([await cache.get('a', look), await cache.get('a', look)]).toEqual([2, 2])
})

it('what failed is looked up again, and callers at the same time share one look', async () => {
  const { cache, look } = start()
  await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await Promise.all([cache.get('a', look), cache.get('a', look)])).toEqual([1, 1])
})
