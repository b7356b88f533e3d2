import { describe, expect, it } from 'vitest'
import { Permits } from '#discord/permits.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'

describe('permits', () => {
  it('let so many at a time work, the others in the order they came, whatever becomes of it', async () => {
    const permits = new Permits(2)
    const works = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const begun: number[] = []
    const held = works.map(({ promise }, index) =>
      permits.hold(() => {
        begun.push(index)
        return promise
      }),
    )
    await turnOfTheEventLoop()
    expect(begun).toEqual([0, 1])
    works[1]?.reject(new Error('no'))
    await expect(held[1]).rejects.toThrow('no')
    await turnOfTheEventLoop()
    expect(begun).toEqual([0, 1, 2])
    for (const { resolve } of works) resolve()
    await Promise.allSettled(held)
    expect(begun).toEqual([0, 1, 2, 3, 4])
    let isAtOnce = false
    void permits.hold(async () => {
      isAtOnce = true
    })
    expect(isAtOnce).toBe(true)
  })
})
