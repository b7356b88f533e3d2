import { describe, expect, it } from 'vitest'
import { RestartLimit } from '#actors/restart-limit.ts'

describe('the restart limit', () => {
  it('allows so many restarts in a window, and more once the first is long ago', () => {
    let now = 0
    const limit = new RestartLimit({ maxRestarts: 2, windowMs: 1000, now: () => now })
    expect([limit.allow(), limit.allow(), limit.allow()]).toEqual([true, true, false])
    now = 999
    expect(limit.allow()).toBe(false)
    now = 1000
    expect([limit.allow(), limit.allow(), limit.allow()]).toEqual([true, true, false])
  })

  it('does not count what it refused', () => {
    let now = 0
    const limit = new RestartLimit({ maxRestarts: 1, windowMs: 1000, now: () => now })
    expect(limit.allow()).toBe(true)
    now = 900
    expect(limit.allow()).toBe(false)
    now = 1000
    expect(limit.allow()).toBe(true)
  })
})
