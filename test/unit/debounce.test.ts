import { describe, expect, it } from 'vitest'
import { Debounce } from '#discord/debounce.ts'
import type { AskedRequest } from '#discord/intake.ts'
import { messageOf } from '#support/queue-under-test.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const WINDOW_MS = 1000

function newDebounce({ windowMs = WINDOW_MS, maxLength = 100 } = {}) {
  const clock = new SimulatedClock()
  const taken: string[] = []
  const debounce = new Debounce({
    windowMs,
    maxLength,
    clock,
    take: async ({ request, messageId }) => {
      taken.push(`${messageId}: ${request.message}`)
    },
  })
  let messages = 0
  const write = (userId: string, message: string, fields: Partial<AskedRequest> = {}) => {
    const messageId = `m${++messages}`
    const request = { ...messageOf(userId, { message, discordMessageId: messageId }), ...fields }
    void debounce.add({ request, messageId, member: { guildId: null, roleIds: [] } })
  }
  return { clock, taken, debounce, write }
}

describe('messages in quick succession', () => {
  it('are one question, in their order, under the id of the last of them', async () => {
    const { clock, taken, write } = newDebounce()
    write('ann', 'one')
    await clock.advance(WINDOW_MS - 1)
    write('ann', 'two')
    await clock.advance(WINDOW_MS - 1)
    write('ann', 'three')
    await clock.advance(WINDOW_MS - 1)
    expect(taken).toEqual([])
    await clock.advance(1)
    expect(taken).toEqual(['m3: one\n\ntwo\n\nthree'])
    expect(clock.pending).toBe(0)
  })

  it('are two questions when the time between them is over', async () => {
    const { clock, taken, write } = newDebounce()
    write('ann', 'one')
    await clock.advance(WINDOW_MS)
    write('ann', 'two')
    await clock.advance(WINDOW_MS)
    expect(taken).toEqual(['m1: one', 'm2: two'])
  })

  it('are kept apart by person and by channel', async () => {
    const { clock, taken, write } = newDebounce()
    write('ann', 'one')
    write('bob', 'two')
    write('ann', 'three', { channelId: 'elsewhere' })
    await clock.advance(WINDOW_MS)
    expect(taken).toEqual(['m1: one', 'm2: two', 'm3: three'])
  })

  it('begin the next question with what no longer fits', async () => {
    const { clock, taken, write } = newDebounce({ maxLength: 10 })
    write('ann', 'four')
    write('ann', 'more')
    write('ann', 'too much')
    expect(taken).toEqual(['m2: four\n\nmore'])
    await clock.advance(WINDOW_MS)
    expect(taken).toEqual(['m2: four\n\nmore', 'm3: too much'])
    expect(clock.pending).toBe(0)
  })

  it('leave a message that is too long by itself as it is: the queue tells', async () => {
    const { clock, taken, write } = newDebounce({ maxLength: 3 })
    write('ann', 'four')
    await clock.advance(WINDOW_MS)
    expect(taken).toEqual(['m1: four'])
  })

  it('are answered in between when somebody does not stop writing', async () => {
    const { taken, write } = newDebounce({ maxLength: 1000 })
    for (let number = 1; number <= 41; number++) write('ann', `${number}`)
    expect(taken.map((text) => text.split(':')[0])).toEqual(['m20', 'm40'])
  })

  it('bring all their files, and keep what each of them replies to', async () => {
    const clock = new SimulatedClock()
    const taken: AskedRequest[] = []
    const take = async ({ request }: { readonly request: AskedRequest }) => void taken.push(request)
    const debounce = new Debounce({ windowMs: WINDOW_MS, maxLength: 1000, clock, take })
    const member = { guildId: null, roleIds: [] }
    const file = (name: string) => ({ name, url: `https://example.com/${name}`, sizeBytes: 1, mediaType: null })
    const quoted = { author: 'bob', text: 'the sky is green' }
    const one = { ...messageOf('ann', { message: 'really?' }), quoted, offered: [file('a')] }
    const two = { ...messageOf('ann', { message: 'look' }), offered: [file('b')], quoted: { author: null, text: 'no' } }
    void debounce.add({ request: one, messageId: 'm1', member })
    void debounce.add({ request: two, messageId: 'm2', member })
    await clock.advance(WINDOW_MS)
    expect(taken).toEqual([
      expect.objectContaining({
        message: 'really?\n\nIn reply to this message of yours:\n\n> no\n\nlook',
        // What the first one replies to comes in front of all once it is known whose conversation that belongs to.
        quoted,
        offered: [file('a'), file('b')],
      }),
    ])
  })

  it('are taken at once when it closes, and from then on each as it comes', async () => {
    const { clock, taken, debounce, write } = newDebounce()
    write('ann', 'one')
    write('bob', 'two')
    await debounce.close()
    expect([taken, clock.pending]).toEqual([['m1: one', 'm2: two'], 0])
    write('ann', 'three')
    expect(taken).toHaveLength(3)
  })

  it('are questions of their own when it is off', () => {
    const { clock, taken, write } = newDebounce({ windowMs: 0 })
    write('ann', 'one')
    write('ann', 'two')
    expect([taken, clock.pending]).toEqual([['m1: one', 'm2: two'], 0])
  })
})
