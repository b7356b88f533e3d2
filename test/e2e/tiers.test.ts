import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { onDiscord, PersonOnDiscord, startServers, stop } from '#support/parley-on-discord.ts'

it('whoever has bought what a tier is for asks in that tier, from the first message on, until it is taken back', async () => {
  const place = await startServers()
  const { discord } = place
  const skuId = await discord.addSku()
  const [ada, bob] = [await PersonOnDiscord.join(place, 'ada'), await PersonOnDiscord.join(place, 'bob')]
  const bought = await discord.grantEntitlement({ skuId, userId: ada.userId })
  const tiers = JSON.stringify([{ name: 'premium', weight: 4, reserved: 2, skus: [skuId] }])
  const parley = onDiscord(place, { env: { PARLEY_TIERS: tiers } })
  await parley.logged('Parley is ready')
  const ask = async (person: PersonOnDiscord, text: string) => {
    await person.write(text)
    await person.isAnswered(`echo: ${text}`)
  }
  await ask(ada, 'first')
  await ask(bob, 'second')
  await discord.grantEntitlement({ skuId, userId: bob.userId })
  await discord.deleteEntitlement(bought)
  await ask(bob, 'third')
  await ask(ada, 'fourth')
  await stop(parley)
  const database = new Database(parley.databasePath, { readonly: true })
  const rows = database.prepare('SELECT message, tier, share_weight AS weight FROM requests ORDER BY admission').all()
  database.close()
  const [premium, usual] = [
    { tier: 'premium', weight: 4 },
    { tier: 'default', weight: 1 },
  ]
  expect(rows).toEqual([
    { message: 'first', ...premium },
    { message: 'second', ...usual },
    { message: 'third', ...premium },
    { message: 'fourth', ...usual },
  ])
})
