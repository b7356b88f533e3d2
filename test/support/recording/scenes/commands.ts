import type { Act } from '../cast.ts'

/** What can be done with slash commands and the menu of a message. */
export const COMMANDS: readonly Act[] = [
  [
    'In a server: /ask and mentions',
    'They belong to the server’s conversation; what was said in direct messages is not known there.',
    async (stage, { bob, club }) => {
      await stage.run(bob, 'ask', { message: 'Which book do we read next?' }, club.channelId)
      await stage.answered(club.channelId, 'echo: Which book do we read next? (2 messages)')
      await stage.discord.sendGuildMessage({
        channelId: club.channelId,
        userId: bob.id,
        content: 'and after that?',
        mentionsBot: true,
      })
      await stage.answered(club.channelId, 'echo: and after that? (4 messages)')
    },
  ],
  [
    'A command that takes longer than Discord’s quarter of an hour',
    'The answer goes on in a normal message of the channel.',
    async (stage, { bob, club }) => {
      const held = { type: 'held', text: 'This took its time.' } as const
      const { token } = await stage.modelIsAsked(held, () =>
        stage.run(bob, 'ask', { message: 'Think about it well.' }, club.channelId),
      )
      await stage.sees(club.channelId, 'Thinking')
      stage.tell('a quarter of an hour passes: Discord takes no more answers to that command')
      await stage.discord.expireToken(token)
      await stage.model.release()
      await stage.answered(club.channelId, 'This took its time.')
    },
  ],
  [
    'Ask about this',
    'From the menu of any message; works as an app that somebody installed for themselves, too.',
    async (stage, { ada, bob, club }) => {
      const channelId = club.channelId
      const messageId = await stage.discord.sendGuildMessage({
        channelId,
        userId: bob.id,
        content: 'Tolstoy wrote Anna Karenina.',
      })
      stage.tell('ada chooses “Ask about this” in the menu of that message')
      await stage.discord.runMessageCommand({ userId: ada.id, messageId, name: 'Ask about this' })
      await stage.answered(channelId, 'echo: ')
    },
  ],
  [
    '/status, /cancel, /quota, /help, /privacy',
    'All of it is seen by its user alone.',
    async (stage, { ada }) => {
      await stage.model.script({ type: 'hang' })
      await stage.say(ada, 'Count to a million.')
      await stage.sees(ada.dm, 'Thinking')
      await stage.run(ada, 'status')
      await stage.sees(ada.dm, 'is being answered', { ephemeral: true })
      await stage.run(ada, 'cancel')
      await stage.sees(ada.dm, 'is cancelled', { ephemeral: true })
      await stage.run(ada, 'quota')
      await stage.sees(ada.dm, 'tokens', { ephemeral: true })
      await stage.run(ada, 'help')
      await stage.sees(ada.dm, '/privacy', { ephemeral: true })
      await stage.run(ada, 'privacy')
      await stage.sees(ada.dm, 'stored', { ephemeral: true })
    },
  ],
  [
    '/history, /export, /forget',
    'History is paged; forgetting asks first.',
    async (stage, { ada, cleo }) => {
      await stage.run(ada, 'history')
      await stage.press(ada, '◀ Older', 'echo', ada.dm)
      await stage.sees(ada.dm, 'echo', { control: 'Newer ▶' })
      await stage.run(cleo, 'export')
      await stage.sees(cleo.dm, 'This is all that is stored about you', { ephemeral: true })
      await stage.run(cleo, 'forget', { what: 'everything' })
      await stage.press(cleo, 'Delete', 'This deletes all', cleo.dm)
      await stage.sees(cleo.dm, 'eleted', { ephemeral: true })
      await stage.say(cleo, 'What do you know of me?')
      await stage.answered(cleo.dm, 'echo: What do you know of me? (2 messages)')
    },
  ],
  [
    '/stats',
    'For those who run the bot.',
    async (stage, { ada, owner }) => {
      await stage.run(ada, 'stats')
      await stage.sees(ada.dm, 'Only those who run this bot', { ephemeral: true })
      await stage.run(owner, 'stats')
      await stage.sees(owner.dm, 'calls for', { ephemeral: true })
    },
  ],
]
