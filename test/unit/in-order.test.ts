import { describe, expect, it } from 'vitest'
import { InOrder } from '#discord/in-order.ts'

describe('work of the same person', () => {
  it('begins at once and ends in its order, whatever takes longer; other people do not wait', async () => {
    const inOrder = new InOrder()
    const ended: string[] = []
    const slow = Promise.withResolvers<void>()
    const begun: string[] = []
    const run = (key: string, name: string, until?: Promise<void>) =>
      inOrder
        .run(key, async () => {
          begun.push(name)
          await until
        })
        .then(() => ended.push(name))
    const all = [run('ada', 'first', slow.promise), run('ada', 'second'), run('bob', 'other')]
    expect(begun).toEqual(['first', 'second', 'other'])
    await all[2]
    expect(ended).toEqual(['other'])
    slow.resolve()
    await Promise.all(all)
    expect(ended).toEqual(['other', 'first', 'second'])
  })

  it('that fails holds up nothing', async () => {
    const inOrder = new InOrder()
    const failed = inOrder.run('ada', () => Promise.reject(new Error('broken')))
    const next = inOrder.run('ada', () => Promise.resolve('done'))
    await expect(failed).rejects.toThrow('broken')
    expect(await next).toBe('done')
  })
})
