import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Delivery, type DeliveryOptions, type Turn } from '#discord/delivery.ts'
import { laneOf } from '#discord/lane.ts'
import type { Urgency } from '#protocol/delivery.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const API = 'https://discord.test/api/v10'
const LATENCY_MS = 10
/** A place is free again a window and a little after the answer. */
const WINDOW_MS = 1_020

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

type Options = Partial<Omit<DeliveryOptions, 'clock'>> & { readonly clock?: SimulatedClock }

/** A delivery whose calls are written down in the order in which they go out. */
function start({ clock = new SimulatedClock(0), ...options }: Options = {}, answers: readonly Answer[] = []) {
  const calls: string[] = []
  const left = [...answers]
  const request = async (url: string, { body }: { readonly body?: unknown }) => {
    calls.push(typeof body === 'string' ? body : url.replace(API, ''))
    await new Promise<void>((resolve) => clock.setTimeout(resolve, LATENCY_MS))
    const { status = 200, headers = {} } = left.shift() ?? {}
    return new Response('{}', { status, headers })
  }
  const delivery = new Delivery({ clock, request, ...options })
  const turnOf = (name: string, channel = name): Turn => ({
    take: async () => {
      await delivery.makeRequest(`${API}/channels/${channel}/messages`, { method: 'POST', body: name })
    },
  })
  const ask = (name: string, urgency: Urgency, channel = name) => {
    const turn = turnOf(name, channel)
    delivery.ask(turn, needOf(urgency, channel))
    return turn
  }
  /** What was asked for in this turn of the event loop is granted before time passes. */
  const pass = async (ms: number) => {
    await turnOfTheEventLoop()
    await clock.advance(ms)
  }
  return { delivery, clock, pass, calls, ask, turnOf }
}

function needOf(urgency: Urgency, channel: string) {
  return { urgency, lane: laneOf('POST', `/channels/${channel}/messages`) }
}

