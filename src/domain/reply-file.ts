/** A text that comes with the last message of a reply. */
export interface ReplyFile {
  readonly name: string
  readonly text: string
}

/** Discord takes 10 MiB a file, and 25 MiB in all from one call. */
const LONGEST_FILE_BYTES = 8 * 1024 * 1024

/** Makes a file of a text; one that Discord would not take ends with a line that says so. */
export function replyFile(name: string, text: string, limitBytes = LONGEST_FILE_BYTES): ReplyFile {
  // No character takes more than three bytes for a unit of UTF-16.
  if (text.length * 3 <= limitBytes || Buffer.byteLength(text) <= limitBytes) return { name, text }
  const room = limitBytes - Buffer.byteLength(CUT)
  const cut = Buffer.from(text).subarray(0, Math.max(0, room)).toString()
  return { name, text: cut.replace(/\uFFFD{1,3}$/, '') + CUT }
}

const CUT = '\n\n[The rest is longer than a file may be.]\n'
