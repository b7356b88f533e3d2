import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filesIn } from '#discord/card-files.ts'
import type { CardState } from '#discord/card-state.ts'
import { Delivery, type Need, type Turn, type Turns } from '#discord/delivery.ts'
import type { FoundMessage } from '#discord/own-messages.ts'
import { renderCard } from '#discord/render-card.ts'
import { type CardOptions, ReplyCard } from '#discord/reply-card.ts'
import { type CallOutcome, ChannelInMemory } from '#support/discord-in-memory.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const EDIT_INTERVAL_MS = 1_000

type Happening =
  | { readonly type: 'shows'; readonly state: CardState }
  | { readonly type: 'passes'; readonly ms: number }
  | { readonly type: 'deletes'; readonly index: number }

function start(state: CardState, latencyMs = 20, outcomes: readonly CallOutcome[] = []) {
  const clock = new SimulatedClock()
  return open(state, new ChannelInMemory(clock, latencyMs, outcomes), clock)
}

/** A card over a channel that there is already; `resumed` by another process than the one that has used it. */
function open(
  state: CardState,
  channel: ChannelInMemory,
  clock: SimulatedClock,
  resumed?: CardOptions['resumed'],
  turns: Turns = new Delivery({ clock, limit: 1_000_000 }),
  anew = false,
) {
  const first: string[] = []
  const failed: string[] = []
  const told: string[] = []
  const card = new ReplyCard(
    {
      target: channel,
      turns,
      nonce: 'n',
      editIntervalMs: EDIT_INTERVAL_MS,
      clock,
      ...(resumed && { resumed }),
      anew,
      onFirstMessage: (id) => first.push(id),
      onDelivered: (ids) => told.push(`delivered ${ids.join(' ')}`),
      onUndeliverable: (reason) => told.push(`undeliverable ${reason}`),
      onFailed: (reason) => failed.push(reason),
    },
    state,
  )
  let done = false
  void card.done.then(() => {
    done = true
  })
  const there = () => channel.messages.filter(({ deleted }) => !deleted)
  const visible = () => there().map(({ content }) => content)
  const files = () => there().map((message) => message.files)
  return { card, channel, clock, first, failed, told, visible, files, isDone: () => done }
}

function contentsOf(state: CardState): string[] {
  return renderCard(state).map(({ content }) => content)
}

function filesOf(state: CardState): string[] {
  return renderCard(state).map(({ files }) => filesIn(files))
}