describe('delivery', () => {
  it('serves ends first, then refusals, placeholders and previews, whoever asked first', async () => {
    const { clock, calls, ask, pass } = start({ limit: 1 })
    for (const urgency of ['preview', 'placeholder', 'notice', 'answer'] as const) ask(urgency, urgency)
    await pass(10_000)
    expect(calls).toEqual(['answer', 'notice', 'placeholder', 'preview'])
    expect(clock.pending).toBe(0)
  })

  it('makes no more calls in a second than the limit says, and all of them', async () => {
    const { calls, ask, pass } = start({ limit: 3 })
    for (let index = 0; index < 8; index++) ask(`answer-${index}`, 'answer')
    await pass(LATENCY_MS + WINDOW_MS - 1)
    expect(calls).toHaveLength(3)
    await pass(1)
    expect(calls).toHaveLength(6)
    await pass(10_000)
    expect(calls).toHaveLength(8)
  })

  it('keeps places free for answers when only previews wait', async () => {
    const { calls, ask, pass } = start({ limit: 10 })
    for (let index = 0; index < 20; index++) ask(`preview-${index}`, 'preview')
    await pass(LATENCY_MS)
    expect(calls).toHaveLength(8)
    ask('answer', 'answer')
    await pass(0)
    expect(calls.at(-1)).toBe('answer')
  })

  it('sends an answer instead of the placeholder that it overtakes', async () => {
    const { delivery, calls, ask, turnOf, pass } = start({ limit: 1 })
    ask('first', 'answer')
    const turn = turnOf('card')
    delivery.ask(turn, needOf('placeholder', 'card'))
    await pass(LATENCY_MS)
    expect(delivery.statistics().waiting.placeholder).toBe(1)
    delivery.ask(turn, needOf('answer', 'card'))
    await pass(10_000)
    expect(calls).toEqual(['first', 'card'])
    const { granted, overtaken } = delivery.statistics()
    expect([granted.answer, granted.placeholder, overtaken.placeholder]).toEqual([2, 0, 1])
  })

  it('keeps the place of who asks again, and of an answer from its first message to its last', async () => {
    const { delivery, calls, ask, turnOf, pass } = start({ limit: 1 })
    const card = turnOf('card')
    let left = 2
    const { lane } = needOf('answer', 'twice')
    const twice: Turn = {
      take: async () => {
        if (--left > 0) delivery.ask(twice, needOf('answer', 'twice'))
        await turnOf('twice').take(lane)
      },
    }
    ask('first', 'answer')
    delivery.ask(twice, needOf('answer', 'twice'))
    delivery.ask(card, needOf('answer', 'card'))
    ask('last', 'answer')
    delivery.ask(card, needOf('answer', 'card'))
    await pass(10_000)
    expect(calls).toEqual(['first', 'twice', 'twice', 'card', 'last'])
  })

  it('has one call under way in a lane', async () => {
    const { calls, ask, pass } = start()
    ask('one', 'preview', 'same')
    ask('two', 'preview', 'same')
    ask('three', 'preview', 'another')
    await pass(0)
    expect(calls).toEqual(['one', 'three'])
    await pass(LATENCY_MS)
    expect(calls).toEqual(['one', 'three', 'two'])
  })

  it('hands on nothing for a lane that Discord says is used up, until it is reset', async () => {
    const headers = { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset-After': '2' }
    const { calls, ask, pass } = start({}, [{ headers }])
    ask('one', 'answer', 'same')
    ask('two', 'answer', 'same')
    await pass(2_000)
    expect(calls).toEqual(['one'])
    await pass(100)
    expect(calls).toEqual(['one', 'two'])
  })

  it('stops for everybody when Discord refuses a call for the whole bot', async () => {
    const headers = { 'X-RateLimit-Scope': 'global', 'Retry-After': '3' }
    const { delivery, calls, ask, pass } = start({}, [{ status: 429, headers }])
    ask('one', 'answer')
    await pass(LATENCY_MS)
    ask('two', 'answer')
    await pass(2_999)
    expect([calls, delivery.statistics().rateLimited]).toEqual([['one'], 1])
    await pass(1)
    expect(calls).toEqual(['one', 'two'])
  })

  it('stops for one lane when Discord refuses a call of that', async () => {
    const headers = { 'X-RateLimit-Scope': 'user', 'Retry-After': '3' }
    const { calls, ask, pass } = start({}, [{ status: 429, headers }])
    ask('one', 'answer', 'same')
    await pass(LATENCY_MS)
    ask('two', 'answer', 'same')
    ask('three', 'answer', 'another')
    await pass(2_999)
    expect(calls).toEqual(['one', 'three'])
    await pass(100)
    expect(calls).toEqual(['one', 'three', 'two'])
  })

  it('gives up previews, then placeholders, and no answer when too much waits', async () => {
    const { delivery, calls, ask, pass } = start({ limit: 1, maxWaiting: 2 })
    ask('held', 'answer')
    await pass(0)
    ask('preview', 'preview')
    ask('placeholder', 'placeholder')
    ask('preview-too-many', 'preview')
    ask('answer', 'answer')
    ask('placeholder-too-many', 'placeholder')
    expect(delivery.statistics().dropped).toMatchObject({ preview: 2, placeholder: 1 })
    ask('another-answer', 'answer')
    ask('refusal', 'notice')
    ask('a-third-answer', 'answer')
    await pass(10_000)
    expect(calls).toEqual(['held', 'answer', 'another-answer', 'a-third-answer', 'refusal'])
    expect(delivery.statistics()).toMatchObject({ dropped: { preview: 2, placeholder: 2 }, waiting: { answer: 0 } })
  })

  it('counts calls that nobody asked for, and lets them wait their second', async () => {
    const { delivery, calls, ask, pass } = start({ limit: 2 })
    const own = ['/users/@me', '/gateway/bot', '/applications/@me'].map((path) =>
      delivery.makeRequest(`${API}${path}`, { method: 'GET' }),
    )
    ask('answer', 'answer')
    await pass(LATENCY_MS)
    expect(calls).toEqual(['/users/@me', '/gateway/bot'])
    await pass(WINDOW_MS)
    expect(calls.slice(2).toSorted()).toEqual(['/applications/@me', 'answer'])
    await pass(LATENCY_MS)
    await Promise.all(own)
  })

  it('lets the calls of interactions go, however few others may', async () => {
    const { delivery, calls, ask, pass } = start({ limit: 1 })
    ask('answer', 'answer')
    const lane = laneOf('PATCH', '/webhooks/1/token')
    const take = async () => {
      await delivery.makeRequest(`${API}/webhooks/1/token/messages/1`, { method: 'PATCH', body: 'edit' })
    }
    delivery.ask({ take }, { urgency: 'preview', lane })
    const callback = delivery.makeRequest(`${API}/interactions/1/token/callback`, { method: 'POST', body: 'callback' })
    await pass(LATENCY_MS)
    await callback
    expect(calls.toSorted()).toEqual(['answer', 'callback', 'edit'])
  })

  it('makes a call of its own when its turn comes, unless it is called off', async () => {
    const { delivery, calls, ask, pass } = start({ limit: 1 })
    const read = (name: string, signal: AbortSignal) =>
      delivery.call(
        needOf('reading', name),
        () => delivery.makeRequest(`${API}/channels/${name}/messages`, { method: 'POST', body: name }).then(() => name),
        signal,
      )
    const aborter = new AbortController()
    const outcomes = [read('one', new AbortController().signal), read('two', aborter.signal)].map((outcome) =>
      outcome.catch((error: unknown) => error),
    )
    ask('answer', 'answer')
    await pass(0)
    aborter.abort('called off')
    await pass(10_000)
    expect([calls, await Promise.all(outcomes)]).toEqual([
      ['answer', 'one'],
      ['one', 'called off'],
    ])
  })

  it('gives a call of its own a signal of its own, as discord.js never lets go of the one that it gets', async () => {
    const { delivery, pass } = start()
    const aborter = new AbortController()
    const given: AbortSignal[] = []
    const work = async (signal: AbortSignal) => {
      given.push(signal)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    const outcome = delivery.call(needOf('reading', 'one'), work, aborter.signal).catch(String)
    await pass(0)
    expect([given.map(({ aborted }) => aborted), given.includes(aborter.signal)]).toEqual([[false], false])
    aborter.abort('called off')
    expect([await outcome, given[0]?.reason]).toEqual(['called off', 'called off'])
    await pass(0)
    expect(getEventListeners(aborter.signal, 'abort')).toEqual([])
  })

  it('rejects a call of its own that gives way to others, or whose turn does not come before the end', async () => {
    const { delivery, clock, calls, ask, pass } = start({ limit: 1, maxWaiting: 2 })
    const signal = new AbortController().signal
    const call = (name: string, urgency: Urgency) => {
      const work = () => Promise.resolve(calls.push(name))
      return delivery.call(needOf(urgency, name), work, signal).catch(String)
    }
    ask('held', 'answer')
    await pass(0)
    const outcomes = [call('typing', 'preview'), call('reading', 'reading')]
    ask('answer', 'answer')
    outcomes.push(call('typing too', 'preview'))
    expect(delivery.statistics().dropped.preview).toBe(2)
    delivery.close()
    const refused = 'Error: there was no room for a call to Discord'
    expect(await Promise.all(outcomes)).toEqual([refused, refused, refused])
    expect([calls, clock.pending]).toEqual([['held'], 1])
    await pass(LATENCY_MS)
  })

  it('grants what waits whatever time passes between two looks at the clock', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.001, max: 0.5, noNaN: true }), fc.boolean(), async (step, isRefused) => {
        /** Each look is a little later than the one before, and timers count whole milliseconds, as Node's do. */
        class RestlessClock extends SimulatedClock {
          #looks = 0

          override now(): number {
            return super.now() + this.#looks++ * step
          }

          override setTimeout(callback: () => void, delayMs: number) {
            return super.setTimeout(callback, Math.trunc(delayMs))
          }
        }
        const usedUp = isRefused
          ? { status: 429, headers: { 'Retry-After': '1', 'X-RateLimit-Scope': 'global' } }
          : { headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset-After': '1' } }
        const { calls, ask, pass } = start({ clock: new RestlessClock(0), limit: 5 }, [usedUp])
        ask('first', 'answer', 'channel')
        await pass(LATENCY_MS)
        ask('second', 'answer', 'channel')
        await pass(10_000)
        expect(calls).toEqual(['first', 'second'])
      }),
      { numRuns: 300 },
    )
  })

  it('tells how it is doing once a minute while it has something to do', async () => {
    let told = 0
    const { clock, ask, pass } = start({ onMinute: () => told++ })
    for (let minute = 0; minute < 3; minute++) {
      ask(`a-${minute}`, 'answer')
      ask(`b-${minute}`, 'answer')
      await pass(60_000)
    }
    expect(told).toBe(2)
    expect(clock.pending).toBe(0)
  })

  it('grants nothing and leaves no timer once it is closed', async () => {
    const { delivery, clock, calls, ask, pass } = start({ limit: 1 })
    ask('answer', 'answer')
    await pass(LATENCY_MS)
    ask('late', 'answer')
    const own = delivery.makeRequest(`${API}/users/@me`, { method: 'GET' }).catch(String)
    await turnOfTheEventLoop()
    expect(clock.pending).toBe(1)
    delivery.close()
    ask('later', 'answer')
    await pass(10_000)
    expect([calls, clock.pending, await own]).toEqual([['answer'], 0, 'Error: Parley has stopped'])
    expect(delivery.statistics().waiting.answer).toBe(0)
  })
})
