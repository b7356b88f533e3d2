import { once } from 'node:events'
import { Client, type Entitlement, Events, GatewayIntentBits, type Interaction } from 'discord.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveHere } from '#support/discord/serve-here.ts'

/** A server that sells something, and discord.js connected to it. */
async function market() {
  const server = await serveHere({ limits: 'off' })
  onTestFinished(server.close)
  const client = new Client({ intents: [GatewayIntentBits.DirectMessages], rest: { api: server.apiUrl } })
  onTestFinished(() => client.destroy())
  await Promise.all([once(client, Events.ClientReady), client.login(server.token)])
  const skuId = await server.addSku()
  const userId = await server.addUser({ username: 'ada' })
  const { application } = client
  if (!application) throw new Error('expected a client that is ready')
  return { server, client, entitlements: application.entitlements, skuId, userId }
}

describe('what the server sells', () => {
  it('is listed page by page, without what is over or taken back when that is asked for', async () => {
    const { server, entitlements, skuId, userId } = await market()
    const grant = { skuId, userId }
    const first = await server.grantEntitlement(grant)
    const second = await server.grantEntitlement(grant)
    const over = await server.grantEntitlement({ ...grant, endsAt: Date.now() - 1 })
    await server.deleteEntitlement(await server.grantEntitlement(grant))
    await server.grantEntitlement({ skuId: await server.addSku(), userId })
    const list = async (options: { limit?: number; after?: string; excludeEnded?: boolean }) => [
      ...(await entitlements.fetch({ skus: [skuId], cache: false, ...options })).keys(),
    ]
    expect(await list({})).toEqual([first, second, over])
    expect(await list({ excludeEnded: true })).toEqual([first, second])
    expect(await list({ limit: 1, after: first })).toEqual([second])
    await expect(list({ limit: 101 })).rejects.toThrow('Invalid Form Body')
  })

  it('is told when it changes, and with each interaction of whoever may use it', async () => {
    const { server, client, skuId, userId } = await market()
    const heard = async (event: string, change: Promise<unknown>) => {
      const told = once(client, event)
      await change
      return (await told) as Entitlement[]
    }
    const granting = server.grantEntitlement({ skuId, userId })
    const [created] = await heard(Events.EntitlementCreate, granting)
    expect(created).toMatchObject({ skuId, userId, guildId: null, endsTimestamp: null, deleted: false })
    const endsAt = Date.now() + 60_000
    const [, updated] = await heard(Events.EntitlementUpdate, server.endEntitlement(await granting, endsAt))
    expect(updated).toMatchObject({ endsTimestamp: endsAt })
    const asked = once(client, Events.InteractionCreate) as Promise<Interaction[]>
    await server.runCommand({ userId, name: 'none', unregistered: true })
    expect([...((await asked)[0]?.entitlements.keys() ?? [])]).toEqual([await granting])
    const [gone] = await heard(Events.EntitlementDelete, server.deleteEntitlement(await granting))
    expect(gone).toMatchObject({ deleted: true })
  })
})