const text = fc.stringMatching(/^[a-z]{1,4}$/)
const texts = fc.array(text, { maxLength: 3 })
const openState: fc.Arbitrary<CardState> = fc.oneof(
  fc.record({
    phase: fc.constant('queued' as const),
    position: fc.integer({ min: 1, max: 3 }),
    restored: fc.boolean(),
  }),
  fc.constant({ phase: 'thinking' as const }),
  fc.record({ phase: fc.constant('answering' as const), finished: texts, tail: fc.oneof(text, fc.constant('')) }),
)
const finalState: fc.Arbitrary<CardState> = fc.oneof(
  fc.record({ phase: fc.constant('settled' as const), messages: fc.array(text, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    phase: fc.constant('settled' as const),
    messages: fc.array(text, { minLength: 1, maxLength: 4 }),
    files: fc.uniqueArray(fc.record({ name: text, text }), {
      minLength: 1,
      maxLength: 2,
      selector: ({ name }) => name,
    }),
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
  it('shows the end in order whatever happens, with one call at a time and, before the end, one edit of a message per interval', async () => {
    const life = fc.record({
      first: openState,
      happenings: fc.array(happening, { maxLength: 12 }),
      final: finalState,
      latencyMs: fc.constantFrom(0, 20, 700, 3_000),
      outcomes,
    })
    await fc.assert(
      fc.asyncProperty(life, async ({ first, happenings, final, latencyMs, outcomes: planned }) => {
        const { card, channel, clock, visible, files, isDone, failed } = start(first, latencyMs, planned)
        let deleted = false
        for (const event of happenings) {
          if (event.type === 'shows') card.show(event.state)
          else if (event.type === 'passes') await clock.advance(event.ms)
          else channel.deleteMessage(event.index)
          deleted ||= event.type === 'deletes'
        }
        const { shortestPauseMs } = channel
        card.show(final)
        await clock.advance(0)
        await clock.advance(10 * 60_000)
        expect(isDone()).toBe(true)
        expect(failed).toEqual([])
        expect(clock.pending).toBe(0)
        expect(channel.overlaps).toBe(0)
        // A message that is as it should be is not looked at again, so one that was deleted may be missing.
        if (!deleted) expect([visible(), files()]).toEqual([contentsOf(final), filesOf(final)])
        expect(shortestPauseMs).toBeGreaterThanOrEqual(EDIT_INTERVAL_MS)
      }),
      { numRuns: 300 },
    )
  })

  it('is edited at once after it was posted, and at the end, whenever it was edited last', async () => {
    const { card, clock, visible, isDone } = start({ phase: 'thinking' })
    await clock.advance(0)
    const see = async (state: CardState) => {
      card.show(state)
      await clock.advance(0)
      await clock.advance(20)
      return visible()
    }
    await clock.advance(20)
    expect(await see({ phase: 'answering', finished: [], tail: 'one' })).toEqual(['one'])
    expect(await see({ phase: 'answering', finished: [], tail: 'one two' })).toEqual(['one'])
    expect(await see({ phase: 'settled', messages: ['one two three'] })).toEqual(['one two three'])
    expect([isDone(), clock.pending]).toEqual([true, 0])
  })

  it('says once which message is the first, also when that is sent anew', async () => {
    const { card, channel, clock, first, visible } = start({ phase: 'thinking' })
    await clock.advance(100)
    channel.deleteMessage(0)
    card.show({ phase: 'settled', messages: ['one'] })
    await clock.advance(0)
    await clock.advance(2_000)
    expect(visible()).toEqual(['one'])
    expect(first).toEqual(['1'])
  })

  it('keeps the order when a message in the middle was deleted', async () => {
    const { card, channel, clock, visible } = start({ phase: 'answering', finished: ['one'], tail: 'tw' })
    await clock.advance(100)
    channel.deleteMessage(0)
    card.show({ phase: 'settled', messages: ['one!', 'two', 'three'] })
    await clock.advance(0)
    await clock.advance(10_000)
    expect(visible()).toEqual(['one!', 'two', 'three'])
  })

  it('takes back messages that are no longer needed', async () => {
    const { card, clock, visible } = start({ phase: 'answering', finished: ['one', 'two'], tail: 'three' })
    await clock.advance(100)
    card.show({ phase: 'retrying', nextAttempt: 2, maxAttempts: 3 })
    await clock.advance(0)
    await clock.advance(5_000)
    expect(visible()).toEqual(['🔁 Trying again (2 of 3)…'])
  })

  it('tries seldom when nothing works for about a quarter of an hour, and says so once', async () => {
    const never: CallOutcome[] = Array.from({ length: 50 }, () => 'fails')
    for (const outcomesOfCalls of [never, ['works' as const, ...never]]) {
      const { card, clock, failed, told, visible, isDone } = start({ phase: 'thinking' }, 0, outcomesOfCalls)
      await clock.advance(0)
      await clock.advance(1_000)
      card.show({ phase: 'settled', messages: ['one'] })
      await clock.advance(0)
      await clock.advance(10 * 60_000)
      expect([isDone(), failed]).toEqual([false, []])
      await clock.advance(20 * 60_000)
      // The outbox still has it, for the next start.
      expect([isDone(), failed, told]).toEqual([false, ['other side closed'], []])
      await clock.advance(2 * 3_600_000)
      expect([isDone(), failed.length, told, visible()]).toEqual([true, 1, ['delivered 1'], ['one']])
      expect(clock.pending).toBe(0)
    }
  })

  it('tries once more for the end when it has given up what came before', async () => {
    const outcomesOfCalls: CallOutcome[] = Array.from({ length: 34 }, () => 'fails')
    const { card, clock, failed, told, visible, isDone } = start({ phase: 'thinking' }, 0, outcomesOfCalls)
    await clock.advance(0)
    await clock.advance(30 * 60_000)
    card.show({ phase: 'answering', finished: [], tail: 'on' })
    await clock.advance(0)
    await clock.advance(30 * 60_000)
    expect([isDone(), failed, visible()]).toEqual([false, ['other side closed'], []])
    card.show({ phase: 'settled', messages: ['one'] })
    await clock.advance(0)
    await clock.advance(1_000)
    expect([isDone(), visible(), told]).toEqual([true, ['one'], ['delivered 1']])
  })

  it('is delivered once all of the end is there, and not before', async () => {
    const { card, clock, told, visible } = start({ phase: 'answering', finished: [], tail: 'one' })
    await clock.advance(0)
    await clock.advance(2_000)
    expect(told).toEqual([])
    card.show({ phase: 'settled', messages: ['one', 'two', 'three'] })
    await clock.advance(0)
    await clock.advance(30)
    expect([visible(), told]).toEqual([['one', 'two'], []])
    await clock.advance(100)
    expect([visible(), told]).toEqual([['one', 'two', 'three'], ['delivered 1 2 3']])
  })

  it.each<CardState>([{ phase: 'suspended' }, { phase: 'refused', refusal: { code: 'QUEUE_FULL', message: 'Full.' } }])(
    'delivers nothing when it is $phase',
    async (state) => {
      const { card, clock, told, isDone, visible } = start({ phase: 'answering', finished: ['one'], tail: 'two' })
      await clock.advance(0)
      await clock.advance(100)
      card.show(state)
      await clock.advance(0)
      await clock.advance(5_000)
      expect([isDone(), told, visible()]).toEqual([true, [], contentsOf(state)])
    },
  )

  it('does nothing more once it is abandoned, also when a call fails after that', async () => {
    const { card, channel, clock, isDone, failed } = start({ phase: 'thinking' }, 500, ['fails'])
    await clock.advance(0)
    card.abandon()
    card.show({ phase: 'settled', messages: ['one'] })
    await clock.advance(0)
    await clock.advance(500)
    expect(clock.pending).toBe(0)
    await clock.advance(10_000)
    expect([isDone(), channel.aborted, failed, channel.messages]).toEqual([true, true, [], []])
  })
})

describe('a card that waits for its turn', () => {
  it.each<[string, (card: ReplyCard) => void]>([
    ['is abandoned', (card) => card.abandon()],
    ['has nothing left to show', (card) => card.show({ phase: 'answering', finished: [], tail: 'one' })],
  ])('waits no more when it %s', async (_, happens) => {
    const clock = new SimulatedClock()
    const waiting = new Set<Turn>()
    const turns = {
      ask: (turn: Turn, { lane }: Need) => {
        if (lane.key === 'post') void turn.take(lane)
        else waiting.add(turn)
      },
      withdraw: (turn: Turn) => void waiting.delete(turn),
    }
    const first = { phase: 'answering', finished: [], tail: 'one' } as const
    const { card } = open(first, new ChannelInMemory(clock, 0, []), clock, undefined, turns)
    await turnOfTheEventLoop()
    await clock.advance(0)
    card.show({ phase: 'answering', finished: [], tail: 'one two' })
    await clock.advance(EDIT_INTERVAL_MS)
    expect(waiting.size).toBe(1)
    happens(card)
    expect([waiting.size, clock.pending]).toEqual([0, 0])
  })
})

describe('a post that may have arrived', () => {
  it('is looked for before it is sent again once Discord may have forgotten it', async () => {
    const lost: CallOutcome[] = ['isLost', ...Array.from({ length: 8 }, () => 'fails' as const)]
    const { card, channel, clock, visible, first } = start({ phase: 'thinking' }, 0, lost)
    await clock.advance(0)
    await clock.advance(80_000)
    expect(channel.searches).toBe(0)
    await clock.advance(5 * 60_000)
    expect(channel.searches).toBeGreaterThan(0)
    expect(channel.messages.map(({ content }) => content)).toEqual(['💭 Thinking…'])
    card.show({ phase: 'settled', messages: ['one'] })
    await clock.advance(0)
    await clock.advance(1_000)
    expect([visible(), channel.messages.length, first]).toEqual([['one'], 1, ['1']])
  })

  it('is looked for also when Discord may have forgotten it only when its turn comes', async () => {
    const clock = new SimulatedClock()
    const channel = new ChannelInMemory(clock, 0, ['isLost'])
    const asked: { readonly turn: Turn; readonly need: Need }[] = []
    const turns = { ask: (turn: Turn, need: Need) => asked.push({ turn, need }), withdraw: () => undefined }
    open({ phase: 'settled', messages: ['one'] }, channel, clock, undefined, turns)
    const grant = async () => {
      const last = asked.at(-1)
      await turnOfTheEventLoop()
      const taken = last?.turn.take(last.need.lane)
      await clock.advance(1_000)
      await taken
    }
    await turnOfTheEventLoop()
    await grant()
    expect(asked.map(({ need }) => need.lane.key)).toEqual(['post', 'post'])
    await clock.advance(10 * 60_000)
    await grant()
    expect([asked.at(-1)?.need.lane.key, channel.messages.length, channel.searches]).toEqual(['find', 1, 0])
    await grant()
    expect([channel.messages.length, channel.searches]).toEqual([1, 1])
  })

  it('is tried but seldom in the end, though the channel can be read', async () => {
    const clock = new SimulatedClock()
    const channel = new ReadOnlyChannel(clock, 0, Array<CallOutcome>(100).fill('fails'))
    const { failed, isDone } = open({ phase: 'settled', messages: ['one'] }, channel, clock)
    await clock.advance(0)
    await clock.advance(30 * 60_000)
    expect(channel.searches).toBeGreaterThan(0)
    expect([failed, isDone()]).toEqual([['other side closed'], false])
  })

  it('is sent again when it is not there', async () => {
    const never: CallOutcome[] = Array.from({ length: 9 }, () => 'fails')
    const { channel, clock, visible } = start({ phase: 'thinking' }, 0, never)
    await clock.advance(0)
    await clock.advance(10 * 60_000)
    expect(channel.searches).toBeGreaterThan(0)
    expect(visible()).toEqual(['💭 Thinking…'])
  })
})

/** A channel that can be read and not be written to. */
class ReadOnlyChannel extends ChannelInMemory {
  override find(): Promise<FoundMessage[]> {
    this.searches++
    return Promise.resolve([])
  }
}

describe('an end that is shown anew', () => {
  const written = { phase: 'answering', finished: ['one'], tail: 'tw' } as const
  const settled = { phase: 'settled', messages: ['one', 'two'] } as const

  it('comes in new messages, and those before it go once it is there', async () => {
    const { card, channel, clock, visible, told } = start(written)
    await clock.advance(0)
    await clock.advance(100)
    card.show(settled, { anew: true })
    await clock.advance(0)
    await clock.advance(45)
    expect(visible()).toEqual(['one', 'tw', 'one', 'two'])
    await clock.advance(1_000)
    expect([visible(), told]).toEqual([['one', 'two'], ['delivered 3 4']])
    expect(channel.overlaps).toBe(0)
  })

  it('waits for the call that is under way, also one that takes a message away', async () => {
    const { card, clock, visible, told } = start(written)
    await clock.advance(0)
    await clock.advance(100)
    card.show({ phase: 'thinking' })
    await clock.advance(0)
    await clock.advance(1_025)
    card.show(settled, { anew: true })
    await clock.advance(0)
    await clock.advance(5_000)
    expect([visible(), told]).toEqual([['one', 'two'], ['delivered 3 4']])
  })

  it('is there once, in whatever call the process was killed', async () => {
    for (let ms = 0; ms <= 200; ms += 10) {
      const before = start(written)
      await before.clock.advance(0)
      await before.clock.advance(100)
      before.card.show(settled, { anew: true })
      await before.clock.advance(ms)
      before.card.abandon()
      const { channel, clock } = before
      await clock.advance(100)
      const posted = channel.messages.length
      const next = open(settled, channel, clock, { statusMessageId: '1' }, undefined, true)
      await clock.advance(0)
      await clock.advance(20_000)
      expect([next.visible(), next.isDone()]).toEqual([['one', 'two'], true])
      // What was posted anew before is not posted once more.
      expect(channel.messages.length).toBeLessThanOrEqual(Math.max(4, posted))
      expect(clock.pending).toBe(0)
    }
  })
})

describe('a card of an earlier process', () => {
  const settled = { phase: 'settled', messages: ['one', 'two', 'three'] } as const

  /** A channel in which an earlier process has shown something and was killed. */
  async function killedAt(state: CardState, next: CardState = state) {
    const before = start(state)
    await before.clock.advance(0)
    await before.clock.advance(100)
    before.card.show(next)
    await before.clock.advance(0)
    await before.clock.advance(2_000)
    before.card.abandon()
    return before
  }

  async function reopen(...card: Parameters<typeof open>) {
    const opened = open(...card)
    await opened.clock.advance(0)
    return opened
  }

  it('goes on in the messages that are there', async () => {
    const { channel, clock } = await killedAt({ phase: 'answering', finished: ['one'], tail: 'tw' })
    const { visible, told, first } = await reopen(settled, channel, clock, { statusMessageId: '1' })
    await clock.advance(5_000)
    expect(visible()).toEqual(['one', 'two', 'three'])
    expect(channel.messages).toHaveLength(3)
    expect([told, first]).toEqual([['delivered 1 2 3'], []])
  })

  it('looks before it does anything, and finds a message nobody knew of', async () => {
    const { channel, clock } = await killedAt({ phase: 'thinking' })
    const { visible, first } = await reopen({ phase: 'queued', position: 2, restored: true }, channel, clock, {
      statusMessageId: null,
    })
    await clock.advance(5_000)
    expect(visible()).toEqual(['⏳ Parley was restarted; your question goes on. You are 2nd in line.'])
    expect([channel.searches, channel.messages.length, first]).toEqual([1, 1, ['1']])
  })

  it('does nothing but say so when all is there', async () => {
    const { channel, clock } = await killedAt(settled)
    const changes = channel.messages.map(({ editedAt }) => editedAt)
    const { told } = await reopen(settled, channel, clock, { statusMessageId: '1' })
    await clock.advance(5_000)
    expect(told).toEqual(['delivered 1 2 3'])
    expect(channel.messages.map(({ editedAt }) => editedAt)).toEqual(changes)
  })

  it('is not fooled by the nonce of a message that was taken away', async () => {
    const written = { phase: 'answering', finished: ['one'], tail: 'two' } as const
    const { channel, clock } = await killedAt(written, { phase: 'suspended' })
    const { visible, told } = await reopen(settled, channel, clock, { statusMessageId: '1' })
    await clock.advance(20_000)
    expect(visible()).toEqual(['one', 'two', 'three'])
    expect(told).toEqual(['delivered 1 3 4'])
  })

  it('sends the first message anew when that is gone', async () => {
    const { channel, clock } = await killedAt({ phase: 'thinking' })
    channel.deleteMessage(0)
    const { visible, told } = await reopen({ phase: 'settled', messages: ['one'] }, channel, clock, {
      statusMessageId: '1',
    })
    await clock.advance(10_000)
    expect(visible()).toEqual(['one'])
    expect(told).toEqual(['delivered 2'])
  })

  it('finds the file that is there, and sends it where it is missing or another one is', async () => {
    const withFile = {
      phase: 'settled',
      messages: ['one', 'two'],
      files: [{ name: 'answer.md', text: 'all' }],
    } as const
    const befores: CardState[] = [
      withFile,
      { phase: 'settled', messages: ['one', 'two'] },
      { ...withFile, files: [{ name: 'answer.md', text: 'all of another attempt' }] },
    ]
    const edits: number[] = []
    for (const before of befores) {
      const { channel, clock } = await killedAt(before)
      const changes = channel.messages.map(({ editedAt }) => editedAt)
      const { files, told } = await reopen(withFile, channel, clock, { statusMessageId: '1' })
      await clock.advance(5_000)
      expect([files(), told]).toEqual([['', 'answer.md:3'], ['delivered 1 2']])
      edits.push(channel.messages.filter(({ editedAt }, index) => editedAt !== changes[index]).length)
    }
    expect(edits).toEqual([0, 1, 1])
  })

  it('takes away a file when the request was not answered after all', async () => {
    const { channel, clock } = await killedAt({
      phase: 'settled',
      messages: ['one'],
      files: [{ name: 'a', text: 'b' }],
    })
    const { files, visible } = await reopen({ phase: 'thinking' }, channel, clock, { statusMessageId: '1' })
    await clock.advance(5_000)
    expect([visible(), files()]).toEqual([['💭 Thinking…'], ['']])
  })

  it('tries to look until that works', async () => {
    const clock = new SimulatedClock()
    const channel = new ChannelInMemory(clock, 0, ['fails', 'fails', 'fails'])
    const { visible } = await reopen({ phase: 'thinking' }, channel, clock, { statusMessageId: null })
    await clock.advance(10_000)
    expect([channel.searches, visible()]).toEqual([4, ['💭 Thinking…']])
  })
})
