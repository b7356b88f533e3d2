import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { nextStopSignal, type SignalledProcess } from '#src/stop-signal.ts'
import { SimulatedClock } from '#support/simulated-clock.ts'

/** A process that is told of signals and notes its end. */
class SignalledEmitter extends EventEmitter implements SignalledProcess {
  readonly exits: number[] = []

  exit(code: number): void {
    this.exits.push(code)
  }

  get listeningTo(): unknown[] {
    return this.eventNames()
  }
}

function wait() {
  const target = new SignalledEmitter()
  const clock = new SimulatedClock()
  const signal = (name: NodeJS.Signals) => void target.emit(name, name)
  return { target, clock, signal, stop: nextStopSignal(target, clock) }
}

describe('the signal to stop', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is the first %s', async (name) => {
    const { target, signal, stop } = wait()
    signal(name)
    expect(await stop.received).toBe(name)
    expect(target.exits).toEqual([])
  })

  it.each([
    { name: 'SIGINT', code: 130 },
    { name: 'SIGTERM', code: 143 },
  ] as const)('ends the process at once with $code when $name comes again', async ({ name, code }) => {
    const { target, clock, signal } = wait()
    signal(name)
    await clock.advance(100)
    signal(name)
    expect(target.exits).toEqual([code])
  })

  it('ends the process at once when the other one follows', () => {
    const { target, signal } = wait()
    signal('SIGTERM')
    signal('SIGINT')
    expect(target.exits).toEqual([130])
  })

  it('counts once when npm hands on the one that the terminal has sent to both', async () => {
    const { target, clock, signal } = wait()
    signal('SIGINT')
    await clock.advance(99)
    signal('SIGINT')
    expect(target.exits).toEqual([])
  })

  it('is left to Node again once it is ignored', () => {
    const { target, stop } = wait()
    expect(target.listeningTo).toEqual(['SIGINT', 'SIGTERM'])
    stop.ignore()
    expect(target.listeningTo).toEqual([])
  })
})
