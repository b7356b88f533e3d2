import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AdmissionFacts, refuse } from '#domain/admission.ts'

const FINE: AdmissionFacts = {
  message: 'a question',
  hasFiles: false,
  maxMessageLength: 10,
  stopping: false,
  userIsActive: false,
  isReplay: false,
  waiting: 0,
  freeSlots: 0,
  maxQueueSize: 50,
}

/** Each reason against a message, in the order in which they are looked at. */
const REASONS: readonly [name: string, against: Partial<AdmissionFacts>, refusal: object][] = [
  ['a queue that is stopping', { stopping: true }, { code: 'QUEUE_STOPPING' }],
  ['a message without text', { message: ' \n\t ' }, { code: 'REQUEST_INVALID', problem: 'empty' }],
  ['a message that is too long', { message: 'a question!' }, { code: 'REQUEST_INVALID', problem: 'too long' }],
  ['a message that came before', { isReplay: true, userIsActive: true }, { code: 'REQUEST_DUPLICATE' }],
  ['a user who is active', { userIsActive: true }, { code: 'REQUEST_ALREADY_ACTIVE' }],
  ['a full queue', { waiting: 50 }, { code: 'QUEUE_FULL' }],
]

describe('admission', () => {
  it('has nothing against a message when nothing stands against it', () => {
    expect(refuse(FINE)).toBeUndefined()
  })

  it.each(REASONS)('refuses because of %s', (_, against, refusal) => {
    expect(refuse({ ...FINE, ...against })).toEqual(refusal)
  })

  it('names the first reason of several, in the documented order', () => {
    const subset = fc.subarray([...REASONS.keys()], { minLength: 1 })
    fc.assert(
      fc.property(subset, (indexes) => {
        const chosen = REASONS.filter((_, index) => indexes.includes(index))
        // Later reasons first, so that of two about the message itself the first one stands.
        const facts = Object.assign({ ...FINE }, ...chosen.toReversed().map(([, against]) => against))
        expect(refuse(facts)).toEqual(chosen[0]?.[2])
      }),
    )
  })

  it('takes a message of exactly the longest length, counted in UTF-16 code units', () => {
    expect(refuse({ ...FINE, message: '😀😀😀😀😀' })).toBeUndefined()
    expect(refuse({ ...FINE, message: '😀😀😀😀😀!' })).toMatchObject({ problem: 'too long' })
  })

  it('counts the waiting ones beyond the free slots against the size of the queue', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(100), fc.integer({ min: 1, max: 60 }), (waiting, freeSlots, maxQueueSize) => {
        const full = refuse({ ...FINE, waiting, freeSlots, maxQueueSize }) !== undefined
        expect(full).toBe(Math.max(0, waiting - freeSlots) >= maxQueueSize)
      }),
    )
  })
})
