import type { Act } from '../cast.ts'

/** What is asked later, and what waits because the queue or the model has to. */
export const LATER: readonly Act[] = [
  [
    'Asking later: /timezone, /remind, /reminders',
    'Once or again and again, at the time on one’s own wall.',
    async (stage, { ada }) => {
      await stage.run(ada, 'timezone', { zone: 'Europe/Berlin' })
      await stage.sees(ada.dm, 'Europe/Berlin', { ephemeral: true })
      await stage.run(ada, 'remind', { when: 'soon', message: 'Is it time?' })
      await stage.sees(ada.dm, 'no clear time', { ephemeral: true })
      await stage.run(ada, 'remind', { when: 'tomorrow 9:00', message: 'What is on today?', repeat: 'weekdays' })
      await stage.sees(ada.dm, '> What is on today?', { ephemeral: true })
      await stage.run(ada, 'remind', { when: 'in 1 second', message: 'Is it time?' })
      await stage.answered(ada.dm, 'echo: Is it time?')
      await stage.run(ada, 'reminders list')
      await stage.choose(ada, 'What is on today?', '1 reminder', ada.dm)
      await stage.press(ada, 'Delete', 'Monday to Friday', ada.dm)
      await stage.sees(ada.dm, 'It is deleted.', { ephemeral: true })
    },
  ],
  [
    'The owner pauses the queue, and lets it run empty: /queue',
    'Paused, it keeps what is asked; draining, it takes nothing new.',
    async (stage, { ada, owner }) => {
      await stage.run(owner, 'queue pause')
      await stage.sees(owner.dm, 'Paused:', { ephemeral: true })
      await stage.say(ada, 'Anybody there?')
      await stage.sees(ada.dm, 'Parley is paused')
      await stage.run(owner, 'queue resume')
      await stage.answered(ada.dm, 'echo: Anybody there?')
      await stage.run(owner, 'queue drain')
      await stage.sees(owner.dm, 'Draining:', { ephemeral: true })
      await stage.say(ada, 'And now?')
      await stage.sees(ada.dm, 'QUEUE_DRAINING')
      await stage.run(owner, 'queue resume')
      await stage.sees(owner.dm, 'Open:', { ephemeral: true })
    },
  ],
  [
    'A model server that does not answer',
    'It is left alone for a while and tried with one question; nobody has to ask again.',
    async (stage, { cleo }) => {
      await stage.restart({ PARLEY_BREAK_THRESHOLD: '1', PARLEY_BREAK_PAUSE: '3s', PARLEY_MAX_RETRIES: '0' })
      await stage.model.script({ type: 'error', status: 503, message: 'The server is starting.' })
      await stage.say(cleo, 'Are you awake?')
      await stage.sees(cleo.dm, 'The model does not answer')
      await stage.answered(cleo.dm, 'echo: Are you awake?')
    },
  ],
  [
    'A crowd',
    'Above `queue.warnAbove` people are told what lies before them, and how to leave the line.',
    async (stage, { ada, bob, cleo }) => {
      await stage.restart({ PARLEY_BREAK_THRESHOLD: '5', PARLEY_WARN_ABOVE: '0' })
      const held = { type: 'held', text: 'Bob’s answer.' } as const
      await stage.modelIsAsked(held, () => stage.say(bob, 'Something slow, please.'))
      await stage.say(ada, 'First in line?')
      await stage.sees(ada.dm, 'you are next')
      await stage.say(cleo, 'Is it crowded?')
      await stage.press(cleo, 'Cancel', 'There is 1 before you', cleo.dm)
      await stage.sees(cleo.dm, 'Cancelled')
      await stage.model.release()
      await stage.answered(ada.dm, 'echo: First in line?')
    },
  ],
  [
    'Several messages, one question',
    'With `queue.debounce`, what somebody writes in quick succession belongs together.',
    async (stage, { ada }) => {
      await stage.restart({ PARLEY_WARN_ABOVE: '10', PARLEY_DEBOUNCE: '500ms' })
      await stage.say(ada, 'I have a question.')
      await stage.say(ada, 'How long is a year?')
      await stage.answered(ada.dm, 'How long is a year?')
      await stage.restart({ PARLEY_DEBOUNCE: '0s' })
    },
  ],
]
