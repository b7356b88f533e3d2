import { describe, expect, it } from 'vitest'
import { answer, begun, startConsole } from '#support/console-under-test.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'

const FULL = { code: 'QUEUE_FULL', message: 'The queue is full.' } as const
const WHOLE = { stopReason: 'end', trimmedMessages: 0, stored: true } as const
const BROKE = { code: 'MODEL_FAILED', message: 'The model broke.', detail: 'secret words' } as const

describe('a question in the console', () => {
  it('is asked in the conversation of the terminal', async () => {
    const { say, queue } = await startConsole()
    say('Hello')
    await begun(queue)
    expect(queue.added).toEqual([
      {
        userId: 'console',
        serverId: '0',
        channelId: 'console',
        message: 'Hello',
        discordMessageId: null,
        interactionToken: null,
      },
    ])
  })

  it('is answered before the next line is asked', async () => {
    const { say, queue, asked, output } = await startConsole()
    say('one', 'two', 'three')
    const first = await begun(queue)
    await turnOfTheEventLoop()
    expect(asked()).toEqual(['one'])
    first.complete('1')
    const second = await begun(queue)
    await turnOfTheEventLoop()
    expect(asked()).toEqual(['one', 'two'])
    second.complete('2')
    const third = await begun(queue)
    third.complete('3')
    await output.has('3\n')
    expect(output.text).toBe('1\n2\n3\n')
  })

  it('shows its answer as it grows, and each word once', async () => {
    const { say, queue, output, notices } = await startConsole()
    say('Hello')
    const request = await begun(queue)
    request.tell({ type: 'thinking', attempt: 1 })
    request.write('Good ')
    expect(output.text).toBe('Good ')
    request.write('day')
    expect(output.text).toBe('Good day')
    request.complete('Good day!')
    expect(output.text).toBe('Good day!\n')
    expect(notices.text).toBe('')
  })

  it('shows the whole answer below when it is not what was streamed', async () => {
    const { say, queue, output } = await startConsole()
    say('Hello')
    const request = await begun(queue)
    request.write('Bad')
    request.complete('Good day')
    expect(output.text).toBe('Bad\nGood day\n')
  })

  it('starts its answer on a new line when it is tried again', async () => {
    const { say, queue, output, notices } = await startConsole()
    say('Hello')
    const request = await begun(queue)
    request.write('Good mor')
    request.tell({ type: 'retrying', nextAttempt: 2, maxAttempts: 3, attempt: 1 })
    request.tell({ type: 'started', attempt: 2 })
    request.write('Good ')
    request.complete('Good day')
    expect(output.text).toBe('Good mor\nGood day\n')
    expect(notices.text).toBe('Trying again (2 of 3).\n')
  })

  it('leaves no empty line when nothing of the first try was seen', async () => {
    const { say, queue, output, notices } = await startConsole()
    say('Hello')
    const request = await begun(queue)
    request.tell({ type: 'retrying', nextAttempt: 2, maxAttempts: 3, attempt: 1 })
    request.complete('Good day')
    const notice = 'Trying again (2 of 3).\n'
    expect({ output: output.text, notices: notices.text }).toEqual({ output: 'Good day\n', notices: notice })
  })

  it.each([
    { what: 'was cut at its limit', fields: { stopReason: 'length' }, told: 'reached its length limit' },
    { what: 'saw less than all', fields: { trimmedMessages: 1 }, told: 'The oldest message of our conversation' },
    { what: 'saw much less', fields: { trimmedMessages: 4 }, told: 'The oldest 4 messages of our conversation' },
    { what: 'could not be stored', fields: { stored: false }, told: 'could not be saved' },
  ] as const)('has a notice when its answer $what', async ({ fields, told }) => {
    const { say, queue, output, notices } = await startConsole()
    say('Hello')
    const request = await begun(queue)
    request.tell({ type: 'completed', answer: 'Good day', parts: ['Good day'], ...WHOLE, ...fields, attempt: 1 })
    expect(output.text).toBe('Good day\n')
    expect(notices.text).toContain(told)
  })

  it('that is refused has a notice, and the next one is asked', async () => {
    const { say, queue, output, notices, asked } = await startConsole()
    say('one', 'two')
    const first = await queue.next()
    first.refuse(FULL)
    answer(await queue.next())
    await output.has('answer to two\n')
    expect(asked()).toEqual(['one', 'two'])
    expect(output.text).toBe('answer to two\n')
    expect(notices.text).toBe('The queue is full. (QUEUE_FULL)\n')
  })

  it('that fails has a notice below what was written, and the next one is asked', async () => {
    const { say, queue, output, notices } = await startConsole()
    say('one', 'two')
    const request = await begun(queue)
    request.write('Good')
    request.tell({ type: 'failed', failure: BROKE, attempt: 1 })
    await begun(queue)
    expect(output.text).toBe('Good\n')
    expect(notices.text).toBe('The model broke. (MODEL_FAILED)\n')
  })

  it('that is cancelled has a notice', async () => {
    const { say, queue, output, notices } = await startConsole()
    say('one')
    const request = await begun(queue)
    request.tell({ type: 'cancelled', reason: 'shutdown', attempt: 1 })
    expect({ output: output.text, notices: notices.text }).toEqual({ output: '', notices: 'Cancelled.\n' })
  })

  it('that is left over when Parley stops has a notice, and nothing of it is shown at the next start', async () => {
    const { say, queue, gateway, output, notices } = await startConsole()
    say('one')
    const request = await begun(queue)
    request.write('Go')
    request.tell({ type: 'suspended', attempt: 1 })
    gateway.resume()({ type: 'started', requestId: request.id, attempt: 2 })
    gateway.deliver()
    expect(output.text).toBe('Go\n')
    expect(notices.text).toBe('Parley stopped before this was answered. Please ask again.\n')
  })
})

