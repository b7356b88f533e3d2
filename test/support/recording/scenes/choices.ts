import type { Act } from '../cast.ts'

/** Whose conversation, which persona, which model; and what a server sets. */
export const CHOICES: readonly Act[] = [
  [
    '/server, and [name] in front of a question',
    'In direct messages everybody chooses whose conversation they are in. Histories never mix; who leaves a server loses access to its conversation.',
    async (stage, { bob }) => {
      await stage.run(bob, 'server')
      await stage.choose(bob, 'Book Club', 'direct messages belong to', bob.dm)
      await stage.sees(bob.dm, 'conversation of **Book Club**', { ephemeral: true })
      await stage.say(bob, 'Which book was it?')
      await stage.answered(bob.dm, 'Conversation of Book Club')
      await stage.run(bob, 'server')
      await stage.choose(bob, 'My own conversation', 'direct messages belong to', bob.dm)
      await stage.say(bob, '[book club] And who wrote it?')
      await stage.answered(bob.dm, 'echo: And who wrote it?')
      await stage.say(bob, 'What did I ask you last?')
      await stage.answered(bob.dm, 'echo: What did I ask you last?')
    },
  ],
  [
    '/persona and /model',
    'Each person’s own, in all their conversations. The model’s server says which model it was asked for.',
    async (stage, { ada }) => {
      await stage.run(ada, 'persona set', { text: 'You are a pirate.' })
      await stage.sees(ada.dm, 'pirate', { ephemeral: true })
      await stage.run(ada, 'model', { name: 'large-model' })
      await stage.sees(ada.dm, 'large-model', { ephemeral: true })
      await stage.say(ada, 'Ahoy?')
      await stage.answered(ada.dm, 'echo: Ahoy?')
      const asked = (await stage.model.requests()).at(-1)?.body
      stage.tell(`the model’s server was asked for ${asked?.model}, with the persona in the system message`)
      await stage.run(ada, 'persona reset')
    },
  ],
  [
    '/settings of a server',
    'For those who may manage it; who changed what is noted.',
    async (stage, { ada, owner, club }) => {
      const { channelId } = club
      await stage.run(owner, 'settings persona', { text: 'You speak in rhymes.' }, channelId)
      await stage.sees(channelId, 'rhymes', { ephemeral: true })
      await stage.run(owner, 'settings show', {}, channelId)
      await stage.sees(channelId, 'persona', { ephemeral: true })
      await stage.run(ada, 'ask', { message: 'Say something.' }, channelId)
      await stage.answered(channelId, 'echo: Say something.')
    },
  ],
]
