import { type Choice, NO_CHOICE } from '#domain/briefing.ts'
import { NO_FILES, type PromptFiles } from '#domain/prompt-files.ts'
import type { PromptMessage } from '#domain/prompt-window.ts'
import { nameGivenIn } from './offline-names.ts'

/** How a real model is connected, at first contact and when asked. */
const HOW_TO_CONNECT = [
  'To connect a real model, whoever runs this bot sets one of these and starts it again:',
  '- `OPENAI_API_KEY` for OpenAI',
  '- `OPENAI_BASE_URL` for a server of your own, such as Ollama, llama.cpp or LM Studio (for example `http://localhost:11434/v1`)',
  'and in both cases `OPENAI_MODEL`, the name of the model.',
].join('\n')

const WHO_I_AM =
  "I'm Parley's offline stand-in: a few fixed rules, not a language model, and I use no network. I show that messages, the queue and the memory work."

const WHAT_I_CAN =
  'Ask me "what did I say first?", "what did I say last?", "how many messages can you see?" or "what time is it?", or tell me your name and ask for it later.'

const SHORT_HINT = '(I am only the offline stand-in; say "help" to see how to connect a real model.)'

const LONG_QUOTE = 300
const SHORT_QUOTE = 80

/** What the rules see of a conversation. */
interface Situation {
  readonly message: string
  /** In lower case, without marks at its ends. */
  readonly plain: string
  /** What the user wrote before, oldest first. */
  readonly earlier: readonly string[]
  /** Messages of both sides before this one. */
  readonly earlierCount: number
  readonly name: string | undefined
  /** What came with the message. */
  readonly files: PromptFiles
  readonly now: Date
}

interface Reply {
  readonly text: string
  /** What is added: all about the stand-in, one line, or nothing. */
  readonly closing: 'introduction' | 'hint' | 'none'
}

interface Rule {
  readonly asks: readonly RegExp[]
  readonly reply: (situation: Situation) => Reply
}

const SAID = '(say|said|write|wrote|ask|asked|tell you|told you|sent|send|message)'
const THING = '(thing|message|words?|question)'
/** "This is my first message" is no question. */
const NOT_A_STATEMENT = '(?<!(this|that|it) (is|was) )'

function patterns(...sources: string[]): RegExp[] {
  return sources.map((source) => new RegExp(source))
}

/** In this order; the first that applies answers. */
const RULES: readonly Rule[] = [
  {
    asks: patterns('^(help|/help|commands)$', '\\bwhat can you do\\b', '\\bhow do (i|you|we) (use|connect|set)\\b'),
    reply: introduce,
  },
  {
    asks: patterns("\\b(what('s|’s|s| is)|do you (know|remember)|tell me|remember|say) my name\\b", '\\bwho am i\\b'),
    reply: nameAsked,
  },
  {
    asks: patterns(
      `\\bwhat (did|have) i (just )?${SAID}.*\\bfirst\\b`,
      `\\bfirst ${THING}\\b.*\\bi ${SAID}\\b`,
      `${NOT_A_STATEMENT}\\bmy (very )?first ${THING}\\b`,
      `\\bwhat (did|was).*\\bi first ${SAID}\\b`,
      '\\bhow did i (start|begin)\\b',
    ),
    reply: firstAsked,
  },
  {
    asks: patterns(
      `\\bwhat (did|have) i just ${SAID}\\b`,
      `\\bwhat (did|have) i ${SAID}\\b.*\\b(last|before|earlier|previously)\\b`,
      `\\b(last|previous) ${THING}\\b.*\\bi ${SAID}\\b`,
      `${NOT_A_STATEMENT}\\bmy (very )?(last|previous) ${THING}\\b`,
      `\\bwhat (did|was).*\\bi last ${SAID}\\b`,
    ),
    reply: lastAsked,
  },
  { asks: patterns('\\bhow many (messages|things)\\b', '\\bhow much do you (remember|see)\\b'), reply: countAsked },
  {
    asks: patterns(
      '\\bwhat time\\b',
      "\\bwhat('s|’s| is) the (time|date)\\b",
      '\\bwhat (day|date) is\\b',
      "\\b(today'?s|current) (date|time)\\b",
    ),
    reply: timeAsked,
  },
  {
    asks: patterns(
      '\\b(who|what) are you\\b',
      '\\bare you (a |an )?(real|bot|human|ai|llm|chatgpt|gpt|language model|robot)\\b',
      '\\bwhat model\\b',
    ),
    reply: introduce,
  },
  {
    asks: patterns('^(hi|hiya|hello|hey|heya|yo|howdy|greetings|good (morning|afternoon|evening|day))\\b'),
    reply: greet,
  },
  { asks: patterns('^(thanks|thank you|thx|ty|cheers)\\b'), reply: thank },
  { asks: patterns('^(bye|goodbye|good night|see you|cya)\\b'), reply: sayGoodbye },
]

/**
 * Answers the last user message by fixed rules, from nothing but the messages given.
 *
 * The answer never holds a Discord mention, whatever it quotes.
 *
 * @param chosen told at the end, as it can be put to no use here.
 */
export function offlineAnswer(messages: readonly PromptMessage[], now: Date, chosen: Choice = NO_CHOICE): string {
  const situation = situationOf(messages, now)
  const { text, closing } = replyTo(situation)
  const introduces = closing === 'introduction' || (situation.earlierCount === 0 && closing !== 'none')
  const ending = introduces ? [WHO_I_AM, HOW_TO_CONNECT, WHAT_I_CAN] : closing === 'hint' ? [SHORT_HINT] : []
  const parts = [text, filesSeen(situation.files), ...ending, choiceLine(chosen)]
  return withoutMentions(parts.filter((part) => part !== '').join('\n\n'))
}

