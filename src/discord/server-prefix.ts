/** A direct message read as `[name] question`. */
export interface PrefixedQuestion {
  readonly name: string
  readonly question: string
}

/** Discord's limit for a server's name, in code points. */
const LONGEST_NAME = 100

/**
 * The ways to read a text as `[name] question`, the longest name first: a name can have brackets of its own. Only a
 * bracket that is followed by a space counts: a link such as `[text](address)` is none.
 */
export function readPrefixes(text: string): PrefixedQuestion[] {
  if (!text.startsWith('[')) return []
  // A code point is up to two code units.
  const beginning = text.slice(0, 2 * LONGEST_NAME + 2)
  return [...beginning.matchAll(/\](?=\s)/gu)]
    .map(({ index }) => ({ name: text.slice(1, index).trim(), question: text.slice(index + 1).trim() }))
    .filter(({ name, question }) => name !== '' && question !== '')
    .reverse()
}

/** Tells whether somebody who writes one name means the other. */
export function isSameName(one: string, other: string): boolean {
  return folded(one) === folded(other)
}

function folded(name: string): string {
  return name.trim().normalize('NFKC').toLowerCase()
}
