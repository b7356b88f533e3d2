import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import * as Comlink from 'comlink'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Connection, type ConnectOptions, connect } from '#actors/calling-endpoint.ts'
import { type Served, serve } from '#actors/serving-endpoint.ts'
import { ParleyError } from '#domain/errors.ts'
import type { servingThreadApi } from '#support/serving-thread.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

const openPorts: MessagePort[] = []

afterEach(() => {
  for (const port of openPorts.splice(0)) port.close()
})

function newChannel(): MessageChannel {
  const channel = new MessageChannel()
  openPorts.push(channel.port1, channel.port2)
  return channel
}

interface Pair<T> extends Connection<T> {
  readonly served: Served
  readonly clock: SimulatedClock
  readonly port1: MessagePort
  readonly port2: MessagePort
}

function pairOf<T extends object>(api: T, options: Partial<ConnectOptions> = {}): Pair<T> {
  const { port1, port2 } = newChannel()
  const clock = new SimulatedClock()
  const served = serve(api, port2)
  const connection = connect<T>(port1, { callTimeoutMs: 1000, clock, ...options })
  return { ...connection, served, clock, port1, port2 }
}

/** A caller whose other side is the test: it sees the posts and answers by hand. */
function callerOf<T extends object>(options: Partial<ConnectOptions> = {}) {
  const { port1, port2 } = newChannel()
  const clock = new SimulatedClock()
  const connection = connect<T>(port1, { callTimeoutMs: 1000, clock, ...options })
  const nextPost = async (): Promise<WireCall[]> => {
    const [messages] = await once(port2, 'message')
    return messages
  }
  return { ...connection, clock, port: port2, nextPost }
}

interface WireCall {
  readonly id: string
  readonly path: string[]
  readonly argumentList: { value: unknown }[]
}

function answer({ id }: WireCall, value: unknown): object {
  return { id, type: 'RAW', value }
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('The call did not fail.')
}

function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

interface Doubler {
  double(value: number): Promise<number>
}

describe('the port endpoint gathers messages', () => {
  it('posts the 100 calls of one tick once, and their answers once', async () => {
    const { remote, counters, served } = pairOf({ double: async (value: number) => value * 2 })
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => remote.double(index)))
    expect(results).toEqual(Array.from({ length: 100 }, (_, index) => index * 2))
    expect(counters().posts).toBe(1)
    expect(served.counters().posts).toBe(1)
  })

  it('puts one array with the calls in order on the wire', async () => {
    const { remote, nextPost, port } = callerOf<Doubler>()
    const calls = Promise.all([remote.double(1), remote.double(2), remote.double(3)])
    const messages = await nextPost()
    expect(messages.map((message) => message.argumentList[0]?.value)).toEqual([1, 2, 3])
    port.postMessage(messages.map((message) => answer(message, 7)))
    expect(await calls).toEqual([7, 7, 7])
  })

  it('transfers what each call of a batch transfers', async () => {
    const { remote } = pairOf({ sizeOf: async (bytes: ArrayBuffer) => bytes.byteLength })
    const buffers = [new ArrayBuffer(3), new ArrayBuffer(5)]
    const sizes = await Promise.all(buffers.map((buffer) => remote.sizeOf(Comlink.transfer(buffer, [buffer]))))
    expect(sizes).toEqual([3, 5])
    expect(buffers.map((buffer) => buffer.byteLength)).toEqual([0, 0])
  })

  it('rejects only the call whose arguments cannot be sent', async () => {
    const { remote } = pairOf({ echo: async (value: unknown) => value })
    const bad = remote.echo(() => 1)
    const good = Promise.all([remote.echo('before'), remote.echo('after')])
    expect(await failureOf(bad)).toMatchObject({ code: 'CALL_INVALID', message: expect.stringContaining('echo') })
    expect(await good).toEqual(['before', 'after'])
  })

  it('rejects only the call whose result cannot be sent back', async () => {
    const { remote } = pairOf({ make: async (sendable: boolean) => (sendable ? 'fine' : () => 1) })
    const bad = remote.make(false)
    const good = remote.make(true)
    expect(await failureOf(bad)).toMatchObject({ code: 'CALL_INVALID' })
    expect(await good).toBe('fine')
  })

  it('gives every call its own answer, however ticks and answers interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ newTick: fc.boolean(), slow: fc.boolean() })), async (steps) => {
        const { remote, close } = pairOf({
          echo: async (value: number, slow: boolean) => {
            if (slow) await turnOfTheEventLoop()
            return value
          },
        })
        const calls: Promise<number>[] = []
        for (const [index, { newTick, slow }] of steps.entries()) {
          if (newTick) await turnOfTheEventLoop()
          calls.push(remote.echo(index, slow))
        }
        expect(await Promise.all(calls)).toEqual(steps.map((_, index) => index))
        close()
      }),
      { numRuns: 30 },
    )
  })
})

