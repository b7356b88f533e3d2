import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerAll, begun, startConsole } from '#support/console-under-test.ts'
import { databaseStatistics } from '#support/database-statistics.ts'
import { turnOfTheEventLoop } from '#support/event-loop.ts'

describe('the lines of the console', () => {
  it('are trimmed, and empty ones are nothing', async () => {
    const { input, ended, asked } = await startConsole({ answering: true })
    input.end('  one \n\n   \n\t\r\ntwo\r\nthree without an end')
    await ended
    expect(asked()).toEqual(['one', 'two', 'three without an end'])
  })

  it('are all asked in order, however they arrive', async () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .map((line) => `:${line.replaceAll(/[\r\n\u2028\u2029]/g, '')}`)
    const chunkLengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 30 }), chunkLengths, async (lines, lengths) => {
        const { input, ended, asked, output, gateway } = await startConsole({ answering: true })
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        for (let start = 0, turn = 0; start < bytes.length; turn++) {
          const end = start + (lengths[turn % lengths.length] ?? 1)
          input.write(bytes.subarray(start, end))
          start = end
        }
        input.end()
        await ended
        const questions = lines.map((line) => line.trim())
        expect(asked()).toEqual(questions)
        expect(output.text).toBe(questions.map((question) => `answer to ${question}\n`).join(''))
        await gateway.stop()
      }),
      { numRuns: 30 },
    )
  })

  it('wait when many come at once, and none is lost', async () => {
    const lines = Array.from({ length: 3000 }, (_, number) => `question ${number}`)
    const { say, input, queue, ended, asked } = await startConsole()
    say(...lines)
    input.end()
    const first = await begun(queue)
    first.complete('answer to the first')
    void answerAll(queue)
    await ended
    expect(asked()).toEqual(lines)
  })

  it('end the console after the last answer, and not before', async () => {
    const { input, queue, ends, ended, output } = await startConsole()
    input.end('one')
    const request = await begun(queue)
    await turnOfTheEventLoop()
    expect(ends).toEqual([])
    request.complete('1')
    await ended
    expect(output.text).toBe('1\n')
    expect(ends).toEqual([undefined])
  })

  it('end the console at once when there are none', async () => {
    const { input, ended, output, notices } = await startConsole()
    input.end()
    await ended
    expect(output.text + notices.text).toBe('')
  })
})

describe('a command in the console', () => {
  const history = [
    { role: 'user', content: 'Hello', timestamp: 0 },
    { role: 'assistant', content: 'Good day', timestamp: 1 },
  ] as const

  it('/quit ends the console in the middle, and asks nothing after it', async () => {
    const { say, ended, asked, output } = await startConsole({ answering: true })
    say('one', '/quit', 'two', '/stats')
    await ended
    expect(asked()).toEqual(['one'])
    expect(output.text).toBe('answer to one\n')
  })

  it('/stats shows what the database tells, and the rest when it tells nothing', async () => {
    const told = await startConsole({
      store: { statistics: async () => databaseStatistics({ writes: 12, commits: 3 }) },
    })
    told.say('/stats')
    await told.output.has('12 in 3 commits')
    const silent = await startConsole({ store: { statistics: () => Promise.reject(new Error('gone')) } })
    silent.say('/stats')
    await silent.output.has('answered             41')
    expect([silent.output.text.includes('commits'), silent.notices.text]).toEqual([false, ''])
  })

  it('/stats shows the statistics of the queue', async () => {
    const { say, queue, output } = await startConsole()
    say('/stats')
    await output.has('late events')
    expect(output.text).toMatch(/^answered +41$/m)
    expect(queue.added).toEqual([])
  })

  it('/history shows the newest messages of the conversation of the terminal', async () => {
    const calls: unknown[][] = []
    const { say, output } = await startConsole({
      store: {
        history: async (...args) => {
          calls.push(args)
          return [...history]
        },
      },
    })
    say('/history')
    await output.has('parley: Good day\n')
    expect(calls).toEqual([[{ userId: 'console', serverId: '0' }, 50]])
  })

  it('/forget deletes the conversation of the terminal', async () => {
    const calls: unknown[][] = []
    const { say, output } = await startConsole({
      store: {
        forget: async (...args) => {
          calls.push(args)
          return 4
        },
      },
    })
    say(' /forget ')
    await output.has('\n')
    expect(output.text).toBe('Deleted 4 messages.\n')
    expect(calls).toEqual([[{ userId: 'console', serverId: '0' }]])
  })

  it('/help lists the commands', async () => {
    const { say, output } = await startConsole()
    say('/help')
    await output.has('/quit')
    const lines = output.text.split('\n').map((line) => line.split(' ')[0])
    expect(lines).toEqual(['/stats', '/history', '/pause', '/drain', '/resume', '/forget', '/quit', ''])
  })

  it('/pause, /drain and /resume set what the queue does, and say so', async () => {
    const { say, output, queue } = await startConsole()
    say('/pause', '/drain', '/resume')
    await output.has('open.\n')
    expect(output.text).toBe('The queue is paused.\nThe queue is draining.\nThe queue is open.\n')
    expect(queue.commands).toEqual(['mode paused', 'mode draining', 'mode open'])
  })

  it('can open a paused queue while a question waits in it, and the console ends only after its answer', async () => {
    const { say, input, queue, output, notices, ended } = await startConsole()
    queue.wait = { waiting: 1, waitMs: null, heldUp: 'paused' }
    say('/pause', 'why?')
    const asked = (await queue.next()).accept()
    await notices.has('Parley is paused at the moment. Your question is kept and goes on by itself.\n')
    say('/resume')
    input.end()
    await output.has('open.\n')
    asked.tell({ type: 'started', attempt: 1 }).complete('because')
    await ended
    expect(output.text).toBe('The queue is paused.\nThe queue is open.\nbecause\n')
  })

  it('that does not exist has a notice with those that do, and is no question', async () => {
    const { say, output, notices, asked } = await startConsole({ answering: true })
    say('/nonsense now', 'one')
    await output.has('answer to one\n')
    expect(notices.text).toMatch(/^There is no command \/nonsense now\. These there are:\n\/stats /)
    expect(asked()).toEqual(['one'])
  })

  it('that does not work has a notice, and the conversation goes on', async () => {
    const history = () => Promise.reject(new Error('The database is not running.'))
    const { say, output, notices } = await startConsole({ store: { history }, answering: true })
    say('/history', 'one')
    await output.has('answer to one\n')
    expect(notices.text).toBe('/history did not work: The database is not running.\n')
  })
})