/** Shows what a real model would be given. */
function choiceLine({ model, persona }: Choice): string {
  const asked = model === null ? [] : [`asked of the model ${quoted(model, LONG_QUOTE)}`]
  const played = persona === null ? [] : [`told in the persona ${quoted(persona, LONG_QUOTE)}`]
  const parts = [...asked, ...played].join(' and ')
  return parts === '' ? '' : `(With a real model this would be ${parts}.)`
}

function situationOf(messages: readonly PromptMessage[], now: Date): Situation {
  const lastUser = messages.findLastIndex(({ role }) => role === 'user')
  const before = messages.slice(0, Math.max(lastUser, 0)).filter(({ role }) => role !== 'system')
  const earlier = before.filter(({ role }) => role === 'user').map(({ content }) => content)
  const message = messages[lastUser]?.content.trim() ?? ''
  const plain = message
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .replace(/^[^\p{L}\p{N}/]+|[^\p{L}\p{N}]+$/gu, '')
  return {
    message,
    plain,
    earlier,
    earlierCount: before.length,
    name: nameIn([...earlier, message]),
    files: messages[lastUser]?.files ?? NO_FILES,
    now,
  }
}

/** The name given last. */
function nameIn(messages: readonly string[]): string | undefined {
  for (const message of messages.toReversed()) {
    const name = nameGivenIn(message)
    if (name) return name
  }
  return undefined
}

function replyTo(situation: Situation): Reply {
  if (situation.plain === '') return { text: `Hello${comma(situation.name)}!`, closing: 'introduction' }
  const rule = RULES.find(({ asks }) => asks.some((pattern) => pattern.test(situation.plain)))
  const given = nameGivenIn(situation.message)
  if (given && (!rule || rule.reply === greet)) {
    return { text: `Nice to meet you, ${given}! I'll remember your name in this conversation.`, closing: 'hint' }
  }
  return rule ? rule.reply(situation) : acknowledge(situation)
}

/** The closing says it all. */
function introduce(): Reply {
  return { text: '', closing: 'introduction' }
}

function thank(): Reply {
  return { text: "You're welcome.", closing: 'none' }
}

function sayGoodbye({ name }: Situation): Reply {
  return { text: `Goodbye${comma(name)}!`, closing: 'none' }
}

function greet({ name, earlierCount }: Situation): Reply {
  const again = earlierCount > 0 ? ' again' : ''
  return { text: `Hello${again}${comma(name)}!`, closing: 'introduction' }
}

function nameAsked({ name }: Situation): Reply {
  if (name) return { text: `You told me that your name is ${name}.`, closing: 'none' }
  return { text: 'In what I can see of this conversation you have not told me your name.', closing: 'hint' }
}

function firstAsked({ earlier }: Situation): Reply {
  const [first] = earlier
  if (first === undefined) return nothingBefore()
  return { text: `The first thing of yours that I can see is: ${quoted(first, LONG_QUOTE)}`, closing: 'none' }
}

function lastAsked({ earlier }: Situation): Reply {
  const last = earlier.at(-1)
  if (last === undefined) return nothingBefore()
  return { text: `The last thing you said before this is: ${quoted(last, LONG_QUOTE)}`, closing: 'none' }
}

function nothingBefore(): Reply {
  return { text: 'This is the first message of yours that I can see.', closing: 'hint' }
}

function countAsked({ earlier, earlierCount }: Situation): Reply {
  if (earlierCount === 0) return nothingBefore()
  return {
    text: `Before this one I can see ${counted(earlierCount, 'message')}, ${earlier.length} of them yours.`,
    closing: 'none',
  }
}

function timeAsked({ now }: Situation): Reply {
  const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' }).format(now)
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' }).format(now)
  return { text: `It is ${time} UTC on ${date}.`, closing: 'none' }
}

function acknowledge({ message, name, earlierCount }: Situation): Reply {
  const seen =
    earlierCount === 0
      ? 'It is the first message I can see in this conversation.'
      : `I can see ${counted(earlierCount, 'earlier message')} in this conversation.`
  return { text: `I read${comma(name)}: ${quoted(message, SHORT_QUOTE)}\n${seen}`, closing: 'hint' }
}

/** That files arrive can be seen without a model. */
function filesSeen({ texts, images }: PromptFiles): string {
  const ofTexts = texts.map(({ name, text }) => `- ${name}, with ${counted(text.length, 'character')} of text`)
  const ofImages = images.map(({ name, bytes }) => `- ${name}, a picture of ${counted(bytes.length, 'byte')}`)
  return ofTexts.length + ofImages.length === 0 ? '' : ['With it I got:', ...ofTexts, ...ofImages].join('\n')
}

function comma(name: string | undefined): string {
  return name ? `, ${name}` : ''
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** On one line, cut at so many characters; never in the middle of one. */
function quoted(message: string, limit: number): string {
  const line = message.replaceAll(/\s+/g, ' ').replaceAll(/`{3,}/g, "'''").trim()
  const characters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment)
  const shown = characters.length > limit ? `${characters.slice(0, limit).join('').trimEnd()}…` : characters.join('')
  return `“${shown}”`
}

/** Discord reads users, roles, channels, commands and everyone out of plain text: a space of no width ends that. */
function withoutMentions(text: string): string {
  return text.replaceAll('@', '@\u200b').replaceAll(/<(?=[@#/:a-z])/gi, '<\u200b')
}