describe('the port endpoint ends every call', () => {
  it('rejects the open calls when the other side closes the port', async () => {
    const { remote, served, closed } = pairOf({ hang: () => new Promise<never>(() => undefined) })
    const failures = Promise.all([failureOf(remote.hang()), failureOf(remote.hang())])
    await turnOfTheEventLoop()
    served.close()
    for (const failure of await failures) {
      expect(failure).toBeInstanceOf(ParleyError)
      expect(failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('hang') })
    }
    await closed
  })

  it('rejects the open calls at once when it is closed on this side', async () => {
    const { remote, close, closed } = pairOf({ hang: () => new Promise<never>(() => undefined) })
    const failure = failureOf(remote.hang())
    close()
    expect(await failure).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await closed
  })

  it('rejects a call made after the port was closed, with the code it was given', async () => {
    const { remote, served, closed } = pairOf(
      { double: async (value: number) => value * 2 },
      { closedCode: 'THREAD_LOST' },
    )
    served.close()
    await closed
    expect(await failureOf(remote.double(1))).toMatchObject({ code: 'THREAD_LOST' })
  })

  it('rejects an open call when the thread on the other side dies', async () => {
    const { port1, port2 } = newChannel()
    const entry = new URL('../support/serving-thread.ts', import.meta.url)
    const worker = new Worker(entry, { workerData: { port: port2 }, transferList: [port2] })
    const exited = once(worker, 'exit')
    const { remote } = connect<typeof servingThreadApi>(port1, { callTimeoutMs: 60_000, peer: 'the serving thread' })
    expect(await remote.double(21)).toBe(42)
    const hanging = failureOf(remote.hang())
    const dying = failureOf(remote.die())
    expect(await hanging).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('the serving'),
    })
    expect(await dying).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await exited
  })

  it('rejects a call without an answer at its deadline, and not before', async () => {
    const { remote, clock, nextPost } = callerOf<Doubler>()
    let failure: unknown
    void failureOf(remote.double(1)).then((error) => {
      failure = error
    })
    await nextPost()
    await clock.advance(999)
    expect(failure).toBeUndefined()
    await clock.advance(1)
    expect(failure).toMatchObject({ code: 'CALL_TIMED_OUT', message: expect.stringContaining('1000 ms') })
  })

  it('keeps one timer for all open calls and gives each its own deadline', async () => {
    const { remote, clock } = callerOf<Doubler>()
    const ended: number[] = []
    const call = (value: number): void => {
      void failureOf(remote.double(value)).then(() => ended.push(value))
    }
    call(1)
    await clock.advance(400)
    call(2)
    expect(clock.pending).toBe(1)
    await clock.advance(600)
    expect(ended).toEqual([1])
    expect(clock.pending).toBe(1)
    await clock.advance(399)
    expect(ended).toEqual([1])
    await clock.advance(1)
    expect(ended).toEqual([1, 2])
    expect(clock.pending).toBe(0)
  })

  it('sets no timer while no call is open', async () => {
    const { remote, clock } = pairOf({ double: async (value: number) => value * 2 })
    await remote.double(1)
    expect(clock.pending).toBe(0)
  })

  it('ignores an answer that comes after the deadline, and goes on working', async () => {
    const { remote, clock, port, nextPost, counters } = callerOf<Doubler>()
    const failure = failureOf(remote.double(1))
    const [lateCall] = await nextPost()
    await clock.advance(1000)
    expect(await failure).toMatchObject({ code: 'CALL_TIMED_OUT' })
    const second = remote.double(2)
    const [call] = await nextPost()
    if (lateCall === undefined || call === undefined) throw new Error('A post was empty.')
    port.postMessage([answer(lateCall, 'late'), answer(call, 4)])
    expect(await second).toBe(4)
    expect(counters()).toMatchObject({ late: 1, malformed: 0 })
  })

  it('delivers the answers that were ready when the serving side closed', async () => {
    const { remote, served } = pairOf({
      double: async (value: number) => value * 2,
      stop: async () => setImmediate(() => served.close()) && 'stopped',
    })
    expect(await Promise.all([remote.double(4), remote.stop()])).toEqual([8, 'stopped'])
  })
})

