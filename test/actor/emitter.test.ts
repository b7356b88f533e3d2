import { describe, expect, it } from 'vitest'
import { Emitter } from '#actors/emitter.ts'

function newEmitter() {
  const errors: { readonly error: unknown; readonly event: string }[] = []
  return { emitter: new Emitter<string>((error, event) => errors.push({ error, event })), errors }
}

describe('an emitter', () => {
  it('tells every listener every event, in the order they subscribed', () => {
    const { emitter } = newEmitter()
    const told: string[] = []
    emitter.on((event) => told.push(`a ${event}`))
    emitter.on((event) => told.push(`b ${event}`))
    emitter.emit('1')
    emitter.emit('2')
    expect(told).toEqual(['a 1', 'b 1', 'a 2', 'b 2'])
  })

  it('tells no event that came before the subscription or after its end', () => {
    const { emitter } = newEmitter()
    const told: string[] = []
    emitter.emit('before')
    const leave = emitter.on((event) => told.push(event))
    emitter.emit('during')
    leave()
    leave()
    emitter.emit('after')
    expect(told).toEqual(['during'])
  })

  it('tells the others and the sender nothing of a listener that throws, but who wants to know', () => {
    const { emitter, errors } = newEmitter()
    const told: string[] = []
    const broken = new Error('broken')
    emitter.on(() => {
      throw broken
    })
    emitter.on((event) => told.push(event))
    emitter.emit('1')
    expect(told).toEqual(['1'])
    expect(errors).toEqual([{ error: broken, event: '1' }])
  })

  it('tells a listener that subscribed twice twice, until each has left', () => {
    const { emitter } = newEmitter()
    const told: string[] = []
    const listener = (event: string): number => told.push(event)
    const leaveFirst = emitter.on(listener)
    const leaveSecond = emitter.on(listener)
    emitter.emit('both')
    leaveFirst()
    leaveFirst()
    emitter.emit('one')
    leaveSecond()
    emitter.emit('none')
    expect(told).toEqual(['both', 'both', 'one'])
  })

  it('does not tell a listener that another has just sent away', () => {
    const { emitter } = newEmitter()
    const told: string[] = []
    emitter.on(() => leave())
    const leave = emitter.on((event) => told.push(event))
    emitter.emit('1')
    expect(told).toEqual([])
  })

  it('tells a listener that leaves and comes back while it is told only once', () => {
    const { emitter } = newEmitter()
    let told = 0
    const listener = (): void => {
      told += 1
      if (told > 10) throw new Error('expected to be told once')
      leave()
      leave = emitter.on(listener)
    }
    let leave = emitter.on(listener)
    emitter.emit('1')
    expect(told).toBe(1)
    emitter.emit('2')
    expect(told).toBe(2)
  })
})
