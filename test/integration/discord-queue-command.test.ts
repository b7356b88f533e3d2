import { describe, expect, it } from 'vitest'
import { OPEN_TO_ALL } from '#support/access-rules.ts'
import { startWithCommands } from '#support/command-room.ts'
import { queueStatistics } from '#support/queue-statistics.ts'

/** Somebody who runs this Parley. */
async function startWithOwner() {
  const owners: string[] = []
  const room = await startWithCommands({ access: { ...OPEN_TO_ALL, owners } })
  owners.push(room.userId)
  return room
}

describe('/queue', () => {
  it('is for owners only', async () => {
    const { run, queue } = await startWithCommands()
    const reply = await run('queue pause')
    expect([reply.content, reply.ephemeral, queue.commands]).toEqual([
      'Only those who run this bot may do that.',
      true,
      [],
    ])
  })

  it.each([
    ['pause', 'paused', '⏸️ Paused: questions are taken in and kept, and none begins.'],
    ['drain', 'draining', '🚱 Draining: new questions are turned away politely, and those there are get answered.'],
    ['resume', 'open', '▶️ Open: questions are taken in and answered.'],
  ] as const)('%s makes the queue %s and says what that means', async (word, mode, said) => {
    const { run, queue } = await startWithOwner()
    queue.statistics = queueStatistics({ queueSize: 3, activeRequests: 2 })
    const { content, ephemeral } = await run(`queue ${word}`)
    expect([content.startsWith(said), ephemeral, queue.commands]).toEqual([true, true, [`mode ${mode}`]])
    expect(content).toMatch(/\n3 waiting, 2 being answered\.$/)
  })
})

describe('/status', () => {
  it.each([
    [{ mode: 'paused' }, '⏸️ Parley is paused: questions are taken in and kept, and go on by themselves later.'],
    [{ mode: 'draining' }, '⏸️ Parley takes no new questions at the moment; those it has are being answered.'],
    [
      { model: { state: 'silent', silences: 1, rateLimited: 0, limit: null } },
      '⚠️ The model does not answer at the moment; questions wait until it does.',
    ],
  ] as const)('tells everybody why nothing goes on: %j', async (facts, line) => {
    const { run, queue } = await startWithCommands()
    queue.statistics = queueStatistics(facts)
    expect((await run('status')).content.split('\n').at(-1)).toBe(line)
  })
})

describe('/stats', () => {
  it('tells what the queue does and how the model is', async () => {
    const { run, queue } = await startWithOwner()
    queue.statistics = queueStatistics({
      mode: 'paused',
      model: { state: 'silent', silences: 2, rateLimited: 7, limit: 5 },
    })
    const { content } = await run('stats')
    expect(content).toContain('queue           paused\n')
    expect(content).toContain(
      'model           does not answer, questions wait, found silent 2 times, 7 calls refused as too many, 5 at the same time now\n',
    )
  })
})