describe('the port endpoint carries errors', () => {
  it('carries code, name, message, stack and causes', async () => {
    const cause = Object.assign(new TypeError('the cause'), { code: 'SQLITE_FULL', cause: 'the disk' })
    const { remote } = pairOf({ fail: () => Promise.reject(new RangeError('the failure', { cause })) })
    const error = await failureOf(remote.fail())
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'RangeError', message: 'the failure' })
    expect(error).toHaveProperty('stack', expect.stringContaining('port-endpoint.test.ts'))
    expect(error).toHaveProperty('cause.name', 'TypeError')
    expect(error).toHaveProperty('cause.code', 'SQLITE_FULL')
    expect(error).toHaveProperty('cause.cause', 'the disk')
  })

  it('makes a ParleyError a ParleyError again, also as a cause', async () => {
    const thrown = new ParleyError('DATABASE_FAILED', 'outer', { cause: new ParleyError('DATABASE_LOCKED', 'inner') })
    const { remote } = pairOf({ fail: () => Promise.reject(thrown) })
    const error = await failureOf(remote.fail())
    expect(error).toBeInstanceOf(ParleyError)
    expect(error).toMatchObject({ name: 'ParleyError', code: 'DATABASE_FAILED', message: 'outer', stack: thrown.stack })
    expect(error).toHaveProperty('cause', expect.any(ParleyError))
  })

  it('leaves out what is too deep in a chain of causes that never ends', async () => {
    const error = new Error('endless')
    error.cause = error
    const { remote } = pairOf({ fail: () => Promise.reject(error) })
    let depth = 0
    for (let at = await failureOf(remote.fail()); at instanceof Error; at = at.cause) depth += 1
    expect(depth).toBe(6)
  })

  it('carries thrown values that are no errors, as text when they cannot be sent', async () => {
    const thrown: unknown[] = ['text', 7, null, { toString: () => 'an object' }]
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const { remote } = pairOf({ fail: (index: number) => Promise.reject(thrown[index]) })
    const received = await Promise.all(thrown.map((_, index) => failureOf(remote.fail(index))))
    expect(received).toEqual(['text', 7, null, 'an object'])
  })
})

describe('the port endpoint leaves aside what it does not understand', () => {
  it('counts malformed messages to the serving side and goes on', async () => {
    const { remote, served, port1 } = pairOf({ double: async (value: number) => value * 2 })
    port1.postMessage('no array')
    port1.postMessage([
      null,
      { id: 'a' },
      { id: 'b', type: 'SET', path: ['double'], argumentList: [] },
      { id: 'c', type: 'APPLY', path: ['double', 'call'], argumentList: [] },
      { id: 'd', type: 'APPLY', path: ['double'], argumentList: [undefined] },
      { id: 'e', type: 'APPLY', path: ['double'] },
    ])
    expect(await remote.double(4)).toBe(8)
    expect(served.counters().malformed).toBe(7)
  })

  it('counts malformed answers and goes on', async () => {
    const { remote, port, nextPost, counters } = callerOf<Doubler>()
    const result = remote.double(1)
    const [call] = await nextPost()
    if (call === undefined) throw new Error('The post was empty.')
    port.postMessage({ id: call.id })
    port.postMessage([7, { id: call.id }, { id: call.id, type: 'HANDLER', name: 'unknown' }])
    port.postMessage([answer(call, 2)])
    expect(await result).toBe(2)
    expect(counters()).toMatchObject({ malformed: 4, late: 0 })
  })

  it('rejects a call of a method that is not served', async () => {
    const { remote } = pairOf<Partial<Doubler>>({})
    expect(await failureOf((remote as Connection<Doubler>['remote']).double(1))).toMatchObject({ name: 'TypeError' })
  })

  it('sends no farewell when a caller drops the remote and it is collected', async () => {
    const { port1, port2 } = newChannel()
    const posts: unknown[] = []
    port2.on('message', (messages) => posts.push(messages))
    const collected = Promise.withResolvers<unknown>()
    const registry = new FinalizationRegistry(collected.resolve)
    const callAndDrop = (): void => {
      const { remote } = connect<Doubler>(port1, { callTimeoutMs: 1000 })
      expect(remote.double).toBeTypeOf('function')
      registry.register(remote, 'collected')
    }
    callAndDrop()
    await turnOfTheEventLoop()
    setFlagsFromString('--expose-gc')
    runInNewContext('gc')()
    await collected.promise
    // Comlink hears of its proxies in turns of their own, and a farewell would take one more.
    for (let turn = 0; turn < 5; turn++) await turnOfTheEventLoop()
    port1.postMessage('the last message')
    await once(port2, 'message')
    expect(posts).toEqual(['the last message'])
  })

  it('sends nothing when the remote is awaited, and keeps one function for each method', async () => {
    const { remote, counters } = pairOf({ double: async (value: number) => value * 2 })
    const awaited = await Promise.resolve(remote)
    expect(awaited.double).toBe(remote.double)
    expect(counters().posts).toBe(0)
  })
})
