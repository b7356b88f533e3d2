import { pdfOf } from '#support/pdf.ts'
import type { Act } from '../cast.ts'

const CHAPTER = 'The fox went on through the forest and met a hedgehog, who had something to tell as well. '.repeat(20)
const LONG = Array.from({ length: 8 }, (_, n) => `## Chapter ${n + 1}\n\n${CHAPTER}`).join('\n\n')

/** The smallest picture there is, as far as its first bytes tell. */
const PICTURE = { filename: 'cat.png', content: Buffer.from('89504e470d0a1a0a00', 'hex') }
const CODE = { filename: 'sum.ts', content: 'export const sum = (a: number, b: number) => a + b\n' }
const PDF = { filename: 'minutes.pdf', content: pdfOf(['We read Anna Karenina next.']), contentType: 'application/pdf' }
const ARCHIVE = { filename: 'holiday.zip', content: Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0]) }

/** Long answers, what the model thinks, and files. */
export const CONTENT: readonly Act[] = [
  [
    'A long answer',
    'More than `discord.maxMessages` (here 2) would be too much to scroll through: the rest comes as a file.',
    async (stage, { bob }) => {
      await stage.model.script({ type: 'answer', text: LONG })
      await stage.say(bob, 'Tell me the whole story.')
      await stage.answered(bob.dm, 'answer.md')
    },
  ],
  [
    'What the model thinks',
    'Hidden unless somebody chooses otherwise with /reasoning; how long it took is said.',
    async (stage, { bob }) => {
      const reasoning = 'The user asks for seven times eight. Seven times eight is fifty-six.'
      await stage.run(bob, 'reasoning', { show: 'spoiler' })
      await stage.sees(bob.dm, 'spoiler', { ephemeral: true })
      await stage.model.script({ type: 'answer', reasoning, text: '56', delayBetweenChunksMs: 100 })
      await stage.say(bob, 'What is 7 × 8?')
      await stage.answered(bob.dm, '56')
      await stage.run(bob, 'reasoning', { show: 'file' })
      await stage.model.script({ type: 'answer', reasoning, text: '56 again', delayBetweenChunksMs: 100 })
      await stage.say(bob, 'And once more?')
      await stage.answered(bob.dm, '56 again')
      await stage.run(bob, 'reasoning', { show: 'hidden' })
    },
  ],
  [
    'Files, and a reply',
    'Text, code and the text of PDFs become part of the question; pictures go to models that can see; what could not be used is said. A reply brings along what it replies to.',
    async (stage, { ada, bob }) => {
      await stage.say(ada, 'What does this do?', { files: [CODE, PDF, ARCHIVE, PICTURE] })
      await stage.answered(ada.dm, 'export const sum')
      const story = await stage.say(bob, 'The hedgehog is called Igor.')
      await stage.answered(bob.dm, 'Igor')
      await stage.say(bob, 'Is that a good name?', { replyTo: story })
      await stage.answered(bob.dm, 'Is that a good name?')
    },
  ],
]
