import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CardState } from '#discord/card-state.ts'
import { renderCard } from '#discord/render-card.ts'
import { ReplyCard } from '#discord/reply-card.ts'
import { type CallOutcome, ChannelInMemory } from '#support/discord-in-memory.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const EDIT_INTERVAL_MS = 1_000

type Happening =
  | { readonly type: 'shows'; readonly state: CardState }
  | { readonly type: 'passes'; readonly ms: number }
  | { readonly type: 'deletes'; readonly index: number }

function start(state: CardState, latencyMs = 20, outcomes: readonly CallOutcome[] = []) {
  const clock = new SimulatedClock()
  const channel = new ChannelInMemory(clock, latencyMs, outcomes)
  const first: string[] = []
  const failed: string[] = []
  const card = new ReplyCard(
    {
      target: channel,
      nonce: 'n',
      editIntervalMs: EDIT_INTERVAL_MS,
      clock,
      onFirstMessage: (id) => first.push(id),
      onFailed: (reason) => failed.push(reason),
    },
    state,
  )
  let done = false
  void card.done.then(() => {
    done = true
  })
  const visible = () => channel.messages.filter(({ deleted }) => !deleted).map(({ content }) => content)
  return { card, channel, clock, first, failed, visible, isDone: () => done }
}

const text = fc.stringMatching(/^[a-z]{1,4}$/)
const texts = fc.array(text, { maxLength: 3 })
const openState: fc.Arbitrary<CardState> = fc.oneof(
  fc.record({ phase: fc.constant('queued' as const), position: fc.integer({ min: 1, max: 3 }), retried: fc.boolean() }),
  fc.constant({ phase: 'thinking' as const }),
  fc.record({ phase: fc.constant('answering' as const), finished: texts, tail: fc.oneof(text, fc.constant('')) }),
)
const finalState: fc.Arbitrary<CardState> = fc.oneof(
  fc.record({
    phase: fc.constant('answered' as const),
    parts: fc.array(text, { minLength: 1, maxLength: 4 }),
    notes: fc.array(text, { maxLength: 1 }),
  }),
  fc.record({ phase: fc.constant('cancelled' as const), written: texts, reason: fc.constant('user' as const) }),
)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('shows' as const), state: openState }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('passes' as const), ms: fc.integer({ min: 1, max: 1_500 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deletes' as const), index: fc.nat(3) }) },
)
const outcomes = fc.array(fc.constantFrom<CallOutcome>('works', 'fails', 'isLost'), { maxLength: 8 })

describe('a card', () => {
  it('shows the end in order whatever happens, with one call at a time and one change of a message per interval', async () => {
    const life = fc.record({
      first: openState,
      happenings: fc.array(happening, { maxLength: 12 }),
      final: finalState,
      latencyMs: fc.constantFrom(0, 20, 700, 3_000),
      outcomes,
    })
    await fc.assert(
      fc.asyncProperty(life, async ({ first, happenings, final, latencyMs, outcomes: planned }) => {
        const { card, channel, clock, visible, isDone, failed } = start(first, latencyMs, planned)
        let deleted = false
        for (const event of happenings) {
          if (event.type === 'shows') card.show(event.state)
          else if (event.type === 'passes') await clock.advance(event.ms)
          else channel.deleteMessage(event.index)
          deleted ||= event.type === 'deletes'
        }
        card.show(final)
        await clock.advance(10 * 60_000)
        expect(isDone()).toBe(true)
        expect(failed).toEqual([])
        expect(clock.pending).toBe(0)
        expect(channel.overlaps).toBe(0)
        // A message that is as it should be is not looked at again, so one that was deleted may be missing.
        if (!deleted) expect(visible()).toEqual(renderCard(final))
        expect(channel.shortestPauseMs).toBeGreaterThanOrEqual(EDIT_INTERVAL_MS)
      }),
      { numRuns: 300 },
    )
  })

  it('says once which message is the first, also when that is sent anew', async () => {
    const { card, channel, clock, first, visible } = start({ phase: 'thinking' })
    await clock.advance(100)
    channel.deleteMessage(0)
    card.show({ phase: 'answered', parts: ['one'], notes: [] })
    await clock.advance(2_000)
    expect(visible()).toEqual(['one'])
    expect(first).toEqual(['1'])
  })

  it('keeps the order when a message in the middle was deleted', async () => {
    const { card, channel, clock, visible } = start({ phase: 'answering', finished: ['one'], tail: 'tw' })
    await clock.advance(100)
    channel.deleteMessage(0)
    card.show({ phase: 'answered', parts: ['one!', 'two', 'three'], notes: [] })
    await clock.advance(10_000)
    expect(visible()).toEqual(['one!', 'two', 'three'])
  })

  it('takes back messages that are no longer needed', async () => {
    const { card, clock, visible } = start({ phase: 'answering', finished: ['one', 'two'], tail: 'three' })
    await clock.advance(100)
    card.show({ phase: 'queued', position: 1, retried: true })
    await clock.advance(5_000)
    expect(visible()).toEqual(['🔁 Trying again. ⏳ Queued: you are next.'])
  })

  it('gives up a post before Discord forgets its nonce, and an edit some time later', async () => {
    const never: CallOutcome[] = Array.from({ length: 100 }, () => 'fails')
    const post = start({ phase: 'thinking' }, 0, never)
    await post.clock.advance(1)
    await post.clock.advance(4 * 60_000)
    expect(post.failed).toEqual(['other side closed'])
    const edit = start({ phase: 'thinking' }, 0, ['works', ...never])
    await edit.clock.advance(1_000)
    edit.card.show({ phase: 'answered', parts: ['one'], notes: [] })
    await edit.clock.advance(10 * 60_000)
    expect([edit.isDone(), edit.failed]).toEqual([false, []])
    await edit.clock.advance(10 * 60_000)
    expect([edit.isDone(), edit.failed]).toEqual([true, ['other side closed']])
    expect([post.clock.pending, edit.clock.pending]).toEqual([0, 0])
  })

  it('does nothing more once it is abandoned, also when a call fails after that', async () => {
    const { card, channel, clock, isDone, failed } = start({ phase: 'thinking' }, 500, ['fails'])
    await clock.advance(0)
    card.abandon()
    card.show({ phase: 'answered', parts: ['one'], notes: [] })
    await clock.advance(500)
    expect(clock.pending).toBe(0)
    await clock.advance(10_000)
    expect([isDone(), channel.aborted, failed, channel.messages]).toEqual([true, true, [], []])
  })
})
