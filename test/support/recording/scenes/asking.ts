import type { Act } from '../cast.ts'

const GREETING = `Hello ada! Here is a table and some code:

| planet | moons |
| ------ | ----- |
| Mars   | 2     |
| Earth  | 1     |

\`\`\`ts
const moons = new Map([['Mars', 2], ['Earth', 1]])
\`\`\`

Ask me anything.`

/** Asking, waiting, changing one's mind. */
export const ASKING: readonly Act[] = [
  [
    'A question and its answer',
    'One message shows where the question stands, and becomes the answer while it is written.',
    async (stage, { ada }) => {
      await stage.model.script({ type: 'answer', text: GREETING, delayBetweenChunksMs: 60 })
      await stage.say(ada, 'Hello! How many moons do Mars and Earth have?')
      await stage.answered(ada.dm, 'Ask me anything.')
      await stage.say(ada, 'And what did I ask first?')
      await stage.answered(ada.dm, '(4 messages)')
    },
  ],
  [
    'Signs of life',
    'While there is nothing to read yet, the seconds pass and “Parley is typing” is shown.',
    async (stage, { cleo }) => {
      const held = { type: 'held', text: 'Done thinking.' } as const
      await stage.modelIsAsked(held, () => stage.say(cleo, 'Think about this for a while.'))
      await stage.discord.waitFor({ type: 'calls', method: 'POST', route: '/channels/:id/typing' }, 25_000)
      stage.tell('Discord shows that Parley is typing')
      await stage.sees(cleo.dm, 'Thinking… 1')
      await stage.model.release()
      await stage.answered(cleo.dm, 'Done thinking.')
    },
  ],
  [
    'A place in line, and a second message',
    'Parley answers one question at a time here. Bob and Cleo wait; Bob writes again and adds to the question that waits, Cleo replaces hers.',
    async (stage, { ada, bob, cleo }) => {
      const held = { type: 'held', text: 'Finally: forty-two.' } as const
      await stage.modelIsAsked(held, () => stage.say(ada, 'What is the answer to everything?'))
      await stage.say(bob, 'Name a tree.')
      await stage.sees(bob.dm, 'you are next')
      await stage.say(cleo, 'Name a river.')
      await stage.sees(cleo.dm, '2nd of 2')
      await stage.say(bob, 'One that has needles.')
      await stage.press(bob, 'Add to my question', 'still', bob.dm)
      await stage.say(cleo, 'Name a lake instead.')
      await stage.press(cleo, 'Replace my question', 'still', cleo.dm)
      await stage.sees(cleo.dm, 'replaced by this one')
      await stage.model.release()
      await stage.answered(ada.dm, 'forty-two')
      await stage.answered(bob.dm, 'echo: Name a tree.')
      await stage.answered(cleo.dm, 'echo: Name a lake instead.')
    },
  ],
  [
    'Cancel',
    'The call to the model ends with it. Nobody else can press the button.',
    async (stage, { ada, bob, club }) => {
      await stage.model.script({ type: 'hang' })
      await stage.discord.sendGuildMessage({
        channelId: club.channelId,
        userId: ada.id,
        content: 'Tell us a saga.',
        mentionsBot: true,
      })
      await stage.press(bob, 'Cancel', 'Thinking', club.channelId)
      await stage.sees(club.channelId, 'Only who asked', { ephemeral: true })
      await stage.press(ada, 'Cancel', 'Thinking', club.channelId)
      await stage.sees(club.channelId, 'Cancelled.')
      await stage.model.waitForAborted(1)
      stage.tell('the model’s server sees the call end')
    },
  ],
  [
    'Stop & keep',
    'What was written so far becomes the answer, and is part of the conversation.',
    async (stage, { ada }) => {
      await stage.model.script({
        type: 'silent',
        afterChunks: 9,
        text: 'Once upon a time there was a fox who wrote and wrote and wrote.',
      })
      await stage.say(ada, 'Tell me a story.')
      await stage.press(ada, 'Stop & keep', 'Once upon a time there was a fox', ada.dm)
      await stage.sees(ada.dm, 'Stopped here.')
      await stage.say(ada, 'Who was there?')
      await stage.answered(ada.dm, 'echo: Who was there?')
    },
  ],
  [
    'A failure, and Retry',
    'What happened, whether it counted, what to do, and a reference that finds the line in the log.',
    async (stage, { ada }) => {
      await stage.model.script({ type: 'error', status: 401, message: 'Incorrect API key provided.' })
      await stage.say(ada, 'Does this work?')
      await stage.press(ada, 'Retry', 'MODEL_', ada.dm)
      await stage.answered(ada.dm, 'echo: Does this work?')
    },
  ],
  [
    'Regenerate',
    'The same question once more. The new answer takes the place of the old one in the conversation: the model is not given the old one.',
    async (stage, { bob }) => {
      await stage.say(bob, 'Tell me a joke.')
      await stage.answered(bob.dm, 'echo: Tell me a joke. (4 messages)')
      await stage.model.script({ type: 'answer', text: 'A better joke.' })
      await stage.press(bob, 'Regenerate', 'Tell me a joke.', bob.dm)
      await stage.answered(bob.dm, 'A better joke.')
      await stage.say(bob, 'Explain it.')
      await stage.answered(bob.dm, 'echo: Explain it. (6 messages)')
    },
  ],
  [
    'Continue',
    'When the model stopped for length.',
    async (stage, { ada }) => {
      await stage.model.script(
        { type: 'answer', text: 'The first half,', finishReason: 'length' },
        { type: 'answer', text: 'and the second half.' },
      )
      await stage.say(ada, 'Say it all.')
      await stage.press(ada, 'Continue', 'The first half', ada.dm)
      await stage.answered(ada.dm, 'and the second half.')
    },
  ],
]
