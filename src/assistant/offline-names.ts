/** Where people say what they are called; the words after it are looked at one by one. */
const NAMED = /\b(?:my name is|my name's|my name’s|(?<!(?:don't|don’t|not|never) )(?:call|name) me)\s+(.+)/is
/** Said of much else than names, so a name must be all that follows. */
const I_AM = /(?:^|[.!?,;:]\s*|\band\s+)(?:i am|i'm|i’m)\s+([^.!?,;:\n]+)(?:[.!?,;:\n]|$)/is

const NAME = /^\p{Lu}[\p{L}\p{M}]*(?:['’-][\p{L}\p{M}]+)*$/u
const MAX_NAME_LENGTH = 32
const MAX_NAME_WORDS = 3

/** Words that follow "call me", "my name is" or "I'm" and are no names, even with a capital. */
const NOT_NAMES = new Set(
  `a about afraid after again agreed all almost alone already also always an and angry annoyed another anything as ask
  asked at available away back bad because before better bored busy but called calm certain cold coming confused crazy
  curious dead depressed done doing down excited far feeling fine first for free from full glad going gone good great
  happy hard here home hoping hot how hungry i ill if important in interested it just kidding last late later learning
  like living looking lost lucky mad maybe me my new nice no nobody none not nothing now of off ok okay old on one only
  or out perfect please pleased quite ready really right running sad safe scared secret serious sick sleepy so some
  someone something sorry still stuck stupid sure surprised talking that the there they thinking this tired to today
  tomorrow tonight too tonight trying unknown unsure up using very waiting well what when where which who whoever why
  with working worried wrong yes you your yours
  african american arab asian australian austrian belgian black brazilian british canadian catholic chinese christian
  danish dutch english european finnish french german greek hindu indian irish italian japanese jewish korean mexican
  muslim norwegian polish portuguese romanian russian scottish spanish swedish swiss turkish ukrainian vegan vegetarian
  white`
    .split(/\s+/)
    .filter((word) => word !== ''),
)

/** The name a person gives in a message, or undefined when it gives none that is plausible. */
export function nameGivenIn(message: string): string | undefined {
  return namedIn(NAMED.exec(message)?.[1]) ?? onlyNameIn(I_AM.exec(message)?.[1])
}

/** `my name is anna, and …`: the first word is the name, more words only with capitals. */
function namedIn(words: string | undefined): string | undefined {
  const [phrase] = words?.split(/[.!?,;:\n"“”()]/) ?? []
  const [first = '', ...rest] = phrase?.trim().split(/\s+/) ?? []
  const name = withCapital(first)
  if (!isPlausible(name)) return undefined
  const end = rest.findIndex((word) => !isPlausible(word))
  const more = rest.slice(0, end === -1 ? rest.length : end)
  // In lower case anything could follow: only "my name is anna" alone or "… anna and …" is a name.
  if (first !== name && rest.length > 0 && !/^(and|but|or|by|please|from|btw)$/i.test(rest[0] ?? '')) return undefined
  return [name, ...more].slice(0, MAX_NAME_WORDS).join(' ')
}

/** `I'm Anna`: every word has a capital, and nothing else follows in the clause. */
function onlyNameIn(words: string | undefined): string | undefined {
  const [named = ''] = words?.split(/\s+(?:and|but|from|by the way)\b/i) ?? []
  const parts = named.trim().split(/\s+/)
  return parts.length <= MAX_NAME_WORDS && parts.every(isPlausible) ? parts.join(' ') : undefined
}

function isPlausible(word: string): boolean {
  return NAME.test(word) && word.length <= MAX_NAME_LENGTH && !NOT_NAMES.has(word.toLowerCase())
}

function withCapital(word: string): string {
  return word.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase())
}