describe('a person at the console', () => {
  it('is greeted and prompted among the notices; the output has the answers alone', async () => {
    const { say, input, ended, output, notices, queue } = await startConsole({ interactive: true })
    await notices.has('you> ')
    expect(notices.text).toMatch(/^This is Parley\. .*\/help/)
    say('one')
    const request = await begun(queue)
    await turnOfTheEventLoop()
    expect(notices.text.split('you> ')).toHaveLength(2)
    request.complete('1')
    await notices.has('you> ', 2)
    input.end()
    await ended
    expect(output.text).toBe('1\n')
  })

  it('interrupts with Ctrl+C, in the middle of an answer too', async () => {
    const { input, say, queue, interruptions } = await startConsole({ interactive: true })
    input.write('\x03')
    await interruptions.has('interrupted;')
    say('one')
    await begun(queue)
    input.write('\x03')
    await interruptions.has('interrupted;', 2)
  })

  it('ends the console with Ctrl+D', async () => {
    const { input, ended, ends } = await startConsole({ interactive: true })
    input.write('\x04')
    await ended
    expect(ends).toEqual([undefined])
  })
})

describe('the end of the console', () => {
  it('takes no further line in and still shows the answer that runs', async () => {
    const { say, gateway, queue, ended, asked, output } = await startConsole()
    say('one', 'two')
    const request = await begun(queue)
    gateway.stopIntake()
    say('three')
    request.write('Good ')
    request.complete('Good day')
    await ended
    expect(output.text).toBe('Good day\n')
    expect(asked()).toEqual(['one'])
  })

  it('lets go of its input', async () => {
    const { gateway, input, ended } = await startConsole()
    await gateway.stop()
    await ended
    expect(input.destroyed).toBe(true)
  })

  it('comes without a problem when the reader of the answers has gone', async () => {
    const { say, queue, output, ended, ends, asked } = await startConsole()
    say('one', 'two')
    const request = await begun(queue)
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await ended
    expect(ends).toEqual([undefined])
    request.complete('too late')
    await turnOfTheEventLoop()
    expect(asked()).toEqual(['one'])
  })

  it('comes with the problem when the answers cannot be written', async () => {
    const { say, queue, output, ended, ends } = await startConsole()
    say('one')
    await begun(queue)
    const problem = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    output.destroy(problem)
    await ended
    expect(ends).toEqual([problem])
  })

  it('comes with the problem when the questions cannot be read, and after the answer that runs', async () => {
    const { say, input, queue, output, ended, ends } = await startConsole()
    say('one')
    const request = await begun(queue)
    const problem = Object.assign(new Error('read EIO'), { code: 'EIO' })
    input.destroy(problem)
    await turnOfTheEventLoop()
    request.complete('1')
    await ended
    expect(output.text).toBe('1\n')
    expect(ends).toEqual([problem])
  })

  it('does not come when only the notices cannot be written', async () => {
    const { say, notices, output, ends } = await startConsole({ answering: true })
    notices.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    say('one')
    await output.has('answer to one\n')
    expect(ends).toEqual([])
  })
})
