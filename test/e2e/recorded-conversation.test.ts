import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { Cast } from '#support/recording/cast.ts'
import { ASKING } from '#support/recording/scenes/asking.ts'
import { CHOICES } from '#support/recording/scenes/choices.ts'
import { COMMANDS } from '#support/recording/scenes/commands.ts'
import { CONTENT } from '#support/recording/scenes/content.ts'
import { LATER } from '#support/recording/scenes/later.ts'
import { TROUBLE } from '#support/recording/scenes/trouble.ts'
import { Stage } from '#support/recording/stage.ts'

const { PARLEY_RECORD } = process.env

const RECORD = fileURLToPath(new URL('../../docs/conversation.md', import.meta.url))

const PREFACE = `# A recorded conversation

What people see, as a Discord server saw it: \`npm run record\` starts a real Parley with a real discord.js against a
server on loopback that behaves as Discord documents it, plays these scenes and writes this page. The model is a stand-in
that mostly repeats the question ("echo") and says how many messages it was given. Numbers in front are seconds since the
scene began; a text that only grows is shown as it began and as it ended.
`

it('shows all that people can do', { timeout: 180_000 }, async () => {
  const stage = await Stage.build()
  onTestFinished(() => stage.close())
  const [ada, bob, cleo, owner] = [
    await stage.person('ada'),
    await stage.person('bob'),
    await stage.person('cleo'),
    await stage.person('olga'),
  ]
  const club = await stage.server('Book Club', 'general', [ada, bob, cleo, owner])
  const cast: Cast = { ada, bob, cleo, owner, club }
  await stage.discord.addManager(club.guildId, owner.id)
  await stage.start({
    PARLEY_POOL_SIZE: '1',
    PARLEY_POOL_CONCURRENCY: '1',
    PARLEY_OWNERS: owner.id,
    PARLEY_MODELS: 'large-model',
    PARLEY_MODEL_VISION: 'always',
    PARLEY_MAX_MESSAGES: '2',
    PARLEY_FILE_HOSTS: new URL(stage.discord.apiUrl).origin,
  })
  const scenes: string[] = []
  for (const [title, intro, play] of [...ASKING, ...CONTENT, ...COMMANDS, ...CHOICES, ...LATER, ...TROUBLE]) {
    scenes.push(await stage.scene(title, intro, () => play(stage, cast)))
  }
  await stage.stop()
  expect((await stage.discord.counts()).rateLimited).toBe(0)
  if (PARLEY_RECORD !== undefined) writeFileSync(RECORD, `${PREFACE}\n${scenes.join('\n')}`)
})
