import { escapeMarkdown } from 'discord.js'

/** The beginning of a text on one line, as it was written: its own markdown must not spread over what is around it. */
export function beginningOf(text: string, most: number): string {
  const line = escapeMarkdown(text.slice(0, most).replaceAll(/\s+/g, ' ').trim())
  if (line.length <= most && text.length <= most) return line
  // Neither half a character nor half an escape at the end.
  return `${line.slice(0, most).replace(/[\uD800-\uDBFF\\]+$/u, '')}…`
}
