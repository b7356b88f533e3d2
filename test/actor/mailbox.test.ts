import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Mailbox, type MailboxOptions } from '#actors/mailbox.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'

function newMailbox<M>(options: Partial<MailboxOptions<M>> = {}) {
  const handled: M[] = []
  const errors: { readonly error: unknown; readonly message: M | undefined }[] = []
  const mailbox = new Mailbox<M>({
    capacity: 1000,
    handle: (message) => handled.push(message),
    onError: (error, message) => errors.push({ error, message }),
    ...options,
  })
  return { mailbox, handled, errors }
}

async function emptied<M>(mailbox: Mailbox<M>): Promise<void> {
  while (mailbox.size > 0) await turnOfTheEventLoop()
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

describe('a mailbox', () => {
  it('handles messages in the order they came, in a later turn of the event loop', async () => {
    const { mailbox, handled } = newMailbox<string>()
    mailbox.offer('first')
    mailbox.deliver('second')
    await Promise.resolve()
    expect(handled).toEqual([])
    await turnOfTheEventLoop()
    expect(handled).toEqual(['first', 'second'])
  })

  it('refuses what is offered beyond its capacity, and takes what the actor itself waits for', async () => {
    const { mailbox, handled } = newMailbox<string>({ capacity: 2 })
    expect(['a', 'b', 'c'].map((message) => mailbox.offer(message))).toEqual([true, true, false])
    mailbox.deliver('news')
    expect(mailbox.size).toBe(3)
    await emptied(mailbox)
    expect(handled).toEqual(['a', 'b', 'news'])
    expect(mailbox.offer('d')).toBe(true)
    await emptied(mailbox)
  })

  it('never handles a message inside another', async () => {
    const steps: string[] = []
    const { mailbox } = newMailbox<string>({
      handle: (message) => {
        steps.push(`${message} begins`)
        if (message === 'outer') mailbox.deliver('inner')
        steps.push(`${message} ends`)
      },
    })
    mailbox.deliver('outer')
    await emptied(mailbox)
    await turnOfTheEventLoop()
    expect(steps).toEqual(['outer begins', 'outer ends', 'inner begins', 'inner ends'])
  })

  it('gives the event loop its turn after each hundred messages', async () => {
    const handledAtTurn: number[] = []
    const { mailbox, handled } = newMailbox<number>()
    for (const number of numbers(250)) mailbox.deliver(number)
    while (mailbox.size > 0) {
      await turnOfTheEventLoop()
      handledAtTurn.push(handled.length)
    }
    expect(handledAtTurn).toEqual([100, 200, 250])
    expect(handled).toEqual(numbers(250))
  })

  it('lets others run between the messages of a handler that never stops sending to itself', async () => {
    let sending = true
    const { mailbox } = newMailbox<string>({ handle: () => sending && mailbox.deliver('again') })
    mailbox.deliver('start')
    for (let turn = 0; turn < 3; turn++) await turnOfTheEventLoop()
    sending = false
    await emptied(mailbox)
    expect(mailbox.size).toBe(0)
  })

  it('calls back once after each batch', async () => {
    const batches: number[] = []
    const { mailbox, handled } = newMailbox<number>({ afterBatch: () => batches.push(handled.length) })
    for (const number of numbers(150)) mailbox.deliver(number)
    await emptied(mailbox)
    expect(batches).toEqual([100, 150])
  })

  it('tells which message could not be handled, and handles the others', async () => {
    const broken = new Error('broken')
    const handled: string[] = []
    const { mailbox, errors } = newMailbox<string>({
      handle: (message) => {
        if (message === 'bad') throw broken
        handled.push(message)
      },
    })
    for (const message of ['a', 'bad', 'b']) mailbox.deliver(message)
    await emptied(mailbox)
    mailbox.deliver('c')
    await emptied(mailbox)
    expect(handled).toEqual(['a', 'b', 'c'])
    expect(errors).toEqual([{ error: broken, message: 'bad' }])
  })

  it('goes on when what follows a batch throws', async () => {
    const { mailbox, handled, errors } = newMailbox<string>({
      afterBatch: () => {
        throw new Error('broken')
      },
    })
    mailbox.deliver('a')
    await emptied(mailbox)
    mailbox.deliver('b')
    await emptied(mailbox)
    expect(handled).toEqual(['a', 'b'])
    expect(errors).toEqual([
      { error: new Error('broken'), message: undefined },
      { error: new Error('broken'), message: undefined },
    ])
  })

  it('handles every message it took exactly once and in order, whoever sends and whatever throws', async () => {
    const send = fc.record({
      type: fc.constantFrom('offer' as const, 'deliver' as const),
      turnAfter: fc.boolean(),
      throws: fc.boolean(),
      echoes: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(send, { maxLength: 40 }), fc.integer({ min: 1, max: 30 }), async (sends, capacity) => {
        const taken: string[] = []
        const handled: string[] = []
        const { mailbox, errors } = newMailbox<{ name: string; throws: boolean; echoes: number }>({
          capacity,
          handle: ({ name, throws, echoes }) => {
            handled.push(name)
            for (const echo of numbers(echoes)) deliver({ name: `${name} echo ${echo}`, throws: false, echoes: 0 })
            if (throws) throw new Error(name)
          },
        })
        const deliver = (message: { name: string; throws: boolean; echoes: number }): void => {
          taken.push(message.name)
          mailbox.deliver(message)
        }
        for (const [index, { type, turnAfter, throws, echoes }] of sends.entries()) {
          const message = { name: String(index), throws, echoes }
          const full = mailbox.size >= capacity
          if (type === 'deliver') deliver(message)
          else if (mailbox.offer(message)) taken.push(message.name)
          else expect(full).toBe(true)
          if (turnAfter) await turnOfTheEventLoop()
        }
        await emptied(mailbox)
        expect(handled).toEqual(taken)
        const throwing = taken.filter((name) => sends[Number(name)]?.throws)
        expect(errors.map(({ message }) => message?.name)).toEqual(throwing)
      }),
      { numRuns: 60 },
    )
  })
})
