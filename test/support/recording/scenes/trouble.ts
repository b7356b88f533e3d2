import type { Act } from '../cast.ts'

/** Limits, restarts and a connection that goes away. */
export const TROUBLE: readonly Act[] = [
  [
    'Killed in the middle of an answer',
    'Nothing is lost: the next process goes on in the same message, and buttons of before still work.',
    async (stage, { ada }) => {
      await stage.model.script({ type: 'silent', afterChunks: 3, text: 'It begins well and ends well.' })
      await stage.say(ada, 'How does it end?')
      await stage.sees(ada.dm, 'It begins well')
      stage.tell('Parley is killed (SIGKILL) and started again')
      await stage.parley.kill()
      await stage.modelIsAsked({ type: 'hang' }, () => stage.start())
      await stage.press(ada, 'Cancel', 'Thinking', ada.dm)
      await stage.press(ada, 'Retry', 'Cancelled.', ada.dm)
      await stage.answered(ada.dm, 'echo: How does it end?')
    },
  ],
  [
    'The connection to Discord breaks',
    'What was written meanwhile is answered, once.',
    async (stage, { bob }) => {
      stage.tell('Discord closes the connection')
      await stage.discord.closeGateway(4000)
      await stage.say(bob, 'Are you still there?')
      await stage.answered(bob.dm, 'echo: Are you still there?')
    },
  ],
  [
    'A long wait',
    'Whoever waited longer than `discord.notifyAfter` gets the answer as a new message, so that Discord notifies.',
    async (stage, { ada, bob }) => {
      await stage.restart({ PARLEY_NOTIFY_AFTER: '1s' })
      const held = { type: 'held', text: 'Bob’s answer.' } as const
      await stage.modelIsAsked(held, () => stage.say(bob, 'Something slow, please.'))
      await stage.say(ada, 'Is it my turn?')
      await stage.sees(ada.dm, 'you are next')
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      await stage.model.release()
      await stage.answered(ada.dm, 'echo: Is it my turn?')
      await stage.answered(bob.dm, 'Bob’s answer.')
    },
  ],
  [
    'Who may ask, and how much',
    'Rules of the owner: here Cleo is on the deny list, and everybody has two questions an hour.',
    async (stage, { bob, cleo }) => {
      await stage.restart({ PARLEY_REQUESTS_PER_HOUR: '2', PARLEY_DENY_USERS: cleo.id })
      await stage.say(cleo, 'May I?')
      await stage.sees(cleo.dm, 'ACCESS_DENIED')
      await stage.say(bob, 'One more?')
      await stage.sees(bob.dm, 'QUOTA_USED_UP')
    },
  ],
]
