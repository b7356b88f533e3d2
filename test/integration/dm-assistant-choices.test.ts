import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { PiscinaPool } from '#pool/piscina-pool.ts'
import { AssistantWorld } from '#support/assistant-world.ts'
import { SYSTEM_PROMPT } from '#support/thread-data.ts'

const SERVER = '500000000000000000'

let world: AssistantWorld
let pool: PiscinaPool
/** With the offline model. */
let offline: PiscinaPool

beforeAll(async () => {
  world = await AssistantWorld.start()
  pool = await world.openPool()
  offline = await world.openPool({ model: { apiKey: null, baseUrl: null } })
})

afterEach(() => world.server.reset())

afterAll(() => world.close())

/** What the model server was asked last: the model, and its first message. */
async function lastAsked() {
  const body = (await world.server.requests()).at(-1)?.body
  return { model: body?.model, system: body?.messages?.[0]?.content }
}

const setServer = (setting: 'persona' | 'model', value: string) =>
  world.database.api.changeServerSettings({
    serverId: SERVER,
    userId: 'admin',
    at: 1,
    change: { type: 'set', setting, value },
  })

describe('what somebody has chosen', () => {
  it('is the model that is asked, the persona it is told, and the name that is kept', async () => {
    await world.database.api.changePreferences('ann', { model: 'other-model', persona: 'You are a bard.' })
    const outcome = await world.ask(pool, { userId: 'ann' }).outcome
    expect(outcome).toMatchObject({ type: 'answered', model: 'other-model', stored: true })
    const { model, system } = await lastAsked()
    expect(model).toBe('other-model')
    expect(system).toMatch(new RegExp(`^${SYSTEM_PROMPT}\n\n.*\n<persona>\nYou are a bard\\.\n</persona>$`))
    const [, answer] = await world.database.api.exportMessages('ann', { serverId: '', row: 0 }, 2)
    expect(answer).toMatchObject({ role: 'assistant', model: 'other-model' })
  })

  it('is nobody else’s', async () => {
    await world.database.api.changePreferences('ann', { model: 'other-model', persona: 'You are a bard.' })
    expect(await world.ask(pool, { userId: 'bob' }).outcome).toMatchObject({ model: 'test-model' })
    expect(await lastAsked()).toEqual({ model: 'test-model', system: SYSTEM_PROMPT })
  })

  it('gives way to what a server has set, in its conversation only', async () => {
    await world.database.api.changePreferences('cleo', { model: 'test-model', persona: 'You are a bard.' })
    await setServer('model', 'other-model')
    await setServer('persona', 'You are a judge.')
    await world.ask(pool, { userId: 'cleo', serverId: SERVER }).outcome
    expect(await lastAsked()).toEqual({ model: 'other-model', system: expect.stringContaining('judge') })
    await world.ask(pool, { userId: 'cleo' }).outcome
    expect(await lastAsked()).toEqual({ model: 'test-model', system: expect.stringContaining('bard') })
  })

  it('and is not offered any more is passed over, which the answer says once', async () => {
    await world.database.api.changePreferences('dora', { model: 'withdrawn-model' })
    const ask = async () => {
      const request = world.newRequest({ userId: 'dora' })
      const outcome = await world.ask(pool, request).outcome
      return { outcome, toDeliver: world.toDeliver(request) }
    }
    const first = await ask()
    expect(first.outcome).toMatchObject({ model: 'test-model', text: expect.not.stringContaining('withdrawn') })
    expect(first.toDeliver.at(-1)).toMatch(/\n-# The model `withdrawn-model` .* not offered any more; the usual model/)
    expect((await lastAsked()).model).toBe('test-model')
    expect((await ask()).toDeliver.join()).not.toContain('withdrawn')
    await world.database.api.changePreferences('dora', { model: 'withdrawn-model' })
    expect((await ask()).toDeliver.join()).toContain('withdrawn')
  })

  it('shows in what the offline model says', async () => {
    await world.database.api.changePreferences('eve', { model: 'other-model', persona: 'You are a bard.' })
    const outcome = await world.ask(offline, { userId: 'eve' }).outcome
    expect(outcome).toMatchObject({
      model: 'offline',
      text: expect.stringContaining('the model “other-model” and told in the persona “You are a bard.”'),
    })
  })
})
